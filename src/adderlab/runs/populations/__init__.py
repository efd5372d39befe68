"""Many networks at once: trained block by block, counted, explained, written."""

from adderlab.runs.populations.census import Census
from adderlab.runs.populations.pictures import pictures_of

__all__ = ["Census", "pictures_of"]
