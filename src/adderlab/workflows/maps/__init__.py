"""Maps of trainability: one start under a grid of settings."""

from adderlab.workflows.maps.result import TrainabilityMap
from adderlab.workflows.maps.run import map

__all__ = ["TrainabilityMap", "map"]
