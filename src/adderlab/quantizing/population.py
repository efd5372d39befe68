"""Of many trained networks that are right, the share that survives each format and method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.errors import NetworkError, OptionError
from adderlab.formats import Format, format_named
from adderlab.nets import Activation
from adderlab.nets.readout import ReadoutLike, readout_of
from adderlab.quantizing.fine_tune import tuned
from adderlab.quantizing.methods import METHODS
from adderlab.quantizing.rounding import choose_around, grids_for
from adderlab.quantizing.rows import Arrays, Rows, Shape, rows_of, wrong_rows
from adderlab.quantizing.scheme import PLAIN, Scheme
from adderlab.quantizing.snap import snap_arrays
from adderlab.tasks import TaskLike, as_task

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

SURVEYED: Final = ("fp16", "fp8-e4m3", "int8", "int6", "int4", "int3", "int2", "ternary", "binary")
SEARCH_LIMIT: Final = 100_000
SNAP_LIMIT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Survival:
    """How many of the networks that were right are right in a format.

    Attributes:
        format: its name.
        method: how they were put into it.
        right: how many are right there.
        of: how many were tried.
        unsettled: how many searches were given up at their limit.
    """

    format: str
    method: str
    right: int
    of: int
    unsettled: int = 0

    @property
    def share(self) -> float:
        """The share that survives."""
        return self.right / self.of if self.of else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return format, method, ``right`` ``of`` how many, their ``share``, and ``unsettled``."""
        return {
            "format": self.format,
            "method": self.method,
            "right": self.right,
            "of": self.of,
            "share": self.share,
            "unsettled": self.unsettled,
        }


def survival(
    arrays: Sequence[Float[np.ndarray, "member ..."]],
    task: TaskLike,
    *,
    activation: Activation | None = None,
    readout: ReadoutLike | None = None,
    formats: Sequence[str] = SURVEYED,
    methods: Sequence[str] = METHODS,
    searched: int = 40,
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> tuple[Survival, ...]:
    """Return the share of trained networks that survives each format and method.

    Rounding to nearest and fine-tuning are done for all of them at once; a search is done for
    each of the first ``searched`` networks.

    Args:
        arrays: ``fc1.weight, fc1.bias, fc2.weight, fc2.bias`` and so on, the member first.
        task: what they were trained for, or its name.
        activation: of the hidden layers; relu unless given.
        readout: how outputs become bits: a number, text such as ``>= 0.5``, ``exact``;
            ``> 0.5`` unless given.
        formats: names of formats.
        methods: names of methods.
        searched: the number of networks that are searched.
        on_progress: called with the format and method, and the fraction of the work done.

    Raises:
        NetworkError: the arrays are no pairs of weights and biases, none of them is right, or the
            readout is none.
        FormatError: there is no such format.
        OptionError: there is no such method.
        TaskError: there is no such task.
        ResourceError: the task has too many rows.
    """
    rows = rows_of(as_task(task))
    plans = _plans(formats, methods)
    if not arrays or len(arrays) % 2:
        raise NetworkError(
            f"{len(arrays)} arrays", where="arrays", remedy="give fc1.weight, fc1.bias, and so on"
        )
    every = Arrays(
        tuple(np.asarray(array, dtype=np.float64) for array in arrays[::2]),
        tuple(np.asarray(array, dtype=np.float64) for array in arrays[1::2]),
    )
    depth = len(every.weights)
    hidden = activation or Activation("relu")
    shape = Shape((hidden,) * (depth - 1) + (Activation(),), readout_of(readout), (True,) * depth)
    wrong, _ = wrong_rows(every, shape, rows)
    right = every.take(wrong == 0)
    if not len(right):
        raise NetworkError(
            "none of the networks is right before it is quantized",
            where="arrays",
            remedy="train more of them",
        )
    survivals: list[Survival] = []
    for number, (form, method) in enumerate(plans):
        on_progress(f"{form.name}, {method}", number / len(plans))
        survivals.append(_survival(right, shape, rows, form, method, searched))
    return tuple(survivals)


def _plans(formats: Sequence[str], methods: Sequence[str]) -> list[tuple[Format, str]]:
    """Return each format with each method that means something in it."""
    for method in methods:
        if method not in METHODS:
            remedy = f"give names of {', '.join(METHODS)}"
            raise OptionError(f"got {method!r}", where="methods", remedy=remedy)
    return [
        (form, method)
        for form in map(format_named, formats)
        for method in methods
        # in one bit a search around a network covers every network, so survival means nothing
        if method != "snap" or (form.kind == "integer" and form.name != "binary")
    ]


def _survival(
    right: Arrays, shape: Shape, rows: Rows, form: Format, method: str, searched: int
) -> Survival:
    scheme = PLAIN if form.kind == "float" else Scheme("free")
    if method == "nearest":
        return Survival(
            form.name, method, int(_nearest(right, shape, rows, form, scheme).sum()), len(right)
        )
    if method == "fine-tune":
        is_near = _nearest(right, shape, rows, form, scheme)  # the start of the training counts
        survivors = int(is_near.sum())
        if not is_near.all():
            q, grids = tuned(right.take(~is_near), shape, rows, form, scheme)
            wrong, _ = wrong_rows(grids.values(q), shape, rows)
            survivors += int((wrong == 0).sum())
        return Survival(form.name, method, survivors, len(right))
    few = right.take(slice(0, searched))
    survivors = unsettled = 0
    is_near = _nearest(few, shape, rows, form, scheme)
    for member in range(len(few)):
        own = few.take(slice(member, member + 1))
        if method == "snap":
            _, is_found = snap_arrays(own, shape, rows, form, limit=SNAP_LIMIT)
            is_complete = False
        elif is_near[member]:  # nearest is one of the choices of up and down
            is_found, is_complete = True, True
        else:
            grids = grids_for(own, form, scheme)
            _, is_complete, is_found = choose_around(
                own, grids, grids.nearest(own), shape, rows, limit=SEARCH_LIMIT, best=False
            )
        survivors += is_found
        unsettled += not is_found and not is_complete
    return Survival(form.name, method, survivors, len(few), unsettled)


def _nearest(
    arrays: Arrays, shape: Shape, rows: Rows, form: Format, scheme: Scheme
) -> Bool[np.ndarray, " member"]:
    """Return which of the networks are right when rounded to nearest."""
    grids = grids_for(arrays, form, scheme)
    wrong, _ = wrong_rows(grids.values(grids.nearest(arrays)), shape, rows)
    return wrong == 0
