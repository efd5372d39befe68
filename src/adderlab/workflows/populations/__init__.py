"""Many networks at once: trained block by block, counted, explained, written."""

from adderlab.workflows.populations.census import Census
from adderlab.workflows.populations.pictures import pictures_of
from adderlab.workflows.populations.run import train_many

__all__ = ["Census", "pictures_of", "train_many"]
