"""The settings of a training run, validated; the defaults are the training notebook's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from importlib import metadata
from inspect import signature
from typing import Any, Final, Literal, TypedDict

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.checking import MOST_BITS, described
from adderlab.errors import NetworkError, OptionError, ResourceError
from adderlab.nets import Activation, Readout
from adderlab.nets.activations import RULES, activation_named
from adderlab.nets.layout import Layout
from adderlab.tasks import Task
from adderlab.training.estimate import MODULE_BYTES, check_bytes, check_time, products

OPTIMIZERS: Final = ("sgd", "momentum", "adam")
LOSSES: Final = ("mse", "bce")
INITS: Final = ("torch", "he", "xavier")
DATA: Final = ("samples", "table")
ACTIVATIONS: Final = tuple(
    kind
    for kind, rule in RULES.items()
    if not rule.is_flat and kind not in ("identity", "logit", "prelu", "quotient")
)
"""Those that are no straight line, pass a gradient and have no parameters of their own."""
MOMENTUM: Final = 0.9
LARGEST: Final = float(np.finfo(np.float32).max)
SMALLEST: Final = float(np.finfo(np.float32).smallest_subnormal)
LARGEST_ROWS: Final = 1 << 12
ADAM_BETAS: Final = (0.9, 0.999)
ADAM_EPSILON: Final = 1e-8
MEMBERS: Final = 1 << 63
"""Members are numbered below this, so that a number fits every table's signed 64 bits."""

DRAWN: Final = "sampled with repetition by the same seed, before the model is made"
DRAWN_BY_MEMBER: Final = "sampled with repetition by seed and member (Philox4x32-10)"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a training run; the defaults are the training notebook's.

    Attributes:
        hidden: hidden units, or a tuple with those of each hidden layer.
        seed: as given to ``torch.manual_seed`` before the data are drawn and the model is made.
        member: which member of the population of this seed it is: then start, data and batches
            are drawn from (seed, member) by :mod:`adderlab.training.draws`; ``None`` for the
            notebook's own draws.
        lr: learning rate.
        steps: updates.
        batch: samples a step, drawn with replacement; ``None`` for all of them.
        data: ``samples``, random rows, or ``table``, every row of the task once.
        samples: random operand pairs in the data set, where the data are samples.
        optimizer: ``sgd``, ``momentum`` or ``adam``.
        momentum: of the optimizer ``momentum``.
        weight_decay: this times a parameter is added to its gradient, as in PyTorch.
        loss: ``mse`` on the outputs, or ``bce`` on outputs taken as logits.
        activation: ``relu``, ``leaky:S`` with slope S below 0, ``tanh``, or any other that passes a
            gradient, with its options after a colon; kernels know these three alone.
        init: ``torch``, the start that PyTorch's ``nn.Linear`` gives, everything uniform within
            1/sqrt(n_in) of 0; ``he``, weights uniform within sqrt(6/n_in), or ``xavier``, within
            sqrt(6/(n_in + n_out)), both with biases of 0.
        init_scale: a factor on everything that was drawn for the start.
        stop_margin: training ends at the first check (every 10 steps) that finds every row right
            by more than this; ``None`` to make all the steps.

    Raises:
        OptionError: a setting is out of its range.

    References:
        He, Zhang, Ren, Sun, "Delving deep into rectifiers" (2015), equation 10;
        Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural
        networks" (2010), equation 16.
    """

    hidden: int | tuple[int, ...] = 3
    seed: int = 0
    lr: float = 0.1
    steps: int = 1000
    batch: int | None = None
    samples: int = 1000
    optimizer: str = "sgd"
    loss: str = "mse"
    activation: str = "relu"
    init: str = "torch"
    member: int | None = None
    data: str = "samples"
    momentum: float = MOMENTUM
    weight_decay: float = 0.0
    init_scale: float = 1.0
    stop_margin: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.hidden, list):  # as JSON brings it
            object.__setattr__(self, "hidden", tuple(self.hidden))
        for name, kinds in _KINDS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, kinds):
                rule = "a number" if float in kinds else "a whole number"
                raise _refused(name, described(value), "text" if str in kinds else rule)
            if isinstance(value, int) and value.bit_length() > MOST_BITS:
                raise _refused(name, described(value), "a smaller number")
        self._check_widths()
        _at_least("steps", self.steps, 0)
        _at_least("samples", self.samples, 1)
        if self.batch is not None:
            _at_least("batch", self.batch, 1)
            if self.data == "samples":
                _check_batch(self.batch, self.samples, "samples", ", or more `samples`")
        for name, end in (("seed", 1 << 32), ("member", MEMBERS)):
            value = getattr(self, name)
            if value is not None and not 0 <= value < end:
                raise _refused(name, value, f"a whole number in 0..{end - 1}")
        _within("lr", self.lr, above=0, rule="a finite number above 0; the notebook's is 0.1")
        _within("init_scale", self.init_scale, above=0, rule="a finite number above 0")
        _within("weight_decay", self.weight_decay, rule="a finite number of at least 0")
        _within("momentum", self.momentum, below=1, rule="a number from 0 to below 1")
        if self.stop_margin is not None:
            _within("stop_margin", self.stop_margin, rule="a finite number of at least 0")
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("loss", self.loss, LOSSES)
        _one_of("init", self.init, INITS)
        _one_of("data", self.data, DATA)
        _ = self.network_activation
        if self.momentum != MOMENTUM and self.optimizer != "momentum":
            raise OptionError(
                f"got {self.momentum:g}, but the optimizer is {self.optimizer}",
                where="momentum",
                remedy="set `optimizer` to momentum",
            )

    def _check_widths(self) -> None:
        widths = self.widths
        if not widths or any(isinstance(w, bool) or not isinstance(w, int) for w in widths):
            what = repr(self.hidden) if not widths else described(self.hidden)
            raise _refused("hidden", what, "a whole number, or one for each layer")
        for width in widths:
            if width.bit_length() > MOST_BITS:
                raise _refused("hidden", described(width), "a smaller number")
            _at_least("hidden", width, 1)
        if (
            isinstance(self.hidden, tuple) and len(widths) == 1
        ):  # a single layer has a single spelling
            object.__setattr__(self, "hidden", widths[0])

    @property
    def widths(self) -> tuple[int, ...]:
        """The units of each hidden layer."""
        return self.hidden if isinstance(self.hidden, tuple) else (self.hidden,)

    def sizes(self, task: Task) -> tuple[int, ...]:
        """The values in each layer, from the task's input bits to its output bits."""
        return (task.n_in, *self.widths, task.n_out)

    def parameters(self, task: Task) -> int:
        """Weights and biases of a network for ``task``."""
        return Layout(self.sizes(task)).parameters

    @property
    def network_activation(self) -> Activation:
        """The activation of the hidden units, with its constants as PyTorch has them in fp32."""
        kind = self.activation.partition(":")[0].strip()
        if kind not in ACTIVATIONS:
            choices = ", ".join(ACTIVATIONS)
            raise _refused("activation", self.activation, f"one of {choices} (leaky:0.125)")
        try:
            activation = activation_named(self.activation)
            with np.errstate(over="ignore"):  # a constant beyond fp32 is infinite, and refused
                activation = activation.with_constants(lambda value: float(np.float32(value)))
        except NetworkError as error:
            what = f"got {self.activation[:40]}: {error.what}"
            raise OptionError(what, where="activation", remedy=error.remedy) from None
        if kind == "leaky" and ":" not in self.activation:
            raise _refused("activation", self.activation, "a slope, as in leaky:0.125")
        if not activation.has_gradient:
            raise _refused("activation", self.activation, "one that passes a gradient")
        return activation

    @property
    def readout(self) -> Readout:
        """The notebook's ``> 0.5``; for logits that is ``> 0``."""
        return Readout("threshold", 0.0 if self.loss == "bce" else 0.5, ">")

    @property
    def is_lecture(self) -> bool:
        """Whether nothing but the seed differs from the notebook."""
        return asdict(self) | {"seed": 0} == asdict(Settings())

    def check_memory(self, task: Task) -> None:
        """Raise before memory is taken if training one network by itself can't fit.

        Args:
            task: what is to be learned.

        Raises:
            ResourceError: with the estimate.
        """
        batch = self.batch or 0
        draws = self.steps * batch  # all of them are drawn before the first step
        units = self.parameters(task)
        rows = max(self.samples if self.data == "samples" else task.rows, batch)
        values = 4 * (6 * units + 4 * rows * sum(self.sizes(task)))
        check_bytes(values + 8 * draws + MODULE_BYTES * len(self.widths))

    def check_time(self, task: Task, networks: int | None = None) -> None:
        """Raise before the first step if nobody could wait for the last.

        Args:
            task: what is to be learned.
            networks: how many are trained as a population; ``None`` for one by itself.

        Raises:
            ResourceError: with the estimate.
        """
        samples = self.samples if self.data == "samples" else task.rows
        rows = self.batch or (samples if networks is None else task.rows)
        work = self.steps * products(self.parameters(task), rows) + samples
        loop_steps = self.steps * (len(self.widths) + 1) if networks is None else 0
        check_time(work * (networks or 1), loop_steps)

    def record(self, task: Task, path: str) -> dict[str, Any]:
        """Return what a network file keeps: enough to train it again along the same path."""
        settings = asdict(self)
        if isinstance(self.hidden, tuple):
            settings["hidden"] = list(self.hidden)
        drawn = DRAWN if self.member is None else DRAWN_BY_MEMBER
        engines = ("torch", "numba") if path.startswith("numba") else ("torch",)
        versions: dict[str, str] = {}
        for name in engines:
            with suppress(metadata.PackageNotFoundError):  # kernels train without torch
                versions[name] = metadata.version(name).partition("+")[0]
        versions["numpy"] = np.__version__
        return {
            "task": task.record,
            **settings,
            "data": drawn if self.data == "samples" else self.data,
            "path": path,
            "momentum": self.momentum if self.optimizer == "momentum" else 0.0,
            "versions": versions,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Settings:
        """Return the settings in a network file's training record.

        Raises:
            OptionError: the record lacks a setting, or holds one of the wrong type.
        """
        entries = dict(record)
        entries["data"] = "table" if entries.get("data") == "table" else "samples"
        if entries.get("optimizer") != "momentum":
            entries["momentum"] = MOMENTUM  # the record's 0 says that there was none
        values: dict[str, Any] = {}
        for field in fields(cls):
            if field.name not in entries:
                raise OptionError(
                    f"the training record lacks {field.name!r}",
                    where="training",
                    remedy="train the network again",
                )
            value = entries[field.name]
            kinds = (*_KINDS.get(field.name, (str,)), *((list,) if field.name == "hidden" else ()))
            if isinstance(value, bool) or not isinstance(value, kinds):
                raise OptionError(
                    f"the training record's {field.name} is {str(value)[:40]!r}",
                    where="training",
                    remedy="train the network again",
                )
            values[field.name] = value
        return cls(**values)


class MapOptions(TypedDict, total=False):
    """The keywords of a training run that the pixels of a map share; all may be left out.

    Each is the field of that name of :class:`Settings`.
    """

    hidden: int | tuple[int, ...]
    seed: int
    lr: float
    steps: int
    batch: int | None
    samples: int
    optimizer: Literal["sgd", "momentum", "adam"]
    loss: Literal["mse", "bce"]
    activation: str
    init: Literal["torch", "he", "xavier"]
    data: Literal["samples", "table"]
    momentum: float
    weight_decay: float
    init_scale: float
    stop_margin: float | None


class TrainingOptions(MapOptions, total=False):
    """The keywords of a training run: the fields of :class:`Settings`; all may be left out."""

    member: int | None


OTHER_NAMES: Final = {
    "batch_size": "batch",
    "criterion": "loss",
    "epochs": "steps",
    "hidden_dim": "hidden",
    "hidden_size": "hidden",
    "iterations": "steps",
    "learning_rate": "lr",
    "random_state": "seed",
}
"""Settings that other libraries call otherwise."""


def make_settings(
    verb: str = "train", arguments: Iterable[str] = (), /, **settings: Any
) -> Settings:
    """Return settings from keywords, refusing unknown ones with the nearest that there is.

    Args:
        verb: whose keywords they are.
        arguments: its other keywords, of which one may have been meant.
        **settings: fields of :class:`Settings`.

    Raises:
        OptionError: there is no setting of that name, or it is out of its range.
    """
    known = (*Settings.__dataclass_fields__, *arguments)
    unknown = next((name for name in settings if name not in Settings.__dataclass_fields__), None)
    if unknown is None:
        return Settings(**settings)
    near = [OTHER_NAMES[unknown]] if unknown in OTHER_NAMES else get_close_matches(unknown, known)
    remedy = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
    raise OptionError(f"unknown setting {unknown!r}", where=verb, remedy=remedy)


def keywords_of(verb: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's own keywords."""
    parameters = signature(verb).parameters.values()
    return tuple(entry.name for entry in parameters if entry.kind is entry.KEYWORD_ONLY)


def settings_text(settings: Settings) -> str:
    """Return the settings in one line; those that are seldom changed only where they were."""
    usual = asdict(Settings())
    always = {"hidden", "seed", "lr", "steps", "batch", "samples", "optimizer", "loss"}
    always |= {"activation", "init"}
    return ", ".join(
        f"{name.replace('_', ' ')} {_plain(value)}"
        for name, value in asdict(settings).items()
        if name in always or value != usual[name]
    )


def options_text(settings: Settings) -> str:
    """Return the options of ``adderlab train`` for what differs from the notebook, but the seed."""
    usual = asdict(Settings()) | {"seed": settings.seed, "member": settings.member}
    return "".join(
        f" --{name.replace('_', '-')} {_plain(value)}"
        for name, value in asdict(settings).items()
        if value != usual[name]
    )


def _plain(value: Any) -> str:
    if value is None:
        return "full"
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "hidden": (int, tuple),
    "seed": (int,),
    "member": (int, type(None)),
    "lr": (int, float),
    "steps": (int,),
    "batch": (int, type(None)),
    "samples": (int,),
    "momentum": (int, float),
    "weight_decay": (int, float),
    "init_scale": (int, float),
    "stop_margin": (int, float, type(None)),
    **dict.fromkeys(("optimizer", "loss", "activation", "init", "data"), (str,)),
}


def check_batch(task: Task, settings: Settings) -> None:
    """Refuse a batch of more rows than the table has; of samples, the settings refuse it.

    Raises:
        OptionError: with both numbers.
    """
    if settings.batch is not None and settings.data == "table":
        _check_batch(settings.batch, task.rows, f"rows of {task.name}")


def check_rows(task: Task, where: str) -> None:
    """Refuse a task of more rows than a population takes.

    Raises:
        ResourceError: with both numbers.
    """
    if task.rows > LARGEST_ROWS:
        raise ResourceError(
            f"{task.name} has {counted(task.rows, 'row')}, a population takes at most "
            f"{LARGEST_ROWS}",
            where=where,
            remedy="train one network, or take a narrower task",
        )


def _check_batch(batch: int, most: int, what: str, more: str = "") -> None:
    if batch > most:
        raise OptionError(
            f"got {batch}, more than the {most} {what}",
            where="batch",
            remedy=f"give at most {most}{more}",
        )


def _at_least(option: str, value: int, least: int) -> None:
    if value < least:
        raise _refused(option, value, f"a whole number of at least {least}")


def _within(
    option: str, value: float, *, above: float = -math.inf, below: float = math.inf, rule: str
) -> None:
    """Refuse what is not finite, below 0, not ``above`` or not ``below``, or beyond fp32."""
    if not (math.isfinite(value) and value >= 0 and above < value < below):
        raise _refused(option, value, rule)
    if value > LARGEST:
        raise _refused(option, value, f"a number of at most {LARGEST:g}, the largest of fp32")
    if above == 0 and not np.float32(value):
        raise _refused(option, value, f"a number of at least {SMALLEST:.2g}, the smallest of fp32")


def _one_of(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise _refused(option, value, f"one of {', '.join(choices)}")


def _refused(option: str, value: Any, rule: str) -> OptionError:
    return OptionError(f"got {value}", where=option, remedy=f"give {rule}")
