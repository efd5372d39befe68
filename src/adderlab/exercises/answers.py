"""Answers to exercises, as the lab's page writes them: a JSON object with the exercise's id.

``{"exercise": "xor", "network": {"layers": [...], "readout": {...}, "format": "fp32"}}``, or with
``numbers`` by their fields instead of a network; ``versions`` says what wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from adderlab.errors import NetworkFileError
from adderlab.exercises.catalog import Exercise, Field
from adderlab.nets import Network
from adderlab.nets.file_kinds import JSON, kind_in
from adderlab.nets.importing import NetworkFile
from adderlab.nets.record import Reader
from adderlab.nets.sources import read_data
from adderlab.reading import JsonError, parse_json

LARGEST_BYTES: Final = 1 << 22
"""Of an answer: the page's largest network takes less."""

KEYS: Final = ("network", "numbers", "versions")
REMEDY: Final = "save the answer in the lab's page"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was handed in for an exercise.

    Attributes:
        network: where a network is asked for.
        numbers: where numbers are, by their fields.
    """

    network: Network | None
    numbers: Mapping[str, float]


def answer_in(data: bytes, where: str) -> dict[str, Any] | None:
    """Return the object of an answer file; ``None`` of any other file.

    Args:
        data: the bytes of a file.
        where: its path.

    Raises:
        NetworkFileError: it is JSON that can't be read.
    """
    if len(data) > LARGEST_BYTES or kind_in(data, where) is not JSON:
        return None
    try:
        value = parse_json(data.removeprefix(b"\xef\xbb\xbf"))
    except JsonError as error:
        raise NetworkFileError(f"the file {error}", where=where, remedy=REMEDY) from None
    return value if isinstance(value, dict) and "exercise" in value else None


def read_answer(entry: dict[str, Any], exercise: Exercise, where: str) -> Answer:
    """Return the answer to an exercise.

    Args:
        entry: the object of an answer file.
        exercise: the one that is graded.
        where: the path of the file.

    Raises:
        NetworkFileError: it is an answer to another exercise, or none.
    """
    reader = Reader({}, where)
    _ = reader.keys(entry, "the answer", ("exercise",), KEYS)
    if entry["exercise"] != exercise.id:
        raise reader.fault(
            f"it is an answer to {str(entry['exercise'])[:60]!r}, not to {exercise.id!r}", REMEDY
        )
    if not exercise.asks_for_numbers:
        if entry.get("network") is None:
            raise reader.fault("the answer holds no network", REMEDY)
        data = json.dumps(entry["network"]).encode()
        return Answer(read_data(data, NetworkFile(where)).network, {})
    numbers = entry.get("numbers")
    if not isinstance(numbers, dict):
        raise reader.fault("the answer holds no numbers", REMEDY)
    names = tuple(field.name for field in exercise.fields)
    _ = reader.keys(numbers, "the answer", names)
    return Answer(None, {field.name: _number(numbers, field, reader) for field in exercise.fields})


def _number(numbers: Mapping[str, Any], field: Field, reader: Reader) -> float:
    value = numbers[field.name]
    kinds = int if field.is_whole else int | float
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    if not is_number or not field.least <= value <= field.most:
        kind = "a whole number" if field.is_whole else "a number"
        span = f"{field.least:.10g}..{field.most:.10g}"
        raise reader.fault(f"{field.label} is {str(value)[:40]}, not {kind} in {span}", REMEDY)
    return value


def refuse_network(exercise: Exercise, where: str) -> NetworkFileError:
    """Return the refusal of a network where numbers are asked for."""
    labels = ", ".join(field.label for field in exercise.fields)
    return NetworkFileError(
        f"this is no answer file, and the exercise asks for numbers: {labels}",
        where=where,
        remedy=REMEDY,
    )
