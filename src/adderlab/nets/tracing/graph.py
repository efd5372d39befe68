"""The graph of a module's forward: each operation, with the line of the user's code it is from.

Rule: tracing runs the user's Python, so it happens on stand-ins for the module's tensors and
attributes, which are put back as they were whatever happens.
"""

from __future__ import annotations

import inspect
import linecache
import re
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import fx, nn
from torch.fx.proxy import TraceError

from adderlab.errors import ModelError
from adderlab.nets.activations import RULES
from adderlab.nets.tracing.operations import READABLE, REMEDIES

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from types import FrameType

OPENED: Final = (
    nn.Linear,
    *(getattr(nn, rule.module) for rule in RULES.values() if hasattr(nn, rule.module)),
    nn.Flatten,
    nn.Dropout,
    nn.Sequential,
)
"""PyTorch's own modules whose forward is traced like a user's; all others are refused."""

_TORCH: Final = str(Path(torch.__file__).parent)
_HERE: Final = str(Path(__file__).parent)


class Root(nn.Module):
    """Calls the model with one argument, as ``model(x)`` does: defaults, overrides and all."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Any) -> Any:
        return self.model(x)


class LineTracer(fx.Tracer):
    """A tracer that keeps, for each operation, the user's line and the module it is in."""

    proxy_buffer_attributes = True

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        home = type(m).__module__
        is_opened = isinstance(m, OPENED) or not home.startswith("torch.nn.")
        if home.startswith("torch.ao.") or not is_opened:
            line = _user_line(traceback.walk_stack(inspect.currentframe()))
            kind = type(m).__name__
            quantized = "a quantized " if "quantized" in home else ""
            name = f"{module_name(self.path_of_module(m))} ({kind})"
            raise ModelError(
                f"{quantized}{kind} can't be read",
                where=f"{line}, in {name}" if line else name,
                remedy=REMEDIES.get(kind, READABLE),
            )
        return super().call_module(m, forward, args, kwargs)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
        return False

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(*args, **kwargs)
        node.meta["line"] = _user_line(traceback.walk_stack(inspect.currentframe()))
        path, kind = self.node_name_to_scope[node.name]
        if kind and kind.__module__.startswith("torch."):  # the user's line may call several
            node.meta["module"] = f"{module_name(path)} ({kind.__name__})"
        return node

    def to_bool(self, obj: fx.Proxy) -> bool:
        # an assert holds while tracing: it is really made when the module is run on rows
        line = _user_line(traceback.walk_stack(inspect.currentframe()))
        return (line is not None and line.text.startswith("assert ")) or super().to_bool(obj)


def trace(root: Root) -> fx.Graph:
    """Return the graph of the model's forward.

    Raises:
        ModelError: the forward can't be followed, with the line where it can't.
    """
    try:
        return LineTracer().trace(root)
    except ModelError:
        raise
    except Exception as error:
        frames = list(traceback.walk_tb(error.__traceback__))
        where = str(_user_line(reversed(frames)) or type(root.model).__name__)
        if isinstance(error, TraceError):
            raise ModelError(
                "its path depends on the values of the input, which a network's can't",
                where=where,
                remedy="replace if, while, max() and loops over values by relu or a comparison",
            ) from error
        if isinstance(error, NameError) and "not installed as a submodule" in str(error):
            raise ModelError(
                "a layer is not registered in the model, so its weights are not the model's",
                where=where,
                remedy="keep layers as attributes or in nn.ModuleList, not in a plain list",
            ) from error
        raise ModelError(
            f"its forward can't be followed ({type(error).__name__}: {_first_line(error)})",
            where=where,
            remedy="write it with PyTorch's operations on one batch of inputs",
        ) from error


def run(graph: fx.Graph, root: Root, x: torch.Tensor) -> dict[fx.Node, Any]:
    """Return the value of each operation of the graph on the given rows.

    Raises:
        ModelError: an operation fails, with its line.
    """
    values: dict[fx.Node, Any] = {}
    node: Any
    for node in graph.nodes:
        args = fx.map_arg(node.args, values.__getitem__)
        kwargs = fx.map_arg(node.kwargs, values.__getitem__)
        try:
            match node.op:
                case "placeholder":
                    values[node] = x
                case "get_attr":
                    values[node] = attribute(root, node.target)
                case "call_function":
                    values[node] = node.target(*args, **kwargs)
                case "call_method":
                    values[node] = getattr(args[0], node.target)(*args[1:], **kwargs)
                case _:
                    values[node] = args[0]
        except Exception as error:
            kind = str(x.dtype).removeprefix("torch.")
            raise ModelError(
                f"its forward fails on rows of shape {list(x.shape)} in {kind} "
                f"({type(error).__name__}: {_first_line(error)})",
                where=place(node),
                remedy="make model(x) work for x of shape (batch, bits)",
            ) from error
    return values


def attribute(root: nn.Module, path: str) -> Any:
    """Return what ``path`` names, such as ``model.fc1.weight``."""
    value: Any = root
    for name in path.split("."):
        value = getattr(value, name)
    return value


def module_name(path: str) -> str:
    """Return the module's name as the user knows it; ``model`` for the whole."""
    return path.removeprefix("model.")


def place(node: fx.Node) -> str:
    """Return where an operation stands: the user's line, the module, or both."""
    parts = (node.meta.get("line"), node.meta.get("module"))
    return ", in ".join(str(part) for part in parts if part) or "forward"


@contextmanager
def untouched(model: nn.Module) -> Generator[None]:
    """Let the model be run in eval mode and leave it, and the random state, as they were.

    In the block the modules hold copies of their tensors, lists and dictionaries.
    """
    modules = list(model.modules())
    saved = [dict(vars(module)) for module in modules]
    copies: dict[int, torch.Tensor] = {}
    devices = {p.device.index for p in model.parameters() if p.is_cuda}
    with torch.random.fork_rng(devices=sorted(devices)), torch.no_grad():
        try:
            for module in modules:
                state = vars(module)
                state.update({key: _copied(value, copies) for key, value in state.items()})
                state["training"] = False
                if "_compiled_call_impl" in state:  # set by model.compile()
                    state["_compiled_call_impl"] = None
            yield
        finally:
            for module, state in zip(modules, saved, strict=True):
                vars(module).clear()
                vars(module).update(state)


def _copied(value: Any, copies: dict[int, torch.Tensor]) -> Any:
    """Return a copy of a tensor, the same for the same tensor, or of what holds tensors."""
    if isinstance(value, torch.Tensor):
        if id(value) not in copies:
            copy = value.detach().clone()
            is_parameter = isinstance(value, nn.Parameter)
            copies[id(value)] = nn.Parameter(copy, requires_grad=False) if is_parameter else copy
        return copies[id(value)]
    if isinstance(value, dict):
        fresh = value.copy()
        fresh.update({key: _copied(entry, copies) for key, entry in value.items()})
        return fresh
    if type(value) is list:
        return [_copied(entry, copies) for entry in value]
    return set(value) if type(value) is set else value


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


def _user_line(frames: Iterable[tuple[FrameType, int]]) -> Line | None:
    """Return the innermost line inside the model's forward that is not PyTorch's own."""
    line: Line | None = None
    for frame, number in frames:
        if frame.f_code is Root.forward.__code__:
            return line
        if line is None and not frame.f_code.co_filename.startswith((_TORCH, _HERE)):
            line = Line(frame.f_code.co_filename, number)
    return None


def _cell(filename: str) -> str:
    """Return ``cell 3`` for code of a notebook's cell, else nothing."""
    # IPython's map from the made-up file name of a cell to its number, in 7.2x to 9.x
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    numbers = getattr(getattr(shell, "compile", None), "_filename_map", {})
    old = re.search(r"ipython-input-(\d+)-", filename)
    number = numbers.get(filename) or (old and old[1])
    return f"cell {number}" if number else ""


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]
