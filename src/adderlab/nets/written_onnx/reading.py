"""An ONNX model of ours read back as the network that it was.

Rule: the record is believed only where the graph is the one that would be written for it, node for
node and number for number; any other model is read as every model is (:mod:`adderlab.nets.onnx`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from adderlab import limits
from adderlab.errors import AdderlabError, NetworkFileError
from adderlab.nets.header import parse_json
from adderlab.nets.network import Network
from adderlab.nets.record import Reader, network_from_record
from adderlab.nets.written_onnx.model import KEY, model_of
from adderlab.nets.written_onnx.stored import arrays_of

REMEDY: Final = "export the network again"


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """What a model of ours says that it is.

    Attributes:
        network: by its record, with the numbers that the graph stores.
        about: what else the record says of the graph.
    """

    network: Network
    about: dict[str, Any]


def recorded_in(model: Any, where: str) -> Recorded | None:
    """Return the network that a model's record describes; ``None`` where it has no record.

    Raises:
        NetworkFileError: the record and what the graph stores do not fit together.
    """
    from onnx import numpy_helper

    texts = [entry.value for entry in model.metadata_props if entry.key == KEY]
    if not texts:
        return None
    if len(texts) > 1:
        raise NetworkFileError("it has two records", where=where, remedy=REMEDY)
    about = parse_json(texts[0], "the record", where, REMEDY)
    if not isinstance(about, dict) or not {"record", "kept"} <= set(about):
        raise NetworkFileError("its record has no layers", where=where, remedy=REMEDY)
    record, kept = about.pop("record"), about.pop("kept")
    stored: dict[str, Any] = {}
    for proto in model.graph.initializer:
        limits.check()
        if proto.data_location or len(proto.dims) > 2:
            raise NetworkFileError(f"{proto.name!r} is not ours", where=where, remedy=REMEDY)
        try:
            stored[proto.name] = numpy_helper.to_array(proto)
        except (ValueError, TypeError, KeyError, RuntimeError) as error:
            what = f"the numbers of {proto.name!r} can't be had ({str(error)[:80]})"
            raise NetworkFileError(what, where=where, remedy=REMEDY) from None
    kept = kept if isinstance(kept, dict) else {}
    arrays = arrays_of(record, kept, stored, where)
    return Recorded(network_from_record(record, Reader(arrays, where)), about)


def network_in(model: Any, where: str) -> tuple[Network | None, str]:
    """Return the network that a model of ours is, and what is wrong where it isn't one.

    Both are nothing of a model without a record.
    """
    try:
        recorded = recorded_in(model, where)
        if recorded is None:
            return None, ""
        about = recorded.about
        if set(about) != {"is_raw"}:
            return None, "it is a cell with its wiring"
        written = model_of(recorded.network, is_raw=about["is_raw"] is True)
    except AdderlabError as error:
        return None, error.what
    what = graph_difference(model, written)
    return (None, what) if what else (recorded.network, "")


def graph_difference(model: Any, written: Any) -> str:
    """Return where a model's graph is not the one that is written for its record; else nothing."""
    ours, own = (
        [(entry.domain, entry.version) for entry in each.opset_import] for each in (written, model)
    )
    if ours != own:
        return f"its opset is {own}, and {ours} is written"
    for field, what in (("initializer", "stored numbers"), ("node", "node")):
        pairs = _pairs(getattr(model.graph, field), getattr(written.graph, field))
        for place, (mine, its) in enumerate(pairs):
            if mine != its:
                name = (its or mine).name
                number = "" if field == "initializer" else f" {place}"
                return f"{what}{number} {name!r} {_fault(its, mine)}"
    for field in ("input", "output"):
        kinds = [
            [(value.name, value.type.SerializeToString(deterministic=True)) for value in own]
            for own in (getattr(model.graph, field), getattr(written.graph, field))
        ]
        if kinds[0] != kinds[1]:
            return f"its {field}s are not those that its layers have"
    others = ("sparse_initializer", "quantization_annotation")
    if model.functions or model.training_info or any(len(getattr(model.graph, o)) for o in others):
        return "it holds more than a network"
    return ""


def _pairs(own: Any, written: Any) -> list[tuple[Any, Any]]:
    size = max(len(own), len(written))
    padded = ([*part, *[None] * (size - len(part))] for part in (written, own))
    return list(zip(*padded, strict=True))


def _fault(own: Any, written: Any) -> str:
    if own is None:
        return "is missing"
    return "is one more than its layers have" if written is None else "is not as its layers have it"
