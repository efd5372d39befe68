"""Links of the page: the task and the network in the part of an address after ``#``.

Rule: what is read is what the page shows of the same link, number for number. The page's own
settings (the row, the seed, what is hidden) are the page's to read, in ``page/state.js``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from adderlab.errors import OptionError
from adderlab.exercises import Exercise, exercise_named, exercises
from adderlab.nets import Network
from adderlab.page_data import networks
from adderlab.page_data.schema import MOST_LAYERS, MOST_UNITS
from adderlab.tasks import Task

_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
_RATIO: Final = re.compile(r"([+-]?[0-9]+)/([0-9]+)")
_ACTIVATION: Final = re.compile(r"(relu|identity|tanh|step|leaky)(?:\(([^()]+)\))?")
_READOUT: Final = re.compile(r"(gt|ge)(.+)")
_ADDRESS: Final = re.compile(r"(?:[a-z]+://[^#]*)?#|[a-z]+://[^#]*$")
_FORMAT: Final = re.compile(r"[a-z][a-z0-9-]{0,19}")
_SIGNS: Final = {"gt": ">", "ge": ">="}

OTHER_READOUT: Final = {"kind": "threshold", "threshold": 0.5, "convention": ">"}
"""Of a network for another task than the page began with, unless the link names one."""


@dataclass(frozen=True, slots=True)
class Linked:
    """What a link shows.

    Attributes:
        task: what the network is held against.
        network: the network, meant for the task.
    """

    task: Task
    network: Network


def from_address(text: str) -> str:
    """Return the link in what the page copied: a whole address, or its end from ``#`` on.

    Examples:
        >>> from_address("http://127.0.0.1:8250/x/#row=2"), from_address("#row=2")
        ('row=2', 'row=2')
    """
    text = text.strip()
    match = _ADDRESS.match(text)
    return text[match.end() :] if match else text


def linked(link: str, start: Mapping[str, Any], known: Mapping[str, Task]) -> Linked:
    """Return what the page shows of a link.

    Args:
        link: the part of an address after ``#``.
        start: what a page without a link shows, as ``beginning`` has it.
        known: the page's tasks by name.

    Raises:
        OptionError: the task is not among them or those of exercises, or a part can't be read.
        NetworkError: the link's format does not hold its numbers.
    """
    parts = _parts(link)
    exercise = _exercise(parts["exercise"]) if "exercise" in parts else None
    begun = start["task"]["name"] if exercise is None else exercise.task.name
    name = str(parts.get("task", begun))
    known = {each.task.name: each.task for each in exercises()} | dict(known)
    if name not in known:
        raise _unread("task", f"one of {', '.join(known)}")
    task = known[name]
    network: dict[str, Any]
    if name == begun and exercise is None:
        network = dict(start["network"])
    elif name == begun and exercise is not None and exercise.start is not None:
        network = networks.to_page(exercise.start)
    elif "net" in parts:
        network = {"readout": OTHER_READOUT, "format": "fp32"}
    else:
        where = "exercise" if exercise is not None and name == begun else "task"
        raise _unread(where, f"a link to another {where} has its network too: net=…")
    if "net" in parts:
        network["layers"] = _layers(parts["net"], task)
    if "readout" in parts:
        network["readout"] = _readout(parts["readout"])
    if "format" in parts:
        if not _FORMAT.fullmatch(parts["format"]):
            raise _unread("format", "name a format: format=int4")
        network["format"] = parts["format"]
    return Linked(task, networks.from_page(network).for_task(task))


def _exercise(name: str) -> Exercise:
    try:
        return exercise_named(name)
    except OptionError as error:
        raise _unread("exercise", error.remedy) from None


def _parts(link: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in link.split("&") if part]
    return {name: unquote(value) for name, _, value in pairs}


def _layers(text: str, task: Task) -> list[dict[str, Any]]:
    layers = [_layer(part) for part in text.split("~")]
    width = task.n_in
    for layer in layers:
        weight = layer["weight"]
        if len(weight) > MOST_UNITS or any(len(row) != width for row in weight):
            raise _unfit(task)
        width = len(weight)
    if width != task.n_out or len(layers) > MOST_LAYERS:
        raise _unfit(task)
    return layers


def _layer(text: str) -> dict[str, Any]:
    """Return a layer: ``relu:1,1!-1.5;1,0!0`` are two units, each with its bias after ``!``.

    ``*0.5,0.25`` behind them are what the weights and the biases, then whole numbers, are
    multiplied with; one of them may be left out.
    """
    text, star, scales = text.partition("*")
    head, colon, body = text.partition(":")
    match = _ACTIVATION.fullmatch(head)
    if match is None or not colon:
        raise _unread("net", "a layer begins with its activation: relu:1,1!-1.5")
    kind, option = match.groups()
    layer: dict[str, Any] = {"activation": kind}
    if kind == "leaky" and option:
        layer["slope"] = _number(option, "net")
    elif kind == "step" and option in _SIGNS:
        layer["convention"] = _SIGNS[option]
    elif kind in ("leaky", "step") or option:
        raise _unread("net", "leaky has its slope, step gt or ge: leaky(0.125), step(gt)")
    units = [unit.split("!") for unit in body.split(";")]
    sizes = {len(unit) for unit in units}
    if sizes not in ({1}, {2}):
        raise _unread("net", "each unit of a layer has a bias, or none has: 1,1!-1.5;1,0!0")
    weight = [[_number(value, "net") for value in row.split(",")] for row, *_ in units]
    bias = [_number(unit[1], "net") for unit in units] if sizes == {2} else None
    return {**layer, "weight": weight, "bias": bias} | (
        _scaled(weight, bias, scales) if star else {}
    )


def _scaled(weight: list[list[float]], bias: list[float] | None, text: str) -> dict[str, Any]:
    """Return the numbers of a layer with scales: ``0.5,0.25``, ``0.5`` or ``,0.25``."""
    texts = text.split(",")
    scales = [_number(each, "net") if each else None for each in texts]
    is_known = scales != [None] and all(scale is None or scale > 0 for scale in scales)
    if len(texts) > (1 if bias is None else 2) or not is_known or texts[1:] == [""]:
        raise _unread(
            "net", "scales above 0, of the weights and of the biases: relu:1,1!-3*0.5,0.25"
        )
    by_weight, by_bias = (*scales, None)[:2]
    entries: dict[str, Any] = {}
    if by_weight is not None:
        weight = [[value * by_weight for value in row] for row in weight]
        entries = {"weight": weight, "weight_scale": by_weight}
    if by_bias is not None and bias is not None:
        entries |= {"bias": [value * by_bias for value in bias], "bias_scale": by_bias}
    return entries


def _readout(text: str) -> dict[str, Any]:
    if text == "exact":
        return {"kind": "exact"}
    match = _READOUT.fullmatch(text)
    if match is None:
        raise _unread("readout", "exact, or a threshold: gt0.5, ge1")
    sign, number = match.groups()
    return {
        "kind": "threshold",
        "threshold": _number(number, "readout"),
        "convention": _SIGNS[sign],
    }


def _number(text: str, part: str) -> float:
    """Return a finite number as the page reads one: ``-1.5``, ``1,5``, ``1e-3`` or ``1/3``."""
    plain = text.strip().replace("\N{MINUS SIGN}", "-", 1).replace(",", ".", 1)
    ratio = _RATIO.fullmatch(plain)
    if _NUMBER.fullmatch(plain):
        value = float(plain)
    elif ratio and float(ratio[2]):
        value = float(ratio[1]) / float(ratio[2])
    else:
        raise _unread(part, f"{text[:40]!r} is no number")
    if not math.isfinite(value):
        raise _unread(part, f"{text[:40]} is beyond the largest double")
    return value


def _unfit(task: Task) -> OptionError:
    return _unread(
        "net", f"a chain from the {task.n_in} inputs to the {task.n_out} outputs of {task.name}"
    )


def _unread(part: str, remedy: str) -> OptionError:
    return OptionError(f"its {part} can't be read", where="link", remedy=remedy)
