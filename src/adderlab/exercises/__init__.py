"""Exercises: what is to be done, what an answer must meet, and the answers that are handed in."""

from adderlab.exercises.answers import (
    LARGEST_BYTES,
    Answer,
    answer_in,
    read_answer,
    refuse_network,
)
from adderlab.exercises.catalog import Exercise, Field, exercise_named, exercises
from adderlab.exercises.conditions import Mark, marks_of

__all__ = [
    "LARGEST_BYTES",
    "Answer",
    "Exercise",
    "Field",
    "Mark",
    "answer_in",
    "exercise_named",
    "exercises",
    "marks_of",
    "read_answer",
    "refuse_network",
]
