"""What a training run is told: every setting, checked, with the notebook's as defaults."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np

from adderlab.errors import OptionError, ResourceError
from adderlab.nets import Activation, Readout
from adderlab.tasks import Task

OPTIMIZERS: Final = ("sgd", "momentum", "adam")
LOSSES: Final = ("mse", "bce")
INITS: Final = ("torch",)
ACTIVATIONS: Final = ("relu", "leaky:S", "tanh")
MOMENTUM: Final = 0.9
LARGEST_BYTES: Final = 8 << 30
LARGEST_LR: Final = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a training run; the defaults are the training notebook's.

    Attributes:
        hidden: hidden units.
        seed: as given to ``torch.manual_seed`` before the data are drawn and the model is made.
        lr: learning rate.
        steps: updates.
        batch: samples a step, drawn with replacement; ``None`` for all of them.
        samples: random operand pairs in the data set.
        optimizer: ``sgd``, ``momentum`` (0.9) or ``adam``.
        loss: ``mse`` on the outputs, or ``bce`` on outputs taken as logits.
        activation: ``relu``, ``leaky:S`` with slope S below 0, or ``tanh``.
        init: ``torch``, the start that PyTorch's ``nn.Linear`` gives.

    Raises:
        OptionError: a setting is out of its range.
    """

    hidden: int = 3
    seed: int = 0
    lr: float = 0.1
    steps: int = 1000
    batch: int | None = None
    samples: int = 1000
    optimizer: str = "sgd"
    loss: str = "mse"
    activation: str = "relu"
    init: str = "torch"

    def __post_init__(self) -> None:
        for name, kinds in _KINDS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, kinds):
                raise _refused(name, repr(value), "a number" if name == "lr" else "a whole number")
        _at_least("hidden", self.hidden, 1)
        _at_least("steps", self.steps, 0)
        _at_least("samples", self.samples, 1)
        if self.batch is not None:
            _at_least("batch", self.batch, 1)
        if not 0 <= self.seed < 1 << 32:
            raise _refused("seed", self.seed, f"a whole number in 0..{(1 << 32) - 1}")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise _refused("lr", self.lr, "a finite number above 0; the notebook's is 0.1")
        if self.lr > LARGEST_LR:
            raise _refused(
                "lr", self.lr, f"a number of at most {LARGEST_LR:g}, the largest of fp32"
            )
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("loss", self.loss, LOSSES)
        _one_of("init", self.init, INITS)
        _ = self.network_activation

    @property
    def network_activation(self) -> Activation:
        """The activation of the hidden units, with the slope as PyTorch applies it in fp32."""
        if self.activation in ("relu", "tanh"):
            return Activation(self.activation)
        found = re.fullmatch(r"leaky:([0-9.eE+-]+)", self.activation)
        try:
            with np.errstate(over="ignore"):  # a slope beyond fp32 is infinite, and refused
                slope = float(np.float32(found[1])) if found else math.nan
        except ValueError:
            slope = math.nan
        if not math.isfinite(slope):
            choices = ", ".join(ACTIVATIONS)
            raise _refused("activation", self.activation, f"one of {choices} (leaky:0.125)")
        return Activation("leaky", slope=slope)

    @property
    def readout(self) -> Readout:
        """The notebook's ``> 0.5``; for logits that is ``> 0``."""
        return Readout("threshold", 0.0 if self.loss == "bce" else 0.5, ">")

    @property
    def is_lecture(self) -> bool:
        """Whether nothing but the seed differs from the notebook."""
        return asdict(self) | {"seed": 0} == asdict(Settings())

    def check_memory(self, task: Task, members: int | None = None) -> None:
        """Raise before memory is taken if the run can't fit.

        Args:
            task: what is to be learned.
            members: how many networks are trained at once; ``None`` for one by itself, which
                looks at samples where a population looks at rows.

        Raises:
            ResourceError: with the estimate.
        """
        batch = self.batch or 0
        draws = self.steps * batch  # all of them are drawn before the first step
        units = self.hidden * (task.n_in + task.n_out + 1) + task.n_out
        rows = task.rows if members is not None else max(self.samples, batch)
        values = 4 * (6 * units + 4 * rows * (self.hidden + task.n_in + task.n_out))
        if members is not None:
            values = members * (values + 2 * draws + 12 * batch * rows)
        values += 8 * draws
        if values > LARGEST_BYTES:
            raise ResourceError(
                f"training would take about {values / 1e9:.3g} GB, over {LARGEST_BYTES >> 30} GB",
                where="train",
                remedy="take fewer hidden units, samples or members, or fewer steps of a batch",
            )

    def record(self, task: Task, path: str) -> dict[str, Any]:
        """Return what a network file keeps: enough to train it again along the same path."""
        import torch

        return {
            "task": task.record,
            **asdict(self),
            "data": "sampled with repetition by the same seed, before the model is made",
            "path": path,
            "momentum": MOMENTUM if self.optimizer == "momentum" else 0.0,
            "versions": {"torch": torch.__version__.partition("+")[0], "numpy": np.__version__},
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Settings:
        """Return the settings in a network file's training record.

        Raises:
            OptionError: the record lacks a setting, or holds one of the wrong type.
        """
        values: dict[str, Any] = {}
        for field in fields(cls):
            if field.name not in record:
                raise OptionError(
                    f"the training record lacks {field.name!r}",
                    where="training",
                    remedy="train the network again",
                )
            value = record[field.name]
            kinds = _KINDS.get(field.name, (str,))
            if isinstance(value, bool) or not isinstance(value, kinds):
                raise OptionError(
                    f"{field.name} is {str(value)[:40]!r}",
                    where="training",
                    remedy="train the network again",
                )
            values[field.name] = value
        return cls(**values)


_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "hidden": (int,),
    "seed": (int,),
    "lr": (int, float),
    "steps": (int,),
    "batch": (int, type(None)),
    "samples": (int,),
}


def _at_least(option: str, value: int, least: int) -> None:
    if value < least:
        raise _refused(option, value, f"a whole number of at least {least}")


def _one_of(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise _refused(option, value, f"one of {', '.join(choices)}")


def _refused(option: str, value: Any, rule: str) -> OptionError:
    return OptionError(f"got {value}", where=f"--{option}", remedy=f"give {rule}")
