"""The demo: both notebooks from start to end, every claim checked, one file per chapter."""

from adderlab.demo.story import Story, demo

__all__ = ["Story", "demo"]
