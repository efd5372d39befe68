"""The demo: both notebooks from start to end, told truthfully, one file a chapter."""

from adderlab.demo.story import Story, demo

__all__ = ["Story", "demo"]
