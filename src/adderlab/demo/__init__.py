"""The demo: both notebooks from start to end, told truthfully, one file a chapter.

Rule: ``adderlab.demo`` is a verb and this folder at once, so the module itself can be called:
importing any chapter sets the name ``demo`` in the package to this module.
"""

from __future__ import annotations

import sys
from types import ModuleType

from adderlab.demo.story import Story, demo

__all__ = ["Story", "demo"]


class _CallableModule(ModuleType):
    """A module that is called like the verb it is named for."""

    __call__ = staticmethod(demo)


sys.modules[__name__].__class__ = _CallableModule
