"""Quantized matrices recognized among tensors by their names, types and shapes.

Rule: a matrix is recognized only where all the shapes of its tensors fit its layout, and then its
logical parameters follow from them. Where two readings fit, a configuration beside the file
decides, else the layout's own default, and that is said. What is not recognized stays as stored.

References:
    AutoGPTQ and GPTQModel (``qweight``, ``qzeros``, ``scales``, ``g_idx``); AutoAWQ; bitsandbytes
    (``absmax``, ``quant_state``, ``SCB``); compressed-tensors (``weight_packed``); ModelOpt
    (``weight_scale_2``); gpt-oss (``_blocks``, ``_scales``); MLX (``scales``, ``biases``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from adderlab.counting.quantization import Quantization
from adderlab.nets.header import StoredTensor

PACKED_BITS: Final = (2, 3, 4, 5, 6, 8)
MLX_GROUPS: Final = (64, 32, 128)
"""Group sizes of MLX, its default first."""
BNB_BLOCKS: Final = (64, 128, 256, 512, 1024, 2048, 4096, 32)


@dataclass(frozen=True, slots=True)
class Hint:
    """What a configuration beside the files says of their quantization.

    Attributes:
        method: as ``quant_method``; empty where it is not known.
        bits: of one number, where it is known.
        group_size: numbers that share a scale, where it is known.
        own: bits and group sizes of single modules, by their names.
    """

    method: str = ""
    bits: int | None = None
    group_size: int | None = None
    own: Mapping[str, tuple[int | None, int | None]] | None = None

    def of(self, name: str) -> tuple[int | None, int | None]:
        """Return the bits and the group size of one module."""
        return (self.own or {}).get(name, (self.bits, self.group_size))


@dataclass(frozen=True, slots=True)
class PackedMatrix:
    """A quantized matrix.

    Attributes:
        name: of its module.
        method: how it is quantized.
        bits: of one stored number.
        group_size: numbers that share a scale; ``None`` where all of an output or more do.
        parameters: numbers that it stands for.
        tensors: all that is stored for it.
        note: what had to be assumed.
    """

    name: str
    method: str
    bits: int
    group_size: int | None
    parameters: int
    tensors: tuple[StoredTensor, ...]
    note: str = ""

    @property
    def bytes(self) -> int:
        """What its tensors take."""
        return sum(tensor.bytes for tensor in self.tensors)


Reading = tuple[str, int, "int | None", int, str]
"""Method, bits, group size, parameters, and what was assumed."""


@dataclass(frozen=True, slots=True)
class Kit:
    """The tensors that may belong to one matrix.

    Attributes:
        module: the name of its module, without the tensor's own.
        main: the packed numbers.
        own: further tensors of the module by the rest of their names.
        hint: what a configuration says.
    """

    module: str
    main: StoredTensor
    own: Mapping[str, StoredTensor]
    hint: Hint

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of another tensor; empty where it is absent."""
        return self.own[name].shape if name in self.own else ()


def _gptq_or_awq(kit: Kit) -> Reading | None:
    shape, scales, zeros = kit.main.shape, kit.shape("scales"), kit.shape("qzeros")
    if kit.main.dtype not in ("I32", "U32") or len(shape) != 2 or len(scales) != 2:
        return None
    rows, columns = shape
    if zeros and columns == zeros[-1] and columns != scales[1]:  # packed along the outputs
        n_in, n_out, groups = rows, scales[1], scales[0]
        bits, rest = divmod(32 * columns, n_out)
        method = "awq"
    elif columns == scales[1]:  # packed along the inputs
        n_out, groups = columns, scales[0]
        index = kit.shape("g_idx")
        if index:
            n_in = index[0]
            bits, rest = divmod(32 * rows, n_in or 1)
        elif len(zeros) == 2:
            bits, rest = divmod(32 * zeros[1], n_out or 1)
            n_in = 32 * rows // bits if bits else 0
        else:
            bits, rest = kit.hint.of(kit.module)[0] or 0, 0
            n_in = 32 * rows // bits if bits else 0
        rest = rest or 32 * rows != bits * n_in
        method = "gptq"
    elif zeros and rows == zeros[0] == scales[0]:  # AWQ's layout for products with vectors
        n_in, n_out, bits, rest, method = 8 * columns, rows, 4, 0, "awq"
        groups = zeros[1] * 8
        group = kit.hint.of(kit.module)[1]
        groups = -(-n_in // group) if group else groups
    else:
        return None
    if rest or bits not in PACKED_BITS:
        return None
    return method, bits, _group(n_in, groups), n_in * n_out, ""


def _marlin(kit: Kit) -> Reading | None:
    shape, scales = kit.main.shape, kit.shape("s")
    if kit.main.dtype != "I32" or len(shape) != 2 or len(scales) != 2:
        return None
    n_in, n_out = 16 * shape[0], scales[1]
    bits, rest = divmod(2 * shape[1], n_out or 1)
    if rest or bits not in (4, 8):
        return None
    return "gptq (marlin)", bits, _group(n_in, scales[0]), n_in * n_out, ""


def _compressed(kit: Kit) -> Reading | None:
    scale = kit.own.get("weight_scale")
    if scale is None or not kit.main.shape:
        return None
    if kit.main.dtype == "U8":
        return _fours(kit)
    if kit.main.dtype != "I32":
        return None
    packed, groups = kit.main.shape[-1], scale.shape[-1] if len(scale.shape) > 1 else 1
    bits, group = kit.hint.of(kit.module)
    note = ""
    if bits is None:
        bits = 8 if groups == 1 else 4
        usual = "a scale an output" if groups == 1 else "groups"
        note = f"read as {bits} bits, as is usual with {usual}: num_bits of config.json settles it"
    if bits not in PACKED_BITS:
        return None
    n_in = 32 * packed // bits
    group = _group(n_in, groups)
    return "compressed-tensors", bits, group, 32 * kit.main.parameters // bits, note


def _fours(kit: Kit) -> Reading | None:
    """Return two numbers a byte, with a scale for 32 (MXFP4) or 16 (NVFP4) of them."""
    scale = kit.own.get("weight_scale")
    if scale is None or not kit.main.shape or not scale.shape:
        return None
    group, rest = divmod(2 * kit.main.parameters, scale.parameters or 1)
    if scale.dtype == "U8" and (group, rest) == (32, 0):
        return "mxfp4", 4, 32, 2 * kit.main.parameters, ""
    if scale.dtype == "F8_E4M3" and (group, rest) == (16, 0):
        return "nvfp4", 4, 16, 2 * kit.main.parameters, ""
    return None


def _mxfp4_blocks(kit: Kit) -> Reading | None:
    scales = kit.own.get("scales")
    if scales is None or kit.main.dtype != "U8" or scales.dtype != "U8":
        return None
    if kit.main.shape[:-1] != scales.shape or kit.main.shape[-1:] != (16,):
        return None
    return "mxfp4", 4, 32, 2 * kit.main.parameters, ""


def _bitsandbytes(kit: Kit) -> Reading | None:
    absmax = kit.own.get("weight.absmax")
    if kit.main.dtype == "U8" and absmax is not None and kit.main.parameters:
        numbers = 2 * kit.main.parameters
        group = next((b for b in BNB_BLOCKS if -(-numbers // b) == absmax.parameters), None)
        kind = next((name for name in kit.own if "quant_state" in name), "").rpartition("__")[2]
        return f"bitsandbytes {kind}".strip(), 4, group, numbers, ""
    if kit.main.dtype == "I8" and "SCB" in kit.own:
        return "bitsandbytes int8", 8, None, kit.main.parameters, ""
    return None


def _mlx(kit: Kit) -> Reading | None:
    scales = kit.own.get("scales")
    if kit.main.dtype != "U32" or scales is None or not kit.main.shape:
        return None
    if kit.main.shape[:-1] != scales.shape[:-1] or not scales.shape[-1]:
        return None
    words, rest = divmod(32 * kit.main.shape[-1], scales.shape[-1])  # bits times group size
    if rest or not words:
        return None
    if scales.dtype == "U8":
        kinds = {128: ("mlx mxfp4", 4, 32), 64: ("mlx nvfp4", 4, 16), 256: ("mlx mxfp8", 8, 32)}
        method, bits, group = kinds.get(words, ("", 0, 0))
        note = ""
    else:
        method, note = "mlx", ""
        bits, group = kit.hint.of(kit.module)
        if not bits or not group or bits * group != words:
            fits = [(words // g, g) for g in MLX_GROUPS if words % g == 0]
            fits = [pair for pair in fits if pair[0] in PACKED_BITS]
            if not fits:
                return None
            bits, group = fits[0]
            if len(fits) > 1:
                others = " or ".join(f"{b} bits in groups of {g}" for b, g in fits[1:])
                note = (
                    f"read as {bits} bits in groups of {group}; {others} would look alike: "
                    "quantization of config.json settles it"
                )
    if not bits:
        return None
    return method, bits, group, 32 * kit.main.parameters // bits, note


def _scaled(kit: Kit) -> Reading | None:
    """Return numbers of 8 bits, one by one, with their scales."""
    scale = next((kit.own[name] for name in SCALES if name in kit.own), None)
    if scale is None:
        return None
    if kit.main.dtype == "U8":
        if kit.hint.method == "bitnet" and scale.parameters == 1:
            return "bitnet", 2, None, 4 * kit.main.parameters, ""
        return _fours(kit)
    kinds = {"I8": "int8", "F8_E4M3": "fp8", "F8_E5M2": "fp8"}
    method = kinds.get(kit.main.dtype)
    if method is None:
        return None
    return method, 8, None, kit.main.parameters, ""


SCALES: Final = ("weight_scale", "weight_scale_inv", "weight_scales", "scale_weight", "scale")
FURTHER: Final = (
    "weight_scale_2", "weight_zero_point", "weight_shape", "weight_g_idx", "weight_format",
    "weight_global_scale", "input_global_scale", "input_scale", "input_zero_point", "scale_input",
    "output_scale", "workspace",
)  # fmt: skip
"""What else may be stored for a matrix: it is no parameter."""

LAYOUTS: Final[tuple[tuple[str, Callable[[Kit], Reading | None], tuple[str, ...]], ...]] = (
    ("qweight", _gptq_or_awq, ("qzeros", "scales", "g_idx")),
    ("B", _marlin, ("s",)),
    ("weight_packed", _compressed, ("weight_scale",)),
    ("weight", _bitsandbytes, ("SCB",)),
    ("weight", _mlx, ("scales", "biases")),
    ("weight", _scaled, SCALES),
    ("blocks", _mxfp4_blocks, ("scales",)),
)
"""By the last name of the packed numbers: how they are read, and what is stored with them."""


def packed_matrices(
    tensors: Iterable[StoredTensor], hint: Hint
) -> tuple[list[PackedMatrix], list[StoredTensor]]:
    """Return the quantized matrices among tensors, and the tensors that belong to none."""
    modules: dict[str, dict[str, StoredTensor]] = {}
    rest: dict[str, StoredTensor] = {}
    for tensor in tensors:
        rest[tensor.name] = tensor
        module, own = _split(tensor.name)
        modules.setdefault(module, {})[own] = tensor
    matrices: list[PackedMatrix] = []
    for module, own in modules.items():
        matrix = _matrix(module, own, hint)
        if matrix is not None:
            matrices.append(matrix)
            for tensor in matrix.tensors:
                del rest[tensor.name]
    return matrices, list(rest.values())


def _split(name: str) -> tuple[str, str]:
    """Return a tensor's module and its own name in it."""
    for ending in ("_blocks", "_scales"):
        if name.endswith(ending) and not name.endswith(".weight_scales"):
            return name.removesuffix(ending), ending[1:]
    if ".weight." in name:  # bitsandbytes' tensors: weight.absmax, weight.quant_state.…
        module, _, own = name.rpartition(".weight.")
        return module, f"weight.{own}"
    module, _, own = name.rpartition(".")
    return module, own


def _matrix(module: str, own: dict[str, StoredTensor], hint: Hint) -> PackedMatrix | None:
    for name, read, more in LAYOUTS:
        if name not in own:
            continue
        reading = read(Kit(module, own[name], own, hint))
        if reading is None:
            continue
        method, bits, group, parameters, note = reading
        names = [key for key in own if key in (name, *more, *FURTHER) or key.startswith("weight.")]
        kit = tuple(own[key] for key in names)
        return PackedMatrix(module, method, bits, group, parameters, kit, note)
    return None


def _group(n_in: int, groups: int) -> int | None:
    """Return the numbers that share a scale; ``None`` where all of an output do."""
    return -(-n_in // groups) if groups > 1 else None


def quantization_in(matrices: list[PackedMatrix], model_bytes: int) -> Quantization | None:
    """Return what quantized matrices come to; ``None`` where there are none."""
    if not matrices:
        return None
    bits = {matrix.bits for matrix in matrices}
    groups = {matrix.group_size for matrix in matrices}
    notes = list(dict.fromkeys(matrix.note for matrix in matrices if matrix.note))
    if len(bits) > 1:
        shares = ", ".join(
            f"{sum(m.parameters for m in matrices if m.bits == each):,} of {each} bits"
            for each in sorted(bits)
        )
        notes.insert(0, f"quantized parameters: {shares}")
    stored = 8 * sum(matrix.bytes for matrix in matrices)
    parameters = sum(matrix.parameters for matrix in matrices)
    return Quantization(
        method=", ".join(dict.fromkeys(matrix.method for matrix in matrices)),
        bits=Fraction(bits.pop()) if len(bits) == 1 else None,
        group_size=groups.pop() if len(groups) == 1 else None,
        parameters=parameters,
        stored_bits=stored,
        model_bytes=model_bytes,
        matrices=len(matrices),
        notes=tuple(notes),
    )
