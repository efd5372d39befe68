"""Whether modules that were written compute what their networks compute.

Rule: the file is run by its path in a Python of its own, which has PyTorch and nothing of ours
until every module was run. Raw outputs must lie within the proved bound on every order of summation
around the network's; what adderlab's reader makes of the module must be the network.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import adderlab.exporting
from adderlab.exporting.comparison import Comparison, Fact
from adderlab.exporting.networks import network_difference
from adderlab.exporting.programs import run_program
from adderlab.exporting.rows import Rows, row_text, rows_to_compare
from adderlab.exporting.subject import Paths, Subject
from adderlab.exporting.torch_layers import computing_format, is_coded
from adderlab.exporting.torch_source import class_name
from adderlab.formats import FORMATS
from adderlab.nets import Activation, Layer, Network
from adderlab.nets.enclosure import Machine
from adderlab.nets.evaluation import evaluate
from adderlab.nets.files import from_bytes
from adderlab.nets.quantized_arithmetic import float_format_of, with_scales_as_layers
from adderlab.nets.readout import NO_BIT, read_states
from adderlab.nets.tensors import FLOAT_DTYPES, Dense, Scaled
from adderlab.nets.wiring import layer_number
from adderlab.packages import is_installed

if TYPE_CHECKING:
    from jaxtyping import Float64

USUAL: Final = (
    *(Activation(kind) for kind in ("relu", "relu6", "step")),
    Activation("step", convention=">="),
)
"""Activations that others are, by their options: a clamp from 0 on is relu."""

SCRIPT: Final = Path(__file__).with_name("run_torch.py")
REMEDY: Final = "pip install torch"
PATIENCE_S: Final = 300.0
BLOCK_ROWS: Final = 1 << 14


def compare_torch(files: Paths, subject: Subject) -> Comparison:
    """Return whether a file that was written computes what its network computes."""
    return compare_modules([(files[""], subject)])[0]


def compare_modules(modules: Sequence[tuple[Path, Subject]]) -> list[Comparison]:
    """Return it of several files, which are run one after another by one Python."""
    if not is_installed("torch"):
        return [Comparison(None, reason=f"nothing here runs it; {REMEDY}")] * len(modules)
    with tempfile.TemporaryDirectory(prefix="adderlab-") as name:
        folder = Path(name)
        rows = [rows_to_compare(subject.task) for _, subject in modules]
        entries: list[dict[str, str]] = []
        for number, ((path, subject), own) in enumerate(zip(modules, rows, strict=True)):
            out = folder / str(number)
            out.mkdir()
            blocks = list(own.blocks(BLOCK_ROWS))
            np.save(out / "rows.npy", np.concatenate(blocks), allow_pickle=False)
            entries.append(
                {
                    "file": str(path.absolute()),
                    "class": class_name(subject.name),
                    "rows": str(out / "rows.npy"),
                    "out": str(out),
                }
            )
        job = folder / "job.json"
        _ = job.write_text(json.dumps({"modules": entries, **_folders()}), encoding="utf-8")
        words = (sys.executable, "-I", "-B", SCRIPT, job)  # -B: no __pycache__ beside the file
        ran = run_program(words, folder=folder, patience_s=PATIENCE_S)
        if ran is None or ran.code:
            reason = "it did not end in time" if ran is None else ran.error or "it fails"
            return [Comparison(False, by="PyTorch", reason=reason)] * len(modules)
        return [
            _Check(subject, own, Path(entry["out"])).comparison()
            for (_, subject), own, entry in zip(modules, rows, entries, strict=True)
        ]


def _folders() -> dict[str, list[str]]:
    """Return the folders of packages: ours, which comes first, and all that this Python has."""
    first = str(Path(adderlab.exporting.__file__).parents[2])
    specs = (find_spec(name) for name in ("torch", "numpy"))
    homes = [str(Path(spec.origin).parents[1]) for spec in specs if spec and spec.origin]
    others = [p for p in sys.path if p.endswith(("site-packages", "dist-packages"))]
    return {"folders": [*homes, *others], "first": [first]}


@dataclass(frozen=True, slots=True)
class _Check:
    """What a module gave, beside its network."""

    subject: Subject
    rows: Rows
    folder: Path

    def comparison(self) -> Comparison:
        """Return whether both are the same."""
        result = json.loads((self.folder / "result.json").read_text(encoding="utf-8"))
        by = f"PyTorch {_version()}"
        if "error" in result and not (self.folder / "forward.npy").is_file():
            return Comparison(False, 0, by, f"it fails: {result['error']}")
        raw, read_out = (
            np.load(self.folder / f"{name}.npy", allow_pickle=False)
            for name in ("outputs", "forward")
        )
        net = self.subject.network
        if raw.shape != (self.rows.count, net.n_out) or read_out.shape != raw.shape:
            reason = f"it gives outputs of shape {list(read_out.shape)}"
            return Comparison(False, 0, by, reason, self.rows.scope)
        with np.load(self.folder / "state.npz", allow_pickle=False) as state:
            what = _state_difference(state, net)
        if what:
            return Comparison(False, self.rows.count, by, what, self.rows.scope)
        at, what = self._first_difference(raw, read_out)
        if what:
            return Comparison(False, at + 1, by, what, self.rows.scope)
        if "error" in result:
            return Comparison(False, self.rows.count, by, result["error"], self.rows.scope)
        read = from_bytes((self.folder / "read.safetensors").read_bytes())
        what = self._read_difference(read)
        facts = self._facts(raw)
        equal = not what
        return Comparison(equal, self.rows.count, by, what, self.rows.scope, facts if equal else ())

    def _first_difference(
        self, raw: Float64[np.ndarray, "rows n_out"], read_out: Float64[np.ndarray, "rows n_out"]
    ) -> tuple[int, str]:
        """Return the first row on which outputs are not the network's, and how."""
        net = self.subject.network
        reference = as_computed(net)
        runs = Machine.can_run(reference)
        machine = Machine(reference, FORMATS[reference.format], library=True) if runs else None
        is_proved = self.subject.origin.verdict == "proved"
        start = 0
        for block in self.rows.blocks(BLOCK_ROWS):
            own, bits = raw[start : start + len(block)], read_out[start : start + len(block)]
            wrong = np.zeros(own.shape, dtype=bool)
            if machine is not None:
                enclosure = machine.enclose(block)
                with np.errstate(invalid="ignore"):
                    is_within = np.abs(own - enclosure.values) <= enclosure.errors * (1 + 2.0**-20)
                wrong |= ~is_within & np.isfinite(enclosure.errors)
            if net.readout.kind == "exact":
                wrong |= (bits != own) & ~np.isnan(own)
            else:
                wrong |= bits != read_states(net.readout, own)
            if is_proved or machine is None:
                states = read_states(net.readout, *evaluate(net, block))
                wrong |= (read_states(net.readout, own) != states) & (states < NO_BIT)
            if wrong.any():
                at = int(np.argmax(wrong.any(axis=1)))
                numbers = ", ".join(f"{value:g}" for value in bits[at].tolist())
                words = row_text(self.subject.task, block[at])
                return start + at, f"it gives {numbers} for {words}"
            start += len(block)
        return start, ""

    def _read_difference(self, read: Network) -> str:
        """Return in what the network that was read back is another."""
        net = replace(self.subject.network, task=self.subject.task, training=None)
        if self.subject.task.record is None:
            read = replace(read, task=net.task)
        what = network_difference(plainly(read), plainly(net))
        if not what:
            return ""
        return "" if self._computes_the_same(read, net) else f"read back, {what}"

    def _computes_the_same(self, read: Network, net: Network) -> bool:
        """Return whether a network that is read with other layers gives the same bits."""
        if (read.n_in, read.n_out) != (net.n_in, net.n_out) or not _has_other_layers(net):
            return False
        for block in self.rows.blocks(BLOCK_ROWS):
            states = [read_states(own.readout, *evaluate(own, block)) for own in (read, net)]
            if (states[0] != states[1]).any():
                return False
        return True

    def _facts(self, raw: Float64[np.ndarray, "rows n_out"]) -> tuple[Fact, ...]:
        """Return on how many rows raw outputs are those of the format to the last bit."""
        net = self.subject.network
        run = self.subject.in_format(net.format)
        if run is None:
            return ()
        same = start = 0
        for block in self.rows.blocks(BLOCK_ROWS):
            values = run(block).values
            own = raw[start : start + len(block)]
            same += int(((own == values) | np.isnan(own) & np.isnan(values)).all(axis=1).sum())
            start += len(block)
        sentence = (
            f"raw outputs are those of sums from left to right, to the last bit, on {same} of "
            f"{start} rows"
        )
        return (Fact("rows_same_to_the_bit", same, sentence),)


def as_computed(net: Network) -> Network:
    """Return a network as its module computes it: codes as floats, scales as layers."""
    form = computing_format(net)
    if not is_coded(net):
        return net
    wide = float_format_of(net) if FORMATS[net.format].kind != "float" else None
    if wide is not None and wide.name == form:
        return with_scales_as_layers(net, [()] * (net.depth + 1))[0]
    dtype = FLOAT_DTYPES[form]
    layers = tuple(
        Layer(
            Dense(layer.weight.exact().to_floats().astype(dtype)),
            None if layer.bias is None else Dense(layer.bias.exact().to_floats().astype(dtype)),
            layer.activation,
            layer.inputs,
        )
        for layer in net.layers
    )
    return Network(layers, net.readout, format=form, outputs=net.outputs)


def plainly(net: Network) -> Network:
    """Return a network whose activations have one name for one function, to be compared."""
    layers = (replace(layer, activation=_usual(layer.activation)) for layer in net.layers)
    return replace(net, layers=tuple(layers))


def _usual(activation: Activation) -> Activation:
    if activation.kind == "prelu" and len(activation.slopes) == 1:
        return activation.of_unit(0)
    pieces = activation.pieces if activation.is_exact else None
    return next((own for own in USUAL if pieces == own.pieces), activation)


def _has_other_layers(net: Network) -> bool:
    """Return whether a module of the network is read with other layers, or another readout.

    Slopes of units become layers of their own, a quotient by a power of two a product, and bits
    that are compared once more stay what they are.
    """
    ends = [net.layers[layer_number(name) - 1] for name in net.output_layers]
    return any(
        (kind := layer.activation.kind) in ("prelu", "quotient", "where")
        or (kind in ("step", "heaviside") and layer in ends)
        for layer in net.layers
    )


def _state_difference(state: Mapping[str, Any], net: Network) -> str:
    """Return which number of a ``state_dict`` is not the one that the network stores."""
    for name, tensor in net.tensors():
        parts = {name: tensor.exact()}
        if isinstance(tensor, Scaled) and is_coded(net):
            parts = {name: tensor.q.exact(), f"{name}_scale": tensor.scale.exact()}
            if tensor.zero is not None:
                parts[f"{name}_zero_point"] = tensor.zero.exact()
        for part, exact in parts.items():
            values = exact.to_floats()
            own = state.get(part)
            if own is None:
                return f"{part} is missing"
            if own.size != values.size:
                return f"{part} has shape {list(own.shape)}"
            own = own.reshape(values.shape)
            wrong = np.argwhere(own != values)
            if len(wrong):
                at = tuple(wrong[0].tolist())
                place = f"[{', '.join(map(str, at))}]" if at else ""
                return f"{part}{place} is {own[at]:.9g}, and the network's {values[at]:.9g}"
    return ""


def _version() -> str:
    return metadata.version("torch")
