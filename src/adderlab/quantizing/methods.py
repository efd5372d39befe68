"""The methods by name: each makes a network of a format out of a network, unjudged."""

from __future__ import annotations

from typing import Final

from adderlab.errors import OptionError
from adderlab.formats import Format
from adderlab.limits import within
from adderlab.nets import Network
from adderlab.nets.tensors import values_in
from adderlab.quantizing.clock import NO_LIMIT, Clock
from adderlab.quantizing.fine_tune import fine_tune
from adderlab.quantizing.rounding import SEARCH_LIMIT, Rounded, round_exactly, round_to_nearest
from adderlab.quantizing.rows import rows_of
from adderlab.quantizing.scheme import PLAIN, Scheme
from adderlab.quantizing.snap import LIMIT_OUTPUT, snap
from adderlab.tasks import Task

METHODS: Final = ("nearest", "exact", "snap", "fine-tune")
"""From the cheapest to the one that takes longest."""

LEAST_S: Final = 0.5
"""What rounding to nearest may take where the time is up: it is what is kept then."""

WORDS: Final = {
    "nearest": "every parameter to its nearest level",
    "exact": "every parameter up or down, so that all rows stay right",
    "snap": "units rescaled, then whole numbers without a scale",
    "fine-tune": "trained on, with straight-through gradients",
}


def default_scheme(net: Network, form: Format) -> Scheme:
    """Return no scale where the format is a float or holds the values exactly; else one.

    A float format has its own exponents; whole numbers need a scale to be anything but whole.
    """
    if form.kind == "float":
        return PLAIN
    is_held = all(form.holds(value) for _, tensor in net.tensors() for value in values_in(tensor))
    return PLAIN if is_held else Scheme("free")


def fits(method: str, net: Network, form: Format) -> bool:
    """Return whether a method makes sense for a network and a format at all."""
    if method != "nearest" and not net.is_chain:
        return False
    if method == "snap":
        return form.kind == "integer"
    if method == "fine-tune":
        return all(layer.activation.has_gradient for layer in net.layers)
    return True


def rounded(
    net: Network,
    task: Task,
    form: Format,
    *,
    method: str = "nearest",
    scheme: Scheme | None = None,
    limit: int | None = None,
    clock: Clock = NO_LIMIT,
) -> Rounded:
    """Return the network in a format, made by a method, unjudged.

    Args:
        net: any network.
        task: what it has to compute; all its rows are what a search and a training look at.
        form: the format.
        method: a name of :data:`METHODS`.
        scheme: scales and zeros; :func:`default_scheme` unless given.
        limit: branches after which a search is given up.
        clock: when the method ends with the best so far, and who is told how far it is.

    Raises:
        OptionError: no such method, or the network has a step and is to be fine-tuned.
        FormatError: the scheme or the method makes no sense in the format.
        ResourceError: the task or the network is too large for the method.
        CapReached: a limit is reached before there is anything to keep.
    """
    if method not in METHODS:
        raise OptionError(
            f"got {method[:40]!r}", where="method", remedy=f"give one of {', '.join(METHODS)}"
        )
    if method == "snap" and scheme is not None and scheme != PLAIN:
        raise OptionError(
            "snap makes whole numbers without a scale", where="scale", remedy="leave it out"
        )
    with within(clock.budget.at_least(LEAST_S)):
        own = scheme or default_scheme(net, form)
        own.check(form)
        if method == "nearest":
            return round_to_nearest(net, form, own)
    rows = rows_of(task)
    if method == "exact":
        return round_exactly(net, form, own, rows, limit=limit or SEARCH_LIMIT, clock=clock)
    if method == "snap":
        return snap(net, form, rows, limit=limit or LIMIT_OUTPUT, clock=clock)
    return fine_tune(net, form, own, rows, clock=clock)
