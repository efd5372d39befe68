"""Weights from data: one network as the lecture trains it, and many at once."""

from adderlab.training.settings import (
    ACTIVATIONS,
    INITS,
    LOSSES,
    OPTIMIZERS,
    MapOptions,
    Settings,
    TrainingOptions,
    keywords_of,
    make_settings,
)

__all__ = [
    "ACTIVATIONS",
    "INITS",
    "LOSSES",
    "OPTIMIZERS",
    "MapOptions",
    "Settings",
    "TrainingOptions",
    "keywords_of",
    "make_settings",
]
