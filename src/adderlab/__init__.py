"""Build, train and prove small neural networks that compute bit functions.

The names below are found when they are first used, so that importing adderlab costs nothing
and never loads PyTorch by itself.

Rule: ``adderlab.NAME`` is the verb of that name, whatever was imported before. The folder ``demo``
has the name of a verb too; its modules are reached by ``from adderlab.demo import story``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

TYPE_CHECKING = False  # typing itself takes longer to load than all else before signals are handled
if TYPE_CHECKING:
    from typing import Any, Final

    from adderlab.blocks import Result
    from adderlab.counting import Count, ModelCount, Unpublished
    from adderlab.demo import Story, demo
    from adderlab.errors import AdderlabError
    from adderlab.lab.widget import Lab
    from adderlab.nets import Activation, Layer, Network, Readout, load, network
    from adderlab.nets.activation_modules import Step
    from adderlab.nets.importing import NetworkFile
    from adderlab.nets.modules import AdderNN, to_module
    from adderlab.nets.onnx import from_onnx
    from adderlab.nets.saving import save
    from adderlab.nets.state_dict import from_lists, from_state_dict, to_state_dict
    from adderlab.nets.tracing import from_module
    from adderlab.proving import Verdict
    from adderlab.runs.maps.result import TrainabilityMap
    from adderlab.runs.populations.census import Census
    from adderlab.tasks import Task, TaskLike, sample, table, task_named
    from adderlab.verbs.add import Sum, add
    from adderlab.verbs.build import Built, build
    from adderlab.verbs.check import Checked, check
    from adderlab.verbs.compare import Compared, compare
    from adderlab.verbs.count import count
    from adderlab.verbs.explain import explain
    from adderlab.verbs.explain_chain import explain_chain
    from adderlab.verbs.explain_slots import explain_slots
    from adderlab.verbs.explain_symbols import explain_symbols
    from adderlab.verbs.explain_why import explain_why
    from adderlab.verbs.explanation import Explanation
    from adderlab.verbs.export import Exported, export
    from adderlab.verbs.grade import grade
    from adderlab.verbs.graded import Graded
    from adderlab.verbs.map import map
    from adderlab.verbs.prove import prove
    from adderlab.verbs.quantize import quantization_table, quantize
    from adderlab.verbs.quantized import QuantizationTable, Quantized
    from adderlab.verbs.repair import Repaired, repair
    from adderlab.verbs.replay import Replay, replay
    from adderlab.verbs.run import Computed, run
    from adderlab.verbs.show import Shown, show
    from adderlab.verbs.train import Trained, train
    from adderlab.verbs.train_many import train_many

    __version__: str

_HOMES: Final = {
    "Activation": "nets",
    "AdderNN": "nets.modules",
    "AdderlabError": "errors",
    "Built": "verbs.build",
    "Census": "runs.populations.census",
    "Checked": "verbs.check",
    "Compared": "verbs.compare",
    "Computed": "verbs.run",
    "Count": "counting",
    "Explanation": "verbs.explanation",
    "Exported": "verbs.export",
    "Graded": "verbs.graded",
    "Lab": "lab.widget",
    "Layer": "nets",
    "ModelCount": "counting",
    "Network": "nets",
    "NetworkFile": "nets.importing",
    "QuantizationTable": "verbs.quantized",
    "Quantized": "verbs.quantized",
    "Readout": "nets",
    "Repaired": "verbs.repair",
    "Replay": "verbs.replay",
    "Result": "blocks",
    "Shown": "verbs.show",
    "Step": "nets.activation_modules",
    "Story": "demo",
    "Sum": "verbs.add",
    "Task": "tasks",
    "TaskLike": "tasks",
    "TrainabilityMap": "runs.maps.result",
    "Trained": "verbs.train",
    "Unpublished": "counting",
    "Verdict": "proving",
    "add": "verbs.add",
    "build": "verbs.build",
    "check": "verbs.check",
    "compare": "verbs.compare",
    "count": "verbs.count",
    "demo": "demo",
    "explain": "verbs.explain",
    "explain_chain": "verbs.explain_chain",
    "explain_slots": "verbs.explain_slots",
    "explain_symbols": "verbs.explain_symbols",
    "explain_why": "verbs.explain_why",
    "export": "verbs.export",
    "from_lists": "nets.state_dict",
    "from_module": "nets.tracing",
    "from_onnx": "nets.onnx",
    "from_state_dict": "nets.state_dict",
    "grade": "verbs.grade",
    "load": "nets",
    "map": "verbs.map",
    "network": "nets",
    "prove": "verbs.prove",
    "quantization_table": "verbs.quantize",
    "quantize": "verbs.quantize",
    "repair": "verbs.repair",
    "replay": "verbs.replay",
    "run": "verbs.run",
    "sample": "tasks",
    "save": "nets.saving",
    "show": "verbs.show",
    "table": "tasks",
    "task_named": "tasks",
    "to_module": "nets.modules",
    "to_state_dict": "nets.state_dict",
    "train": "verbs.train",
    "train_many": "verbs.train_many",
}
"""Where each public name lives."""

__all__ = [
    "Activation",
    "AdderNN",
    "AdderlabError",
    "Built",
    "Census",
    "Checked",
    "Compared",
    "Computed",
    "Count",
    "Explanation",
    "Exported",
    "Graded",
    "Lab",
    "Layer",
    "ModelCount",
    "Network",
    "NetworkFile",
    "QuantizationTable",
    "Quantized",
    "Readout",
    "Repaired",
    "Replay",
    "Result",
    "Shown",
    "Step",
    "Story",
    "Sum",
    "Task",
    "TaskLike",
    "TrainabilityMap",
    "Trained",
    "Unpublished",
    "Verdict",
    "add",
    "build",
    "check",
    "compare",
    "count",
    "demo",
    "explain",
    "explain_chain",
    "explain_slots",
    "explain_symbols",
    "explain_why",
    "export",
    "from_lists",
    "from_module",
    "from_onnx",
    "from_state_dict",
    "grade",
    "load",
    "map",
    "network",
    "prove",
    "quantization_table",
    "quantize",
    "repair",
    "replay",
    "run",
    "sample",
    "save",
    "show",
    "table",
    "task_named",
    "to_module",
    "to_state_dict",
    "train",
    "train_many",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("adderlab")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'adderlab' has no attribute {name!r}")
    return getattr(import_module(f"adderlab.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})


class _Package(ModuleType):
    """This package: importing a folder that is named like a verb does not hide the verb."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
