"""Build, train and prove small neural networks that compute bit functions.

The names below are found when they are first used, so that importing adderlab costs nothing
and never loads PyTorch by itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from adderlab.counting import count
    from adderlab.errors import AdderlabError
    from adderlab.nets import Activation, Layer, Network, Readout, load, network
    from adderlab.nets.modules import AdderNN, Step, to_module
    from adderlab.nets.saving import save
    from adderlab.nets.state_dict import from_lists, from_state_dict, to_state_dict
    from adderlab.nets.tracing import from_module
    from adderlab.proving import Verdict, prove
    from adderlab.tasks import Task, sample, task_named
    from adderlab.workflows.build import build
    from adderlab.workflows.compare import compare
    from adderlab.workflows.demo import demo
    from adderlab.workflows.explain import explain
    from adderlab.workflows.maps import map
    from adderlab.workflows.populations import train_many
    from adderlab.workflows.quantize import quantization_table, quantize
    from adderlab.workflows.repair import repair
    from adderlab.workflows.replay import replay
    from adderlab.workflows.show import show
    from adderlab.workflows.train import train

_HOMES: Final = {
    "Activation": "nets",
    "AdderNN": "nets.modules",
    "AdderlabError": "errors",
    "Layer": "nets",
    "Network": "nets",
    "Readout": "nets",
    "Step": "nets.modules",
    "Task": "tasks",
    "Verdict": "proving",
    "build": "workflows.build",
    "compare": "workflows.compare",
    "count": "counting",
    "demo": "workflows.demo",
    "explain": "workflows.explain",
    "from_lists": "nets.state_dict",
    "from_module": "nets.tracing",
    "from_state_dict": "nets.state_dict",
    "load": "nets",
    "map": "workflows.maps",
    "network": "nets",
    "prove": "proving",
    "quantization_table": "workflows.quantize",
    "quantize": "workflows.quantize",
    "repair": "workflows.repair",
    "replay": "workflows.replay",
    "sample": "tasks",
    "save": "nets.saving",
    "show": "workflows.show",
    "task_named": "tasks",
    "to_module": "nets.modules",
    "to_state_dict": "nets.state_dict",
    "train": "workflows.train",
    "train_many": "workflows.populations",
}
"""Where each public name lives."""

__all__ = [
    "Activation",
    "AdderNN",
    "AdderlabError",
    "Layer",
    "Network",
    "Readout",
    "Step",
    "Task",
    "Verdict",
    "build",
    "compare",
    "count",
    "demo",
    "explain",
    "from_lists",
    "from_module",
    "from_state_dict",
    "load",
    "map",
    "network",
    "prove",
    "quantization_table",
    "quantize",
    "repair",
    "replay",
    "sample",
    "save",
    "show",
    "task_named",
    "to_module",
    "to_state_dict",
    "train",
    "train_many",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'adderlab' has no attribute {name!r}")
    return getattr(import_module(f"adderlab.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
