"""Where an operation stands: the line of the user's code, and the module that it is in."""

from __future__ import annotations

import inspect
import linecache
import re
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

_TORCH: Final = str(Path(torch.__file__).parent)
_HERE: Final = str(Path(__file__).parent)
_CALLS: Final = ("_call_impl", "_wrapped_call_impl")


def begin(model: nn.Module, *args: object) -> object:
    """Call a module; what it runs stands below this frame."""
    return model(*args)


def at(where: str, function: Callable[..., Any], *args: object) -> Any:  # noqa: ARG001
    """Call a function; what it runs stands where is said, and at no line of code."""
    return function(*args)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the user's code."""

    filename: str
    number: int

    @property
    def text(self) -> str:
        """The line itself; empty where it can't be had."""
        return linecache.getline(self.filename, self.number).strip()

    def __str__(self) -> str:
        cell = _cell(self.filename)
        name = f"{cell} line {self.number}" if cell else f"{self.filename}:{self.number}"
        return f"{name}: {self.text}" if self.text else name


def place() -> str:
    """Return where the operation that runs now stands: the user's line, the module, or both."""
    return place_of(traceback.walk_stack(inspect.currentframe()))


def place_of(frames: Iterable[tuple[FrameType, int]]) -> str:
    """Return the same of given frames, the innermost first."""
    line: Line | None = None
    inner: nn.Module | None = None
    names: dict[int, str] = {}
    for frame, number in frames:
        code = frame.f_code
        if code is at.__code__:
            return str(frame.f_locals["where"])
        if code is begin.__code__:
            model = frame.f_locals["model"]
            names = {id(module): name for name, module in model.named_modules()}
            break
        if code.co_name in _CALLS and inner is None:
            module = frame.f_locals.get("self")
            inner = module if isinstance(module, nn.Module) else None
        if line is None and not code.co_filename.startswith((_TORCH, _HERE, "<frozen")):
            line = Line(code.co_filename, number)
    parts = [str(line)] if line is not None else []
    if inner is not None and type(inner).__module__.startswith("torch."):
        name = names.get(id(inner), "")
        parts.append(f"{name} ({type(inner).__name__})" if name else type(inner).__name__)
    return ", in ".join(parts) or "forward"


def is_assert() -> bool:
    """Return whether the operation that runs now is asked for by an assert of the user's."""
    for frame, number in _above(traceback.walk_stack(inspect.currentframe())):
        return Line(frame.f_code.co_filename, number).text.startswith("assert ")
    return False


def _above(frames: Iterable[tuple[FrameType, int]]) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames of the user's code, the innermost first."""
    for frame, number in frames:
        if frame.f_code is begin.__code__:
            return
        if not frame.f_code.co_filename.startswith((_TORCH, _HERE, "<frozen")):
            yield frame, number


def _cell(filename: str) -> str:
    """Return ``cell 3`` for code of a notebook's cell, else nothing."""
    # IPython's map from the made-up file name of a cell to its number, in 7.2x to 9.x
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    numbers = getattr(getattr(shell, "compile", None), "_filename_map", {})
    old = re.search(r"ipython-input-(\d+)-", filename)
    number = numbers.get(filename) or (old and old[1])
    return f"cell {number}" if number else ""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, shortened."""
    return (str(error).splitlines() or [""])[0][:200]
