"""Maps of trainability: one start under a grid of settings."""

from adderlab.runs.maps.result import TrainabilityMap

__all__ = ["TrainabilityMap"]
