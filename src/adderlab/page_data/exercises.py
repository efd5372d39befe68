"""Exercises as the lab's page has them: the same data, with every row of their tasks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from adderlab.exercises import Exercise
from adderlab.page_data import networks, tasks

KEYS: Final = ("id", "title", "text", "conditions", "seed", "hidden", "run")
"""What the page is given as it stands in the data."""


def to_page(exercise: Exercise) -> dict[str, Any]:
    """Return the exercise as the page has it; ``start`` is null where a seed makes the network."""
    entry = {key: exercise.entry[key] for key in KEYS if key in exercise.entry}
    return {
        **entry,
        "task": tasks.to_page(exercise.task),
        "start": None if exercise.start is None else networks.to_page(exercise.start),
        "fields": [asdict(field) for field in exercise.fields],
    }
