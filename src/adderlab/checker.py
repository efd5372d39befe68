"""Re-check a certificate of adderlab: ``python checker.py NET CERT``.

This one file needs Python 3.11 and its standard library, and shares no code with the provers.

What is trusted: Python's whole numbers, ``hashlib`` and ``json``, and that this text does what it
says. What is not: the certificate, the network file, and whatever wrote them.

What is done, in the order of this file:

1. The certificate is canonical JSON (sorted keys, no spaces) with its own SHA-256 and the network
   file's. The file is read here: exact values as whole numbers times powers of two.
2. The task's rule is written here again; of a table, the certificate holds its rows.
3. ``enumerated``: every row is evaluated again in whole numbers, in Gray-code order, up to 2^20.
4. ``diagram``: each unit's claimed decision diagram is compared with the one that its sum of
   earlier diagrams gives; then the outputs' with what the task asks for.
5. ``composed``: every row of the cell, and what the wiring's induction needs of each.
6. A number format is claimed only where nothing is rounded, or where a bound on all rounding
   errors, whatever the order of summation, is below the margin. Both are derived here.
7. A refuted network is evaluated on its counterexample.

``valid`` is true, false, or null where the evidence can't be re-checked here: by this file's rules,
in the time of ``--timeout``, or within the bounds below. What is large is counted before memory is
taken for it. Exit codes: 0 true, 1 false, 2 no certificate or no file, 3 null. It is documented in
``docs/certificates.md``.

References:
    Edge-valued diagrams: Lai and Sastry, DAC 1992. Rounding: Higham, "Accuracy and Stability of
    Numerical Algorithms", 3.1 and 4.2. Gray code: Knuth, "The Art of Computer Programming" 4A.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import contextlib
import hashlib
import json
import math
import re
import struct
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

MOST_BITS = 20
"""Input bits of which all combinations are tried."""
LARGEST_BYTES = 1 << 28
"""Of a file."""
MOST_VALUES = 1 << 24
"""Of JSON in a file, counted by its commas and brackets."""
MOST_NUMBERS = 1 << 24
"""Of a network, each counted where it is read, and again as a weight."""
MOST_NODES = 8_000_000
"""Of diagrams, with the sums of two."""
MOST_INPUTS = 1 << 16
"""Bits that a network takes, and that it gives."""
LONGEST = 1 << 16
"""Bits of a number, and the largest power of two that it is a multiple of."""

T = TypeVar("T")

KEYS = {
    "adderlab_certificate", "counterexample", "evidence", "margin", "method", "network", "readout",
    "semantics", "sha256", "task", "verdict",
}  # fmt: skip


class UnusableError(Exception):
    """There is nothing to check: a file is missing, or is no certificate."""


class InvalidError(Exception):
    """The certificate does not hold."""


class BeyondError(Exception):
    """The evidence can't be re-checked here."""


def need(holds: object, otherwise: str) -> None:
    """Raise :class:`InvalidError` unless something holds."""
    if not holds:
        raise InvalidError(otherwise)


def bound(holds: object, otherwise: str) -> None:
    """Raise :class:`BeyondError` unless something holds."""
    if not holds:
        raise BeyondError(otherwise)


# -- Time and memory --------------------------------------------------------------------------


@dataclass
class Clock:
    """When the time is up, by ``time.perf_counter``, and how far the work has come."""

    end: float = math.inf
    stage: str = "when it began"

    def look(self, stage: str = "") -> None:
        """Stop where the time is up."""
        self.stage = stage or self.stage
        if time.perf_counter() > self.end:
            raise BeyondError(f"the time was up {self.stage}")


CLOCK: ContextVar[Clock] = ContextVar("CLOCK", default=Clock())  # noqa: B039 -- it never ends


def steps(values: Iterable[T]) -> Iterator[T]:
    """Yield values, with a look at the time before each thousand."""
    for at, value in enumerate(values):
        if not at % 1000:
            CLOCK.get().look()
        yield value


@dataclass
class Room:
    """What may still be taken into memory.

    Attributes:
        left: numbers of up to 512 bits; a longer one counts as several.
        otherwise: the reason where there is no room left.
    """

    left: int
    otherwise: str

    def take(self, count: int, bits: int = 0) -> None:
        """Count some numbers, each of so many bits."""
        self.left -= count * (1 + (bits >> 9))
        bound(self.left >= 0, self.otherwise)


# -- JSON and bytes ---------------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """Return the one way in which a certificate is written."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def seal(claims: dict[str, Any]) -> bytes:
    """Return the certificate of claims, with its own SHA-256."""
    own = {key: value for key, value in claims.items() if key != "sha256"}
    return canonical({**own, "sha256": hashlib.sha256(canonical(own)).hexdigest()})


def same(value: Any, other: Any) -> bool:
    """Return whether two JSON values are written alike: 1, 1.0 and true are not."""
    try:
        return canonical(value) == canonical(other)
    except ValueError:
        raise BeyondError("a number has more digits than Python writes") from None


def unsealed(data: bytes) -> dict[str, Any]:
    """Return the claims of a certificate whose form and hash are right."""
    try:
        claims = loaded(data.decode())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise UnusableError("it is not JSON") from None
    if not isinstance(claims, dict) or "adderlab_certificate" not in claims:
        raise UnusableError("it is no certificate of adderlab")
    try:
        is_canonical = seal(claims) == data
    except ValueError:
        is_canonical = False
    need(is_canonical, "the certificate was changed: its bytes do not fit its SHA-256")
    version = claims["adderlab_certificate"]
    is_known = type(version) is int and version == 1
    bound(is_known, f"certificates of version {version!r:.20} are not known here")
    need(set(claims) == KEYS, "the certificate has unknown or missing keys")
    return claims


def loaded(text: str, hook: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Return what JSON says, of which there is no more than can be held."""
    values = sum(map(text.count, ",[{"))
    bound(values <= MOST_VALUES, f"a file holds over {MOST_VALUES} values of JSON")
    try:
        return json.loads(text, object_pairs_hook=hook)
    except json.JSONDecodeError:
        raise
    except ValueError:
        raise BeyondError("a number has more digits than Python reads") from None


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object's pairs, no key twice."""
    need(len(dict(pairs)) == len(pairs), "a key occurs twice in the network file")
    return dict(pairs)


def parsed(text: bytes | str) -> Any:
    """Return the JSON inside a network file."""
    try:
        return loaded(text.decode() if isinstance(text, bytes) else text, unique)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise InvalidError("the network file holds JSON that is none") from None


def fields(value: Any, needed: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Any]:
    """Return a JSON object with exactly these keys."""
    names = set(needed)
    fits = isinstance(value, dict) and names <= set(value) <= names | set(optional)
    need(fits, f"an object has not exactly the keys {', '.join(sorted(names)) or 'none'}")
    return value


# -- Exact values -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Numbers:
    """Numbers of a shape: ``integers`` times ``2**exponent``."""

    integers: list[int]
    exponent: int
    shape: tuple[int, ...]


def dyadic(values: Sequence[float], shape: tuple[int, ...], room: Room) -> Numbers:
    """Return floats over the smallest power of two that they are multiples of."""
    least = max((value.as_integer_ratio()[1] for value in steps(values)), default=1)
    room.take(len(values), least.bit_length())
    ratios = (value.as_integer_ratio() for value in steps(values))
    return Numbers([over * (least // under) for over, under in ratios],
                   1 - least.bit_length(), shape)  # fmt: skip


def _e4m3(byte: int) -> float:
    sign, exponent, rest = -1.0 if byte >> 7 else 1.0, byte >> 3 & 15, byte & 7
    if (exponent, rest) == (15, 7):
        return math.nan
    return sign * (rest * 2.0**-9 if not exponent else (8 + rest) * 2.0 ** (exponent - 10))


CODES = {
    "F64": "d", "F32": "f", "F16": "e", "BF16": "H", "F8_E4M3": "B", "F8_E5M2": "B",
    "I8": "b", "I16": "h", "I32": "i", "I64": "q", "U8": "B", "U16": "H", "U32": "I", "U64": "Q",
}  # fmt: skip
"""Types of tensors as ``struct`` has them; of floats that it does not know, their bits."""

SMALL_FLOATS: dict[str, Callable[[int], float]] = {
    "BF16": lambda bits: struct.unpack("<f", struct.pack("<I", bits << 16))[0],
    "F8_E5M2": lambda bits: struct.unpack("<e", struct.pack("<H", bits << 8))[0],
    "F8_E4M3": _e4m3,
}


@dataclass(frozen=True)
class Stored:
    """A tensor's bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    def _unpacked(self) -> list[Any]:
        code = CODES[self.dtype]
        return [*struct.unpack(f"<{len(self.data) // struct.calcsize(code)}{code}", self.data)]

    def whole(self, signs: str = "IU") -> list[int]:
        """Return its whole numbers."""
        need(self.dtype[0] in signs, f"a tensor of type {self.dtype} stands for whole numbers")
        return self._unpacked()

    def exact(self, room: Room) -> Numbers:
        """Return its values."""
        values = self._unpacked()
        if self.dtype[0] in "IU":
            return Numbers(values, 0, self.shape)
        if self.dtype in SMALL_FLOATS:
            values = [SMALL_FLOATS[self.dtype](bits) for bits in steps(values)]
        need(all(map(math.isfinite, values)), "a tensor holds an infinity or NaN")
        return dyadic(values, self.shape, room)


Matrix = tuple[list[list[tuple[int, int]]], int, int]
"""By row the columns of entries and their whole numbers; their power of two; the columns."""


class File:
    """A network file: safetensors, whose tensors are each taken once."""

    def __init__(self, data: bytes) -> None:
        length = int.from_bytes(data[:8], "little")
        need(len(data) > 8 and length <= len(data) - 8, "the network file is cut short")
        header = parsed(data[8 : 8 + length])
        need(isinstance(header, dict), "the network file has no header")
        metadata = header.pop("__metadata__", {})
        need(isinstance(metadata, dict) and isinstance(metadata.get("adderlab"), str),
             "the network file has no record of its layers")  # fmt: skip
        self.tensors: dict[str, Stored] = {}
        spans: list[tuple[int, int]] = []
        for name, entry in header.items():
            tensor = fields(entry, ("dtype", "shape", "data_offsets"))
            shape, offsets = sizes(tensor["shape"]), sizes(tensor["data_offsets"])
            need(isinstance(tensor["dtype"], str) and tensor["dtype"] in CODES
                 and len(offsets) == 2, f"tensor {name!r:.40} is faulty")  # fmt: skip
            begin, end = offsets
            need(math.prod(shape) * struct.calcsize(CODES[tensor["dtype"]]) == end - begin,
                 f"tensor {name!r:.40} has another size than its shape")  # fmt: skip
            spans.append((begin, end))
            at = 8 + length
            self.tensors[name] = Stored(tensor["dtype"], shape, data[at + begin : at + end])
        ends = [0, *(end for _, end in sorted(spans))]
        is_whole = ends[:-1] == [begin for begin, _ in sorted(spans)]
        need(is_whole and ends[-1] == len(data) - 8 - length,
             "tensors overlap, or bytes of the network file are unused")  # fmt: skip
        self.record: Any = parsed(metadata["adderlab"])
        self.has_zeros = False
        self.room = Room(MOST_NUMBERS, f"the network has over {MOST_NUMBERS} numbers")

    def take(self, name: Any) -> Stored:
        """Return a tensor, which nothing else may name."""
        need(isinstance(name, str) and name in self.tensors, f"no tensor {name!r:.40} is left")
        tensor = self.tensors.pop(name)
        self.room.take(math.prod(tensor.shape))
        CLOCK.get().look()
        return tensor

    def numbers(self, spec: Any) -> Numbers:
        """Return dense, packed or coded numbers."""
        if not isinstance(spec, dict):
            return self.take(spec).exact(self.room)
        if "codes" in spec:
            return self._coded(fields(spec, ("codes", "sizes", "codebook")))
        entry = fields(spec, ("packed", "shape", "data"))
        shape, (bits,) = sizes(entry["shape"]), sizes([entry["packed"]])
        raw, count = self.take(entry["data"]), math.prod(shape)
        need(raw.dtype == "U8" and 0 < bits <= 32 and len(raw.data) == -(-count * bits // 8),
             "packed numbers take another number of bytes")  # fmt: skip
        self.room.take(count)
        integers = [_bits_at(raw.data, at * bits, bits) for at in steps(range(count))]
        used = count * bits % 8
        need(not used or not raw.data[-1] >> used, "padding bits are set")
        if bits == 1:
            integers = [-1 if number else 1 for number in integers]
        else:
            integers = [number - (number >> (bits - 1) << bits) for number in integers]
        return Numbers(integers, 0, shape)

    def _coded(self, spec: dict[str, Any]) -> Numbers:
        codes, lengths, raw = (self.take(spec[key]) for key in ("codes", "sizes", "codebook"))
        ends = [0]
        for length in lengths.whole("U"):
            ends.append(ends[-1] + length)
        need(raw.dtype == "U8" and ends[-1] == len(raw.data), "a codebook has unused bytes")
        longest = 8 * max((b - a for a, b in pairwise(ends)), default=0)
        bound(longest <= LONGEST, f"a number has over {LONGEST} bits")
        values = [int.from_bytes(raw.data[a:b], "little", signed=True) for a, b in pairwise(ends)]
        places = codes.whole("U")
        need(all(low < high for low, high in pairwise(values)), "a codebook does not ascend")
        need(set(places) == set(range(len(values))), "codes do not fit their codebook")
        return Numbers([values[place] for place in places], 0, codes.shape)

    def matrix(self, spec: Any, *, is_vector: bool = False) -> Matrix:
        """Return a matrix; of a vector one of a single column.

        With scales a value is ``scale * (number - zero)``.
        """
        scale, zero = Numbers([1], 0, ()), None
        if isinstance(spec, dict) and "scale" in spec:
            entry = fields(spec, ("scale", "q"), ("zero",))
            scale = self.take(entry["scale"]).exact(self.room)
            zero = self.take(entry["zero"]).exact(self.room) if "zero" in entry else None
            spec = entry["q"]
        if isinstance(spec, dict) and "indptr" in spec:
            rows, exponent, count = self._sparse(spec)
            need(zero is None, "a sparse matrix has a zero point")
            need(rows and count and not is_vector, "a weight is no matrix, or a bias no vector")
            self.has_zeros = True
        else:
            numbers = self.numbers(spec)
            shape = (*numbers.shape, 1) if is_vector else numbers.shape
            need(len(shape) == 2 and 0 not in shape, "a weight is no matrix, or a bias no vector")
            count, exponent, integers = shape[1], numbers.exponent, numbers.integers
            self.has_zeros |= 0 in integers
            rows = [
                [(at, n) for at, n in enumerate(integers[start : start + count]) if n or zero]
                for start in steps(range(0, len(integers), count))
            ]
        zero = zero or Numbers([0], exponent, ())
        low = min(exponent, zero.exponent)
        up, up_zero = exponent - low, zero.exponent - low
        per_row = [*zip(rows, each(zero, len(rows)), each(scale, len(rows)), strict=True)]
        for row, _, factor in steps(per_row):
            self.room.take(len(row), max(up, up_zero) + factor.bit_length())
        rows = [
            [(at, ((number << up) - (z << up_zero)) * factor) for at, number in row]
            for row, z, factor in steps(per_row)
        ]
        rows = [[(at, number) for at, number in row if number] for row in steps(rows)]
        return rows, low + scale.exponent, count

    def _sparse(self, spec: Any) -> Matrix:
        entry = fields(spec, ("shape", "indptr", "indices", "values"))
        shape = sizes(entry["shape"])
        ends, columns = (self.take(entry[key]).whole("U") for key in ("indptr", "indices"))
        values = self.numbers(entry["values"])
        need(len(shape) == 2 and len(ends) == shape[0] + 1 and ends[0] == 0
             and ends[-1] == len(columns) == len(values.integers)
             and all(a <= b for a, b in pairwise(ends)), "a sparse matrix is faulty")  # fmt: skip
        rows = [
            list(zip(columns[a:b], values.integers[a:b], strict=True)) for a, b in pairwise(ends)
        ]
        for row in rows:
            places = [column for column, _ in row]
            need(places == sorted(set(places)) and (not places or places[-1] < shape[1]),
                 "the columns of a sparse row do not ascend")  # fmt: skip
        return rows, values.exponent, shape[1]


def sizes(value: Any) -> tuple[int, ...]:
    """Return a list of sizes."""
    fits = isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)
    need(fits and len(value) <= 2, "a shape or place is no list of one or two whole numbers")
    return tuple(value)


def each(numbers: Numbers, count: int) -> list[int]:
    """Return one number a row."""
    need(numbers.shape in ((), (count,)), "scales are neither one nor one a row")
    return numbers.integers * (count if numbers.shape == () else 1)


def _bits_at(data: bytes, start: int, count: int) -> int:
    raw = int.from_bytes(data[start // 8 : (start + count + 7) // 8], "little")
    return raw >> start % 8 & (1 << count) - 1


# -- Activations: lines between knots ---------------------------------------------------------

Line = tuple[Fraction, Fraction]
"""Slope and intercept."""


@dataclass(frozen=True)
class Pieces:
    """A piecewise linear function: a line before the first knot, then a value and a line each."""

    lines: tuple[Line, ...]
    knots: tuple[Fraction, ...] = ()
    values: tuple[Fraction, ...] = ()

    def levels(self) -> set[Fraction]:
        """Return its values at knots, and its intercepts."""
        return {*self.values, *(start for _, start in self.lines)}

    def is_computed_exactly(self) -> bool:
        """Return whether it only compares, negates and chooses, which no format rounds."""
        return all(slope in (-1, 0, 1) and not (slope and start) for slope, start in self.lines)

    def is_continuous(self) -> bool:
        """Return whether it has no jump."""
        sides = zip(self.knots, self.values, pairwise(self.lines), strict=True)
        return all(
            slope * knot + start == value for knot, value, lines in sides for slope, start in lines
        )

    def at(self, total: Fraction) -> Fraction:
        """Return its value."""
        if total in self.knots:
            return self.values[self.knots.index(total)]
        slope, start = self.lines[sum(knot < total for knot in self.knots)]
        return slope * total + start


def flat(value: Fraction | int) -> Line:
    """Return the line of a constant."""
    return Fraction(0), Fraction(value)


def joined(below: Line, above: Line, knot: Fraction | int = 0, value: Fraction | int = 0) -> Pieces:
    """Return two lines, and what is between them."""
    return Pieces((below, above), (Fraction(knot),), (Fraction(value),))


def clipped(low: Fraction | None, high: Fraction | None) -> Pieces:
    """Return the function that keeps a sum between two limits; the upper one wins."""
    if low is not None and high is not None and low >= high:
        return Pieces((flat(high),))
    first, last = ([] if limit is None else [flat(limit)] for limit in (low, high))
    limits = tuple(limit for limit in (low, high) if limit is not None)
    return Pieces((*first, IDENTITY, *last), limits, limits)


IDENTITY: Line = (Fraction(1), Fraction(0))
SAME, RELU = Pieces((IDENTITY,)), joined(flat(0), IDENTITY)
FIXED = {
    "identity": SAME, "logit": SAME, "relu": RELU, "sign": joined(flat(-1), flat(1)),
    "abs": joined((Fraction(-1), Fraction(0)), IDENTITY),
    "relu6": clipped(Fraction(0), Fraction(6)),
}  # fmt: skip
OPTIONS: dict[str, tuple[str, ...]] = {
    "step": ("convention",), "heaviside": ("value",), "leaky": ("slope",), "prelu": ("slopes",),
    "threshold": ("threshold", "value"), "hardtanh": ("min", "max"), "clamp": ("min", "max"),
    "where": ("convention", "threshold", "above", "below"), "quotient": ("divisor",),
    "softplus": ("beta", "threshold"), "elu": ("alpha",), "gelu": ("approximate",),
}  # fmt: skip
"""Activations without options, and the options of the others."""


def pieces(entry: dict[str, Any], unit: int, units: int) -> Pieces:
    """Return what a layer of the record applies to the sum of one of its units."""
    kind = entry["activation"]
    need(entry.get("convention", ">") in (">", ">="), "a layer has no such convention")

    def number(key: str) -> Fraction:
        value = entry[key]
        if key == "slopes":
            need(isinstance(value, list) and len(value) in (1, units), "slopes are not one a unit")
            value = value[unit % len(value)]
        return Fraction(a_float(value, f"{key} of {kind!r:.20}"))

    match kind:
        case _ if kind in FIXED:
            return FIXED[kind]
        case "step":
            return joined(flat(0), flat(1), 0, int(entry["convention"] == ">="))
        case "heaviside":
            return joined(flat(0), flat(1), 0, number("value"))
        case "leaky" | "prelu":
            return joined((number(OPTIONS[kind][0]), Fraction(0)), IDENTITY)
        case "threshold":
            return joined(flat(number("value")), IDENTITY, number("threshold"), number("value"))
        case "hardtanh":
            return clipped(number("min"), number("max"))
        case "clamp":
            low, high = (None if entry[key] is None else number(key) for key in ("min", "max"))
            return clipped(low, high)
        case "where":
            knot = number("threshold")
            above, below = (
                IDENTITY if entry[key] is None else flat(number(key)) for key in ("above", "below")
            )
            slope, start = above if entry["convention"] == ">=" else below
            return joined(below, above, knot, slope * knot + start)
        case _:
            raise BeyondError(f"{kind!r:.20} is not evaluated here: it has no whole numbers")


# -- The network ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer over whole numbers."""

    reads: tuple[str, ...]
    """Names of what it reads, joined in this order."""
    rows: list[list[tuple[int, int]]]
    """Of each unit, the columns that it reads and their weights."""
    bias: list[int]
    exponent: int
    """The power of two that sums are multiples of."""
    pieces: list[Pieces]
    """Of each unit."""
    scale: int
    """The power of two that values are multiples of."""
    top: int
    """Values are below 2 to this."""

    def activation(
        self, value_of: Callable[[Layer, int, int], int]
    ) -> Callable[[list[int]], list[int]]:
        """Return what is applied to all sums, as whole numbers; ``value_of`` keeps some values."""
        kinds, is_scaled = set(self.pieces), self.exponent != self.scale
        if kinds == {SAME} and not is_scaled:
            return lambda sums: sums
        if kinds == {RELU} and not is_scaled:
            return lambda sums: [total if total > 0 else 0 for total in sums]
        return lambda sums: [value_of(self, unit, total) for unit, total in enumerate(sums)]

    def value(self, unit: int, total: int) -> int:
        """Return the value of a unit with a sum."""
        exact = self.pieces[unit].at(total * Fraction(2) ** self.exponent)
        return int(exact / Fraction(2) ** self.scale)


@dataclass
class Net:
    """A network, as exact as the file is."""

    outputs: tuple[str, ...]
    """The layers whose values are read out, joined."""
    readout: dict[str, Any]
    threshold: Fraction
    """Of the readout; that of what goes into a last sigmoid, which is left out."""
    can_be_run: bool
    """Whether a format's arithmetic is that of these layers: no scales, no sigmoid."""
    layers: dict[str, Layer] = field(default_factory=dict[str, Layer])
    """By name, in their order."""
    n_in: int = 0
    stored: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    """Every number that is stored, and its power of two."""
    powers: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """Of each value of a layer the power of two that it is a multiple of."""

    def exponents(self, names: Sequence[str]) -> list[int]:
        """Return the power of two of each joined value."""
        return self.join(self.powers, names)

    def join(self, values: dict[str, list[Any]], names: Sequence[str]) -> list[Any]:
        """Return values end to end."""
        return values[names[0]] if len(names) == 1 else [v for name in names for v in values[name]]


def exponent_of(number: Fraction) -> int:
    """Return the power of two that a dyadic number is an odd multiple of."""
    zeros = (number.numerator & -number.numerator).bit_length() - 1 if number else 0
    return zeros - (number.denominator.bit_length() - 1)


def bits_before(number: Fraction) -> int:
    """Return a power of two that a number is below."""
    return number.numerator.bit_length() - number.denominator.bit_length() + 1


def read_network(data: bytes) -> Net:
    """Return the network in a file's bytes."""
    CLOCK.get().look("while the network file was read")
    file = File(data)
    record = fields(file.record, ("schema", "task", "format", "layers", "readout"),
                    ("training", "outputs"))  # fmt: skip
    need(type(record["schema"]) is int and record["schema"] == 1, "the record is of another schema")
    entries = record["layers"]
    need(isinstance(entries, list) and entries, "the record has no layers")
    names = [f"fc{number}" for number in range(1, len(entries) + 1)]
    for at, entry in enumerate(entries):
        kind = entry.get("activation") if isinstance(entry, dict) else None
        need(isinstance(kind, str), "a layer has no activation")
        options = OPTIONS.get(str(kind), ())
        _ = fields(entry, ("weight", "activation", *options), ("bias", "inputs"))
        entries[at] = {"inputs": names[at - 1 : at] or ["input"], **entry}
    outputs = listed(record.get("outputs", names[-1:]), names)
    readout = record["readout"]
    kind = readout.get("kind") if isinstance(readout, dict) else None
    bound(kind != "argmax", "a readout by argmax is not read here; save the network again")
    _ = fields(readout, ("kind",) if kind == "exact" else ("kind", "threshold", "convention"))
    threshold = Fraction(0)
    if kind != "exact":
        need(kind == "threshold" and readout["convention"] in (">", ">="), "no such readout")
        threshold = Fraction(a_float(readout["threshold"], "the threshold"))
    last = [entry for name, entry in zip(names, entries, strict=True) if name in outputs]
    is_read = any(name in entry["inputs"] for entry in entries for name in outputs)
    kinds = {entry["activation"] for entry in last}
    can_be_run = "logit" not in {entry["activation"] for entry in entries}
    if kinds == {"sigmoid"} and threshold == Fraction(1, 2) and not is_read:
        threshold, can_be_run = Fraction(0), False  # sigmoid(y) > 1/2 where y > 0
        for entry in last:
            entry["activation"] = "identity"
    net = Net(outputs, readout, threshold, can_be_run)
    for name, entry in zip(names, entries, strict=True):
        CLOCK.get().look(f"while the weights of {name} of {len(names)} layers were read")
        add_layer(net, file, name, entry)
    need(not file.tensors, "a tensor is used by no layer")
    if file.has_zeros:
        net.stored.add((0, 0))
    return net


def listed(value: Any, known: Iterable[str]) -> tuple[str, ...]:
    """Return names of layers, each known and named once."""
    fits = isinstance(value, list) and value and all(isinstance(name, str) for name in value)
    need(fits and set(value) <= set(known) and len(set(value)) == len(value),
         "layers are named that are not there, or twice")  # fmt: skip
    return tuple(value)


def a_float(value: Any, what: str) -> float:
    """Return a JSON number as the nearest double."""
    need(type(value) in (int, float), f"{what} is no number")
    try:
        nearest = float(value)
    except OverflowError:
        nearest = math.inf
    need(math.isfinite(nearest), f"{what} is beyond every double")
    return nearest


def add_layer(net: Net, file: File, name: str, entry: dict[str, Any]) -> None:
    """Add a layer to a network: its weights over the powers of two of what it reads."""
    reads = listed(entry["inputs"], ("input", *net.layers))
    rows, power, width = file.matrix(entry["weight"])
    if "input" in reads:
        rest = width - sum(len(net.layers[own].rows) for own in reads if own != "input")
        need(rest > 0 and net.n_in in (0, rest), "layers read inputs of other widths")
        bound(rest <= MOST_INPUTS, f"over {MOST_INPUTS} input bits are not evaluated here")
        net.n_in, net.powers["input"] = rest, [0] * rest
    columns = net.exponents(reads)
    need(len(columns) == width, "a layer's weight has another width than what it reads")
    bias, bias_power = [0] * len(rows), power
    if "bias" in entry:
        stored, bias_power, _ = file.matrix(entry["bias"], is_vector=True)
        bias = [dict(row).get(0, 0) for row in stored]
        need(len(rows) == len(bias), "a layer has more biases than units, or fewer")
        net.stored |= {(number, bias_power) for number in bias if number}
    net.stored |= {(number, power) for row in steps(rows) for _, number in row}
    net.can_be_run &= not any(
        isinstance(entry.get(key), dict) and "scale" in entry[key] for key in ("weight", "bias")
    )
    units = [pieces(entry, unit, len(rows)) for unit in range(len(rows))]
    kinds = set(units)
    finest = min(
        *(power + column for column in columns),
        *([bias_power] if any(bias) else []),
        *(exponent_of(knot) for unit in kinds for knot in unit.knots if knot),
        power,
    )
    bound(finest >= -LONGEST, f"a number is a multiple of less than 2^-{LONGEST}")
    constants = {value for unit in kinds for value in unit.levels() if value}
    slopes = {slope for unit in kinds for slope, _ in unit.lines if slope}
    scale = min(
        [*(finest + exponent_of(slope) for slope in slopes), *map(exponent_of, constants)],
        default=0,
    )
    # no number on the way to a value is longer than these say: sums, then values
    widest = max((n.bit_length() for row in steps(rows) for _, n in row), default=0) + power
    read = max(1 if own == "input" else net.layers[own].top for own in reads)
    added = max(n.bit_length() for n in bias) + bias_power
    sums = max(widest + read, added) + width.bit_length() + 1
    top = 1 + max([sums + max(map(bits_before, slopes), default=0), *map(bits_before, constants)])
    longest = max(sums - finest, top - scale)
    bound(longest <= LONGEST, f"values of {name} may have over {LONGEST} bits")
    file.room.take(len(rows), longest)
    for row in steps(rows):
        for at, number in row:
            file.room.take(1, number.bit_length() + power + columns[at] - finest)
    net.powers[name] = [scale] * len(rows)
    net.layers[name] = Layer(
        reads,
        [[(at, n << power + columns[at] - finest) for at, n in row] for row in steps(rows)],
        [n << bias_power - finest if n else 0 for n in bias],
        finest,
        units,
        scale,
        top,
    )


# -- The task ---------------------------------------------------------------------------------

Words = dict[str, int]
Rule = Callable[[Words], dict[str, int | None]]
"""From the input words to the output words; ``None`` where any value will do."""


@dataclass(frozen=True)
class Task:
    """What the network is claimed to compute.

    Attributes:
        name: as the certificate has it.
        inputs: names, widths and numbers of values of the input words.
        outputs: names and widths of the output words.
        rule: between them.
        weights: where the task is one linear equation, of each bit the power of two and the sign of
            its weight in a sum that must be 0.
        takes: the input bits in the order in which the network takes them.
        gives: likewise the output bits.
    """

    name: str
    inputs: list[tuple[str, int, int]]
    outputs: list[tuple[str, int]]
    rule: Rule
    weights: dict[str, tuple[int, int]]
    takes: list[str]
    gives: list[str]

    @property
    def rows(self) -> int:
        """How many inputs its domain has."""
        return math.prod(size for _, _, size in self.inputs)

    @property
    def size(self) -> str:
        """The same as text: a large one as a power of two."""
        rows = self.rows
        is_power = rows > 1 << MOST_BITS and not rows & rows - 1
        return f"2^{rows.bit_length() - 1}" if is_power else str(rows)

    def code(self, words: Words) -> tuple[int, int]:
        """Return the output bits that a row asks for as one number, and which of them matter."""
        outputs = self.rule(words)
        code = cares = 0
        for name, width in self.outputs:
            value = outputs[name]
            code, cares = code << width, cares << width
            if value is not None:
                code |= value
                cares |= (1 << width) - 1
        return code, cares

    def number(self, words: Words) -> int:
        """Return the number of a row: the first word is the most significant digit."""
        index = 0
        for name, _, size in self.inputs:
            index = index * size + words[name]
        return index


def places(words: Iterable[tuple[Any, ...]]) -> dict[str, tuple[str, int]]:
    """Return the word of each bit and its place there; most significant first, the lowest is 0."""
    return {
        name if width == 1 else f"{name}{place}": (name, place)
        for name, width, *_ in words
        for place in reversed(range(width))
    }


TWO, ONE = "a:N b:N", "x:N"
TASKS: dict[str, tuple[str, str, Callable[[int], Rule]]] = {
    "half-adder": ("a:1 b:1", "c:2", lambda n: lambda w: {"c": w["a"] + w["b"]}),
    "full-adder": (
        "a:1 b:1 cin:1", "c:2", lambda n: lambda w: {"c": w["a"] + w["b"] + w["cin"]},
    ),
    "adder": (TWO, "c:M", lambda n: lambda w: {"c": w["a"] + w["b"]}),
    "subtractor": (TWO, "borrow:1 d:N", lambda n: lambda w: {
        "borrow": int(w["a"] < w["b"]), "d": (w["a"] - w["b"]) % (1 << n),
    }),
    "comparator": (TWO, "lt:1 eq:1 gt:1", lambda n: lambda w: {
        "lt": int(w["a"] < w["b"]), "eq": int(w["a"] == w["b"]), "gt": int(w["a"] > w["b"]),
    }),
    "multiplier": (TWO, "p:D", lambda n: lambda w: {"p": w["a"] * w["b"]}),
    "parity": (ONE, "p:1", lambda n: lambda w: {"p": w["x"].bit_count() % 2}),
    "majority": (ONE, "m:1", lambda n: lambda w: {"m": int(2 * w["x"].bit_count() > n)}),
    "popcount": (ONE, "n:L", lambda n: lambda w: {"n": w["x"].bit_count()}),
}  # fmt: skip
"""Words of width N, M = N + 1, D = 2 N or L, the bits of N; and the rule."""

SIGNS = {"half-adder": "c -a -b", "full-adder": "c -a -b -cin", "adder": "c -a -b",
         "subtractor": "d -a b", "popcount": "n"}  # fmt: skip
"""Tasks that are linear equations: the words in them, with their signs."""


@dataclass(frozen=True)
class Wiring:
    """How a cell is repeated, digit by digit, the lowest first; the first one is carried 0.

    Attributes:
        cell: the cell's words: operands, then what it takes from the cell before.
        base: of the digits.
        rule: of the cell.
        step: what must hold of a row, by its words, the digit and what is carried on.
        read: the digit and what is carried on, from the output words.
        claim: what then holds of the lowest n digits.
    """

    cell: tuple[str, str]
    base: int
    rule: Rule
    step: Callable[[Words, int, int], bool]
    read: Callable[[Words], tuple[int, int]]
    claim: str


def compared(w: Words) -> int:
    """Return how two numbers compare by their highest digits, else as those below do."""
    return w["before"] if w["a"] == w["b"] else 1 + (w["a"] > w["b"])


WIRINGS = {
    "adder:any": Wiring(
        ("a:1 b:1 cin:1", "c:2"), 2,
        lambda w: {"c": w["a"] + w["b"] + w["cin"]},
        lambda w, digit, carry: w["a"] + w["b"] + w["cin"] == digit + 2 * carry,
        lambda w: (w["c"] & 1, w["c"] >> 1),
        "the sum of the lowest n digits is the number collected + 2^n times what is carried",
    ),
    "decimal-adder:any": Wiring(
        ("d:4<10 e:4<10 cin:1", "cout:1 s:4"), 10,
        lambda w: {"cout": int(sum(w.values()) >= 10), "s": sum(w.values()) % 10},
        lambda w, digit, carry: w["d"] + w["e"] + w["cin"] == digit + 10 * carry,
        lambda w: (w["s"], w["cout"]),
        "the sum of the lowest n digits is the number collected + 10^n times what is carried",
    ),
    "subtractor:any": Wiring(
        ("a:1 b:1 bin:1", "bout:1 d:1"), 2,
        lambda w: {"bout": int(w["a"] < w["b"] + w["bin"]), "d": (w["a"] - w["b"] - w["bin"]) % 2},
        lambda w, digit, carry: w["a"] - w["b"] - w["bin"] == digit - 2 * carry,
        lambda w: (w["d"], w["bout"]),
        "the difference of the lowest n digits is the number collected - 2^n times what is carried",
    ),
    "comparator:any": Wiring(
        ("a:1 b:1 before:2<3", "order:2"), 2,
        lambda w: {"order": compared(w)},
        lambda w, digit, carry: carry == compared(w),
        lambda w: (0, w["order"]),
        "what is carried says how the lowest n digits compare: 0 equal, 1 less, 2 greater",
    ),
    "parity:any": Wiring(
        ("x:1 before:1", "p:1"), 2,
        lambda w: {"p": w["x"] ^ w["before"]},
        lambda w, digit, carry: carry == w["x"] ^ w["before"],
        lambda w: (0, w["p"]),
        "what is carried is 1 where the lowest n bits have an odd number of ones",
    ),
}  # fmt: skip


def parsed_words(text: str, width: int) -> list[tuple[str, int, int]]:
    """Return words with their widths and numbers of values."""
    letters = {"N": width, "M": width + 1, "D": 2 * width, "L": width.bit_length()}
    words: list[tuple[str, int, int]] = []
    for name, size, values in re.findall(r"(\w+):(\w+)(?:<(\d+))?", text):
        bits = letters[size] if size in letters else int(size)
        words.append((name, bits, int(values or 1 << bits)))
    return words


def named_task(name: str) -> Task:
    """Return the task of a name."""
    kind, colon, rest = name.partition(":")
    wired = f"{rest}:any" if kind == "cell" else name
    if wired in WIRINGS:
        wiring, width = WIRINGS[wired], 1
        words, rule = wiring.cell, wiring.rule
    else:
        need(kind in TASKS, f"there is no task {name!r:.40}")
        *words, make = TASKS[kind]
        need(re.fullmatch("[1-9][0-9]*", rest) if "N" in words[0] else not colon,
             f"there is no task {name!r:.40}")  # fmt: skip
        width = int(rest[:6]) if rest else 1
        bound(width <= MOST_INPUTS, f"over {MOST_INPUTS} input bits are not evaluated here")
        rule = make(width)
    inputs, outputs = (parsed_words(text, width) for text in words)
    signs = {part.strip("-"): -1 if "-" in part else 1 for part in SIGNS.get(kind, "").split()}
    weights = {
        bit: (place, signs[word])
        for bit, (word, place) in places([*inputs, *outputs]).items()
        if word in signs
    }
    if kind == "subtractor":
        weights["borrow"] = width, -1
    if kind == "popcount":
        weights |= dict.fromkeys(places(inputs), (0, -1))
    given = [(word, bits) for word, bits, _ in outputs]
    return Task(name, inputs, given, rule, weights, [*places(inputs)], [*places(given)])


TABLE = "table:sha256-"


def table_task(name: str, table: Any) -> Task:
    """Return the task of a truth table: its words, and its rows packed as in network files."""
    entry = fields(table, ("in", "out", "rows", "sha256"))
    packed = json.dumps({"in": entry["in"], "out": entry["out"]}, separators=(",", ":")).encode()
    try:
        rows = base64.b64decode(entry["rows"], validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise InvalidError("the table is faulty") from None
    need(hashlib.sha256(packed + rows).hexdigest() == entry["sha256"], "the table was changed")
    given, outputs = ([tuple(word) for word in words_of(entry[key], size)]
                      for key, size in (("in", 3), ("out", 2)))  # fmt: skip
    inputs = [(name, width, 1 << width if b is None else b) for name, width, b in given]
    need(all(type(size) is int and 0 < size <= 1 << width for _, width, size in inputs)
         and len({word[0] for word in (*inputs, *outputs)}) == len(inputs) + len(outputs),
         "the table is faulty")  # fmt: skip
    bits = max(sum(word[1] for word in words) for words in (inputs, outputs))
    bound(bits <= MOST_INPUTS, f"words of over {MOST_INPUTS} bits are not evaluated here")
    count = math.prod(size for _, _, size in inputs)
    columns: dict[str, tuple[bytes, int, bytes]] = {}
    at = 0
    for word, width in outputs:
        middle = at + -(-count * width // 8)
        end = middle + -(-count // 8)
        columns[word] = rows[at:middle], width, rows[middle:end]
        at = end
    need(at == len(rows), "the table has another number of rows")

    def rule(words: Words) -> dict[str, int | None]:
        row = task.number(words)
        return {
            word: _in_plane(bits, row * width, width) if _in_plane(cares, row, 1) else None
            for word, (bits, width, cares) in columns.items()
        }

    task = Task(name, inputs, outputs, rule, {}, [*places(inputs)], [*places(outputs)])
    return task


def words_of(value: Any, size: int) -> list[list[Any]]:
    """Return the words of a table, as lists that begin with name and width."""
    need(isinstance(value, list) and value and all(
        isinstance(word, list) and len(word) == size and type(word[1]) is int
        and isinstance(word[0], str) and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", word[0])
        and 0 < word[1] <= 1 << 16 for word in value), "the table is faulty")  # fmt: skip
    return value


def _in_plane(plane: bytes, start: int, count: int) -> int:
    """Return bits of a plane, most significant first."""
    end = start + count
    raw = int.from_bytes(plane[start // 8 : -(-end // 8)], "big")
    return raw >> -end % 8 & (1 << count) - 1


def is_order(order: Any, names: Iterable[str]) -> bool:
    """Return whether a list names each bit once."""
    fits = isinstance(order, list) and all(isinstance(bit, str) for bit in order)
    return fits and sorted(order) == sorted(names)


def task_of(claims: dict[str, Any]) -> Task:
    """Return the task that a certificate is about, its bits in the network's order."""
    entry = fields(claims["task"], ("name", "inputs", "outputs", "order", "table"))
    order = fields(entry["order"], ("inputs", "outputs"))
    need(isinstance(entry["name"], str), "the task has no name")
    if entry["table"] is None:
        task = named_task(entry["name"])
    else:
        task = table_task(entry["name"], entry["table"])
        need(task.name == TABLE + entry["table"]["sha256"], "a table has another task's name")
    for own, words, usual in ((order["inputs"], task.inputs, task.takes),
                              (order["outputs"], task.outputs, task.gives)):  # fmt: skip
        need(len(usual) == sum(width for _, width, *_ in words), "two bits have one name")
        need(own is None or is_order(own, usual), "an order names not each bit once")
    words = [[name, width, None if size == 1 << width else size]
             for name, width, size in task.inputs]  # fmt: skip
    need(same([entry["inputs"], entry["outputs"]], [words, task.outputs]),
         "the words stated are not the task's")  # fmt: skip
    takes, gives = order["inputs"] or task.takes, order["outputs"] or task.gives
    return replace(task, takes=takes, gives=gives)


# -- Evidence: every row ----------------------------------------------------------------------


@dataclass
class Margins:
    """The smallest distances from the threshold, of outputs that are 0 and of those that are 1."""

    of_0: Fraction | None = None
    of_1: Fraction | None = None

    def add(self, bit: int, nearest: float, unit: Fraction, threshold: Fraction) -> None:
        """Take into account the nearest output of a side, a whole number or infinite for none."""
        if nearest not in (math.inf, -math.inf):
            side = "of_1" if bit else "of_0"
            distance, own = abs(int(nearest) * unit - threshold), getattr(self, side)
            setattr(self, side, distance if own is None else min(own, distance))

    def to_json(self) -> dict[str, str | None]:
        """Return them as a certificate states them."""
        sides = {"of_0": self.of_0, "of_1": self.of_1}
        return {name: None if s is None else texts([s])[0] for name, s in sides.items()}


class Machine:
    """The network on one row after another, which differ in one bit each.

    The sums of layers that read nothing but the input are kept, and a changed bit is added to
    them; all else is evaluated anew.
    """

    def __init__(self, net: Net) -> None:
        self.net = net
        self.input = [0] * net.n_in
        self.kept: dict[str, list[int]] = {}
        self.columns: dict[str, list[list[tuple[int, int]]]] = {}
        value_of = lru_cache(1 << 14)(Layer.value)
        self.activations = {own: layer.activation(value_of) for own, layer in net.layers.items()}
        for name, layer in net.layers.items():
            if layer.reads == ("input",):
                columns: list[list[tuple[int, int]]] = [[] for _ in range(net.n_in)]
                for unit, row in enumerate(layer.rows):
                    for at, weight in row:
                        columns[at].append((unit, weight))
                self.kept[name], self.columns[name] = list(layer.bias), columns

    def set(self, at: int, bit: int) -> None:
        """Give an input bit another value."""
        change = bit - self.input[at]
        self.input[at] = bit
        for name, sums in self.kept.items():
            for unit, weight in self.columns[name][at]:
                sums[unit] += change * weight

    def outputs(self) -> list[int]:
        """Return the outputs, as whole numbers over their layers' powers of two."""
        net, clock = self.net, CLOCK.get()
        values: dict[str, list[int]] = {"input": self.input}
        for name, layer in net.layers.items():
            clock.look()
            sums = self.kept.get(name)
            if sums is None:
                own = net.join(values, layer.reads)
                sums = [
                    bias + sum([weight * own[at] for at, weight in row])
                    for row, bias in zip(layer.rows, layer.bias, strict=True)
                ]
            values[name] = self.activations[name](sums)
        return net.join(values, net.outputs)


class Reader:
    """The one rule from outputs to bits, on whole numbers over the smallest of their powers."""

    def __init__(self, net: Net) -> None:
        self.is_exact = net.readout["kind"] == "exact"
        powers = net.exponents(net.outputs)
        power = min([*powers, exponent_of(net.threshold), 0])
        self.unit = Fraction(2) ** power
        self.shifts = [own - power for own in powers]
        self.one = int(1 / self.unit)
        self.limit = int(net.threshold / self.unit) - (net.readout.get("convention") == ">=")
        # the same for each output by itself: the 1, and what a 1 is above
        self.ones = [None if own > 0 else 1 << -own for own in powers]
        self.limits = [self.limit >> shift for shift in self.shifts]

    def exact(self, outputs: Sequence[int]) -> list[Fraction]:
        """Return outputs as fractions."""
        return [(v << s) * self.unit for v, s in zip(outputs, self.shifts, strict=True)]

    def bits(self, outputs: Sequence[int]) -> list[int | None]:
        """Return the bits; ``None`` where an output is none."""
        if self.is_exact:
            return [int(v) if v in (0, 1) else None for v in self.exact(outputs)]
        return [int(value > limit) for value, limit in zip(outputs, self.limits, strict=True)]


def check_rows(net: Net, task: Task) -> tuple[Margins, str]:
    """Evaluate every row of the domain in Gray-code order; return margins and the rows' hash."""
    bits = net.n_in
    bound(bits <= MOST_BITS, f"{bits} input bits are more than the {MOST_BITS} that are tried")
    machine, reader = Machine(net), Reader(net)
    words = {name: 0 for name, _, _ in task.inputs}
    digit = {name: task.number({**words, name: 1}) for name in words}
    where = places(task.inputs)
    is_cut = task.rows < 1 << net.n_in
    in_code = {bit: 1 << at for at, bit in enumerate(reversed(places(task.outputs)))}
    values = [in_code[bit] for bit in task.gives]
    size = -(-len(values) // 8)
    packed = bytearray(task.rows * size)
    least: list[float] = [math.inf] * len(values)
    most: list[float] = [-math.inf] * len(values)
    row = 0
    clock = CLOCK.get()
    for step in range(1 << net.n_in):
        clock.look(f"after {step} of {1 << net.n_in} combinations of input bits")
        if step:
            at = (step & -step).bit_length() - 1
            name, place = where[task.takes[at]]
            change = -1 << place if machine.input[at] else 1 << place
            machine.set(at, int(change > 0))
            words[name] += change
            row += change * digit[name]
        if is_cut and any(words[name] >= limit for name, _, limit in task.inputs):
            continue
        wanted, cares = task.code(words)
        given = strange = 0
        outputs = machine.outputs()
        if reader.is_exact:
            for output, one, value in zip(outputs, reader.ones, values, strict=True):
                if output == one:
                    given |= value
                elif output:
                    strange |= value
        else:
            for at, output in enumerate(outputs):
                if output > reader.limits[at]:
                    given |= values[at]
                    if output < least[at] and cares & values[at]:
                        least[at] = output
                elif output > most[at] and cares & values[at]:
                    most[at] = output
        need(not (given ^ wanted | strange) & cares, f"it is wrong on {words}")
        packed[row * size : row * size + size] = wanted.to_bytes(size, "big")
    margins = Margins()
    for bit, side in enumerate((most, least)):
        for value, shift in zip(side, reader.shifts, strict=True):
            margins.add(bit, value, reader.unit * (1 << shift), net.threshold)
    return margins, hashlib.sha256(packed).hexdigest()


# -- Evidence: decision diagrams --------------------------------------------------------------

Function = tuple[int, int]
"""An offset and a node: the offset plus the steps on the way that an input takes."""
ZERO: Function = (0, 0)


class Diagrams:
    """Edge-valued decision diagrams: equal functions are equal pairs.

    A node ``(variable, low, high, step)`` goes to ``low`` where its variable is 0, and to ``high``,
    adding ``step``, where it is 1. Node 0 is the end. Variables ascend on every way.
    """

    def __init__(self) -> None:
        self.nodes: list[tuple[int, int, int, int]] = [(1 << 62, 0, 0, 0)]
        self.room = Room(MOST_NODES, f"the diagrams have over {MOST_NODES} nodes and sums")
        self.clock = CLOCK.get()
        self.least, self.most = [0], [0]
        self.known: dict[tuple[int, int, int, int], int] = {}
        self.sums: dict[tuple[int, int, int, int], Function] = {}
        self.cuts: dict[tuple[int, int, bool], Function] = {}

    def take_room(self, number: int) -> None:
        """Count one more node or sum, and a long number by its bits."""
        self.room.take(1, number.bit_length() >> 1)
        self.clock.look()

    def node(self, variable: int, low: Function, high: Function) -> Function:
        """Return the function that is ``low`` where a variable is 0, else ``high``."""
        step = high[0] - low[0]
        if not step and low[1] == high[1]:
            return low
        key = (variable, low[1], high[1], step)
        if key not in self.known:
            self.take_room(step)
            self.known[key] = len(self.nodes)
            self.nodes.append(key)
            self.least.append(min(self.least[low[1]], step + self.least[high[1]]))
            self.most.append(max(self.most[low[1]], step + self.most[high[1]]))
        return low[0], self.known[key]

    def sides(self, node: int, variable: int) -> tuple[Function, Function]:
        """Return what a node is where a variable, its own or an earlier one, is 0 and is 1."""
        own, low, high, step = self.nodes[node]
        return ((0, low), (step, high)) if own == variable else ((0, node), (0, node))

    def sum(self, f: Function, a: int, g: Function, b: int) -> Function:
        """Return ``a * f + b * g``."""
        offset, node = self._sum(f[1], a, g[1], b)
        return a * f[0] + b * g[0] + offset, node

    def _sum(self, f: int, a: int, g: int, b: int) -> Function:
        if f == 0 or a == 0:
            f, a, g, b = g, b, 0, 0
        if g == 0 or b == 0:
            g = b = 0
            if f == 0 or a == 0:
                return ZERO
            if a == 1:
                return 0, f
        key = (f, a, g, b)
        if key not in self.sums:
            self.take_room(a)
            variable = min(self.nodes[f][0], self.nodes[g][0])
            parts: list[Function] = []
            pairs = zip(self.sides(f, variable), self.sides(g, variable), strict=True)
            for (f_step, f_node), (g_step, g_node) in pairs:
                offset, node = self._sum(f_node, a, g_node, b)
                parts.append((offset + a * f_step + b * g_step, node))
            self.sums[key] = self.node(variable, *parts)
        return self.sums[key]

    def cut(self, f: Function, *, is_step: bool) -> Function:
        """Return the larger of a function and 0, or 1 where it is above 0 and 0 elsewhere."""
        offset, node = f
        if offset + self.most[node] <= 0:
            return ZERO
        if offset + self.least[node] > 0:
            return (1, 0) if is_step else f
        key = (offset, node, is_step)
        if key not in self.cuts:
            self.take_room(offset)
            variable, low, high, step = self.nodes[node]
            lower = self.cut((offset, low), is_step=is_step)
            upper = self.cut((offset + step, high), is_step=is_step)
            self.cuts[key] = self.node(variable, lower, upper)
        return self.cuts[key]

    def above(self, f: Function, limit: int) -> Function:
        """Return 1 where a function is above a limit, and 0 elsewhere."""
        return self.cut((f[0] - limit, f[1]), is_step=True)

    def nearest(self, f: Function, limit: int) -> tuple[float, float]:
        """Return the largest value up to a limit, and the least above it, infinite for none."""
        done: dict[Function, tuple[float, float]] = {}

        def visit(f: Function) -> tuple[float, float]:
            offset, node = f
            if offset + self.most[node] <= limit:
                return offset + self.most[node], math.inf
            if offset + self.least[node] > limit:
                return -math.inf, offset + self.least[node]
            if f not in done:
                self.take_room(offset)
                _, low, high, step = self.nodes[node]
                sides = visit((offset, low)), visit((offset + step, high))
                done[f] = max(side[0] for side in sides), min(side[1] for side in sides)
            return done[f]

        return visit(f)


def on_pieces(diagrams: Diagrams, total: Function, layer: Layer, unit: int) -> Function:
    """Return a unit's activation of a sum: its first line, then the bends and jumps at knots."""
    own = layer.pieces[unit]
    sums, values = Fraction(2) ** layer.exponent, Fraction(2) ** layer.scale
    slope, start = own.lines[0]
    offset, node = diagrams.sum(total, int(slope * sums / values), ZERO, 0)
    result = offset + int(start / values), node
    for lines, knot, value in zip(pairwise(own.lines), own.knots, own.values, strict=True):
        limit = int(knot / sums)
        bend = int((lines[1][0] - lines[0][0]) * sums / values)
        if bend:
            past = diagrams.cut((total[0] - limit, total[1]), is_step=False)
            result = diagrams.sum(result, 1, past, bend)
        left, right = (slope * knot + start for slope, start in lines)
        for below, jump in ((limit - 1, value - left), (limit, right - value)):
            if jump:
                result = diagrams.sum(result, 1, diagrams.above(total, below), int(jump / values))
    return result


def check_diagrams(net: Net, task: Task, evidence: Any) -> Margins:
    """Compare each unit's diagram with the claimed one, and the outputs' with the task's."""
    entry = fields(evidence, ("order", "nodes", "layers"))
    order = entry["order"]
    need(is_order(order, task.takes), "the order is of other bits")
    need(task.rows == 1 << net.n_in, "diagrams are of all combinations of bits")
    variables = {bit: at for at, bit in enumerate(order)}
    diagrams = Diagrams()
    claimed = claimed_nodes(diagrams, entry["nodes"])
    bits = {bit: diagrams.node(at, ZERO, (1, 0)) for bit, at in variables.items()}
    values: dict[str, list[Function]] = {"input": [bits[bit] for bit in task.takes]}
    need(isinstance(entry["layers"], list) and len(entry["layers"]) == len(net.layers),
         "the evidence is of other layers")  # fmt: skip
    for (name, layer), claim in zip(net.layers.items(), entry["layers"], strict=True):
        own = net.join(values, layer.reads)
        units: list[Function] = []
        for unit, (row, bias) in enumerate(zip(layer.rows, layer.bias, strict=True)):
            diagrams.clock.look(f"at unit {unit} of {len(layer.rows)} in {name}")
            total: Function = (bias, 0)
            for at, weight in sorted(row, key=lambda term: (abs(term[1]), term[0])):
                total = diagrams.sum(total, 1, own[at], weight)
            units.append(on_pieces(diagrams, total, layer, unit))
        parts = fields(claim, ("exponent", "units"))
        power = parts["exponent"]
        need(type(power) is int and isinstance(parts["units"], list)
             and len(parts["units"]) == len(units), "the evidence is of other units")  # fmt: skip
        bound(abs(power) <= LONGEST, f"an exponent is beyond {LONGEST} in the evidence")
        for unit, (function, pair) in enumerate(zip(units, parts["units"], strict=True)):
            fits = isinstance(pair, list) and [*map(type, pair)] == [int, int]
            need(fits and 0 <= pair[1] < len(claimed), "a node is not in the evidence")
            offset, base = pair[0], claimed[pair[1]]
            low = min(power, layer.scale)
            stated = diagrams.sum((offset + base[0], base[1]), 1 << power - low, ZERO, 0)
            derived = diagrams.sum(function, 1 << layer.scale - low, ZERO, 0)
            need(stated == derived, f"unit {unit} of {name} is not what the evidence says")
        values[name] = units
    return check_outputs(net, task, diagrams, variables, net.join(values, net.outputs))


def claimed_nodes(diagrams: Diagrams, nodes: Any) -> list[Function]:
    """Return the functions of a certificate's nodes, each made of earlier ones."""
    claimed: list[Function] = [ZERO]
    need(isinstance(nodes, list), "the evidence has no nodes")
    diagrams.clock.look("while the nodes of the evidence were read")
    for entry in nodes:
        need(isinstance(entry, list) and len(entry) == 4 and all(type(x) is int for x in entry),
             "a node is no list of four whole numbers")  # fmt: skip
        variable, low, high, step = entry
        need(0 <= low < len(claimed) and 0 <= high < len(claimed) and variable >= 0,
             "a node names one that is not before it")  # fmt: skip
        down, up = claimed[low], claimed[high]
        need(all(variable < diagrams.nodes[node][0] for _, node in (down, up)),
             "variables do not ascend")  # fmt: skip
        claimed.append(diagrams.node(variable, down, (step + up[0], up[1])))
    return claimed


def check_outputs(
    net: Net, task: Task, diagrams: Diagrams, variables: dict[str, int], outputs: list[Function]
) -> Margins:
    """Compare output diagrams with what the task asks for; return the margins."""
    diagrams.clock.look("while the outputs were compared with the task")
    reader, margins = Reader(net), Margins()
    given: dict[str, Function] = {}
    for bit, value, shift in zip(task.gives, outputs, reader.shifts, strict=True):
        value = diagrams.sum(value, 1 << shift, ZERO, 0)
        if reader.is_exact:
            given[bit] = diagrams.above(value, 0)
            is_bit = value == diagrams.sum(given[bit], reader.one, ZERO, 0)
            need(is_bit, f"{bit} is not always a bit")
            continue
        given[bit] = diagrams.above(value, reader.limit)
        for side, nearest in enumerate(diagrams.nearest(value, reader.limit)):
            margins.add(side, nearest, reader.unit, net.threshold)
    inputs = {bit: diagrams.node(at, ZERO, (1, 0)) for bit, at in variables.items()}
    for function in must_vanish(diagrams, task, inputs, given):
        need(function == ZERO, f"the outputs are not those of {task.name}")
    return margins


def must_vanish(
    diagrams: Diagrams, task: Task, inputs: dict[str, Function], outputs: dict[str, Function]
) -> Iterator[Function]:
    """Yield functions that are 0 on every input exactly if the outputs are the task's."""
    kind, add = task.name.partition(":")[0], diagrams.sum
    if task.weights:  # Horner's rule, from the heaviest bits down
        levels: dict[int, list[tuple[str, int]]] = {}
        for bit, (place, sign) in task.weights.items():
            levels.setdefault(place, []).append((bit, sign))
        total = ZERO
        for place in range(max(levels), -1, -1):
            total = add(total, 2, ZERO, 0)
            for bit, sign in sorted(levels.get(place, []), key=lambda term: term[0] in outputs):
                total = add(total, 1, {**inputs, **outputs}[bit], sign)
        yield total
    elif kind in ("comparator", "majority", "parity"):
        total = ZERO
        for bit, (name, place) in places(task.inputs).items():
            weight = {"a": 1 << place, "b": -1 << place, "x": 1}[name]
            total = add(total, 1, inputs[bit], weight)
            if kind == "parity":  # x + y - 2 and(x, y)
                total = add(total, 1, diagrams.above(total, 1), -2)
        above, below = (diagrams.above(add(total, sign, ZERO, 0), 0) for sign in (1, -1))
        wanted = {
            "p": total,
            "m": diagrams.above(total, len(inputs) // 2),
            "gt": above,
            "lt": below,
            "eq": add((1, 0), 1, add(above, 1, below, 1), -1),
        }
        for bit, function in outputs.items():
            yield add(function, 1, wanted[bit], -1)
    else:
        raise BeyondError(f"what {task.name} asks for is not known here as diagrams")


# -- Evidence: a cell, repeated ---------------------------------------------------------------


def check_wiring(task: Task, evidence: Any) -> str:
    """Check what a wiring's induction needs of each row of its cell, which was proved."""
    wiring = WIRINGS[task.name]
    entry = fields(evidence, ("cell", "rows_sha256", "wiring"))
    need(entry["wiring"] == task.name, "the evidence is of another wiring")
    *_, (_, _, most) = task.inputs
    table: list[list[dict[str, int]]] = []
    for index in range(task.rows):
        words: Words = {}
        for name, _, count in reversed(task.inputs):
            index, words[name] = divmod(index, count)
        outputs = {name: value or 0 for name, value in task.rule(words).items()}
        digit, carry = wiring.read(outputs)
        need(0 <= carry < most and 0 <= digit < wiring.base
             and wiring.step(words, digit, carry), f"the induction fails on {words}")  # fmt: skip
        table.append([words, outputs])
    need(same(entry["cell"], table), "the cell's table is not the one that was evaluated")
    return wiring.claim


# -- Number formats ---------------------------------------------------------------------------

FORMATS = {
    "fp64": (53, -1074, (2**53 - 1) << 971), "fp32": (24, -149, (2**24 - 1) << 104),
    "fp16": (11, -24, 65504), "bf16": (8, -133, (2**8 - 1) << 120),
    "fp8-e4m3": (4, -9, 448), "fp8-e5m2": (3, -16, 57344),
}  # fmt: skip
"""Significant bits, the exponent of the smallest subnormal, and the largest finite value."""


def holds(number: Fraction, form: tuple[int, int, int]) -> bool:
    """Return whether a dyadic number is one of a format's."""
    precision, smallest, largest = form
    power = exponent_of(number)
    fits = bits_before(number) - power <= precision and power >= smallest
    return not number or (fits and abs(number) <= largest)


def image(shape: Pieces, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    """Return bounds on a function's values between two sums."""
    knots = [knot for knot in shape.knots if low <= knot <= high]
    values = [shape.at(x) for x in (low, high, *knots)]
    values += [slope * knot + start for knot in knots for slope, start in shape.lines]
    return min(values), max(values)


@dataclass(frozen=True)
class Value:
    """What is known of a unit's value on every input."""

    low: Fraction
    high: Fraction
    """Bounds on the exact value."""
    error: Fraction
    """How far the computed value can be off."""
    grid: int
    """Exact values are multiples of 2 to this."""


def is_right_in(net: Net, name: str, margins: dict[str, str | None] | None) -> bool:
    """Return whether a network that is right exactly is, as it follows, right in a format too.

    Products and partial sums are rounded one by one, in any order of summation. Where all partial
    sums of a unit lie on a grid of at most ``2**precision`` steps, none is rounded. Otherwise a sum
    of n products and a bias is off by at most ``g * (the sum of all magnitudes)``, with ``g = m u /
    (1 - m u)`` for m = n + 1 roundings of unit u, and by the smallest subnormal for each; errors of
    what is read are added, times the weights. Outputs that are off by less than the margin are
    right.

    Args:
        net: the network.
        name: the format. Whole numbers are summed in int32.
        margins: the certificate's, which were derived before; ``None`` of an exact readout.
    """
    form = FORMATS.get(name)
    stored = {number * Fraction(2) ** power for number, power in net.stored}
    shapes = {shape for layer in net.layers.values() for shape in layer.pieces}
    constants = {value for shape in shapes for value in (*shape.knots, *shape.levels())}
    if form is None:
        summed = "wide" if name == "wide" else "int32"
        holds_all = all(is_whole(number, name) for number in stored)
        holds_all = holds_all and all(is_whole(number, summed) for number in constants)
    else:
        holds_all = all(holds(number, form) for number in {*stored, *constants, net.threshold})
    if not (net.can_be_run and holds_all and all(map(Pieces.is_computed_exactly, shapes))):
        return False
    values = {"input": [Value(Fraction(0), Fraction(1), Fraction(0), 0)] * net.n_in}
    for own, layer in net.layers.items():
        given, powers = net.join(values, layer.reads), net.exponents(layer.reads)
        values[own] = []
        for row, bias, shape in zip(layer.rows, layer.bias, layer.pieces, strict=True):
            CLOCK.get().look(f"while rounding in {name:.20} was bounded in {own}")
            unit = Fraction(2) ** layer.exponent
            terms = [(w * unit / Fraction(2) ** powers[at], given[at]) for at, w in row]
            value = unit_value(terms, bias * unit, shape, name)
            if value is None:
                return False
            values[own].append(value)
    largest = max(value.error for value in net.join(values, net.outputs))
    sides = [Fraction(side) for side in (margins or {}).values() if side is not None]
    return not largest or (bool(sides) and largest < min(sides))


def unit_value(
    terms: list[tuple[Fraction, Value]], bias: Fraction, shape: Pieces, name: str
) -> Value | None:
    """Return what is known of a unit's value in a format; ``None`` if that is not enough."""
    zero, error = Fraction(0), Fraction(0)
    ends = [sorted((weight * value.low, weight * value.high)) for weight, value in terms]
    low, high = (bias + sum((end[side] for end in ends), zero) for side in (0, 1))
    above = sum((max(end[1], zero) for end in ends), start=max(bias, zero))
    below = sum((max(-end[0], zero) for end in ends), start=max(-bias, zero))
    grids = [exponent_of(weight) + value.grid for weight, value in terms]
    grid = min([*grids, exponent_of(bias)] if bias else grids, default=0)
    drawn = sum((abs(weight) * value.error for weight, value in terms), zero)
    if name not in FORMATS:
        if name != "wide" and max(above, below) >= 1 << 31:
            return None
    else:
        precision, smallest, largest = FORMATS[name]
        fits = max(above, below) <= min(Fraction(2) ** (precision + grid), Fraction(largest))
        if drawn or not fits or grid < smallest:
            roundings = len(terms) + 1
            share = Fraction(roundings, 2**precision)
            size = drawn + above + below
            if share >= Fraction(1, 2) or not shape.is_continuous():
                return None
            error = drawn + share / (1 - share) * size + roundings * Fraction(2) ** smallest
            if size + error > largest:
                return None
    least, most = image(shape, low - error, high + error)
    own = [exponent_of(level) for level in shape.levels() if level]
    if any(slope for slope, _ in shape.lines):
        own.append(grid)
    return Value(least, most, error, min(own, default=0))


def is_whole(number: Fraction, name: str) -> bool:
    """Return whether a format of whole numbers has a number."""
    if name in ("wide", "ternary", "binary"):
        levels = {"ternary": (-1, 0, 1), "binary": (-1, 1)}
        return number.denominator == 1 and (name == "wide" or number in levels[name])
    if not re.fullmatch("int(?:[2-8]|16|32)", name):
        return False
    half = 1 << int(name[3:]) - 1
    return number.denominator == 1 and -half <= number < half


# -- Checking ---------------------------------------------------------------------------------


def check_counterexample(net: Net, task: Task, claims: dict[str, Any]) -> str:
    """Evaluate a refuted network on its counterexample."""
    need(claims["semantics"] == ["exact"] and claims["margin"] is None, "a refutation claims more")
    need(claims["evidence"] == {}, "a refutation has other evidence than its counterexample")
    keys = ("input", "expected", "got", "output")
    entry = fields(claims["counterexample"], keys)
    words = fields(entry["input"], [name for name, _, _ in task.inputs])
    need(all(type(words[name]) is int and 0 <= words[name] < size for name, _, size in task.inputs),
         "the counterexample is outside the domain")  # fmt: skip
    machine, reader = Machine(net), Reader(net)
    where = places(task.inputs)
    for at, bit in enumerate(task.takes):
        name, place = where[bit]
        machine.set(at, words[name] >> place & 1)
    outputs = machine.outputs()
    given = dict(zip(task.gives, reader.bits(outputs), strict=True))
    got: dict[str, int | None] = {name: 0 for name, _ in task.outputs}
    for bit, (name, _) in places(task.outputs).items():
        value, own = got[name], given[bit]
        got[name] = None if value is None or own is None else 2 * value + own
    wanted = task.rule(words)
    claim = {"input": words, "output": texts(reader.exact(outputs)), "got": got,
             "expected": wanted}  # fmt: skip
    need(same(entry, claim), "the network gives something else there")
    need(any(value is not None and got[name] != value for name, value in wanted.items()),
         "the network is right there")  # fmt: skip
    return f"{task.name} is wrong on {', '.join(f'{k} = {v}' for k, v in words.items())}"


def texts(numbers: Iterable[Fraction]) -> list[str]:
    """Return numbers as a certificate states them."""
    try:
        return [str(number) for number in numbers]
    except ValueError:
        raise BeyondError("a number has more digits than Python writes") from None


def check_claims(claims: dict[str, Any], network: bytes, task_name: str | None) -> str:
    """Return what was re-checked, in a sentence.

    Raises:
        InvalidError: a claim does not hold.
        BeyondError: it can't be re-checked here.
    """
    is_small = len(network) <= LARGEST_BYTES
    bound(is_small, f"network files of over {LARGEST_BYTES} bytes are not read here")
    own = {"bytes": len(network), "sha256": hashlib.sha256(network).hexdigest()}
    need(same(fields(claims["network"], own), own),
         "the certificate is about another network file")  # fmt: skip
    verdict, method, semantics = (claims[key] for key in ("verdict", "method", "semantics"))
    need(verdict in ("proved", "refuted"), "the verdict is neither proved nor refuted")
    fits = isinstance(semantics, list) and semantics[:1] == ["exact"]
    need(fits and len(set(map(str, semantics))) == len(semantics), "the semantics are faulty")
    try:
        task = task_of(claims)
    except (TypeError, ValueError):
        raise InvalidError("the task is faulty") from None
    need(task_name in (None, task.name), f"it is about {task.name:.60}, not {task_name}")
    net = read_network(network)
    readout = dict(net.readout)
    if "threshold" in readout:
        readout["threshold"] = str(Fraction(float(readout["threshold"])))
    need(claims["readout"] == readout, "the certificate has another readout than the file")
    need(net.n_in == len(task.takes), "the network takes another number of bits")
    need(len(net.exponents(net.outputs)) == len(task.gives), "it gives another number of bits")
    is_known = method in ("composed", "diagram", "enumerated", "solver")
    bound(is_known, f"the method {method!r:.20} is not known here")
    need((task.name in WIRINGS) == (method == "composed"), "a cell is composed, and nothing else")
    if verdict == "refuted":
        return check_counterexample(net, task, claims)
    need(claims["counterexample"] is None, "a proof has a counterexample")
    evidence, how = claims["evidence"], f"is right on all {task.size} inputs"
    if method == "diagram":
        margins = check_diagrams(net, task, evidence)
    else:
        margins, digest = check_rows(net, task)
        own = set() if method == "solver" else {"rows_sha256"}
        if method == "composed":
            how = f"is right at every width, from {task.rows} rows of the cell: "
            how += check_wiring(task, evidence)
            own |= {"cell", "wiring"}
        evidence = fields(evidence, own)
        need(evidence.get("rows_sha256", digest) == digest, "the rows are others than those stated")
    if claims["margin"] is not None:
        need(net.readout["kind"] != "exact" and same(claims["margin"], margins.to_json()),
             "the margin is another than the one stated")  # fmt: skip
    for name in semantics[1:]:
        need(isinstance(name, str), "the semantics are faulty")
        follows = is_right_in(net, name, claims["margin"])
        need(follows, f"that it is right in {name:.20} does not follow")
    where = " and in ".join(["exact arithmetic", *semantics[1:]])
    return f"{task.name} {how}; in {where}"


def check(
    certificate: bytes, network: bytes, task: str | None = None, timeout_s: float = math.inf
) -> tuple[bool | None, str]:
    """Return whether a certificate is valid, ``None`` where that can't be re-checked, and why.

    Args:
        certificate: its bytes.
        network: the network file's.
        task: the name of the task that it must be about.
        timeout_s: seconds after which it is not re-checked.

    Raises:
        UnusableError: it is no certificate.
    """
    clock = CLOCK.set(Clock(time.perf_counter() + timeout_s))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))  # diagrams are as deep as there are input bits
    try:
        CLOCK.get().look("while the certificate was read")
        return True, check_claims(unsealed(certificate), network, task)
    except InvalidError as error:
        return False, str(error)
    except BeyondError as error:
        return None, str(error)
    except (RecursionError, MemoryError):
        return None, "the evidence is too large to be re-checked here"
    finally:
        sys.setrecursionlimit(limit)
        CLOCK.reset(clock)


def seconds(text: str) -> float:
    """Return a limit on time."""
    value = float(text)
    if not value > 0:
        raise ValueError
    return value


def read(path: str) -> bytes:
    """Return a file's bytes, or one more of them than are checked."""
    place = Path(path)
    try:
        if not place.is_file():
            raise UnusableError(f"{path}: there is no such file")
        with place.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise UnusableError(f"{path}: {error.strerror or error}") from None


EXIT = {True: 0, False: 1, None: 3}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names; return the exit code."""
    parser = argparse.ArgumentParser(description="Re-check a certificate of adderlab.")
    _ = parser.add_argument("net", help="the network file (.safetensors)")
    _ = parser.add_argument("certificate", help="the certificate")
    _ = parser.add_argument("--task", help="what it must be about")
    _ = parser.add_argument("--timeout", type=seconds, default=math.inf, metavar="S",
                            help="seconds after which it is not re-checked")  # fmt: skip
    _ = parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args(arguments)
    start = time.perf_counter()
    try:
        certificate = read(given.certificate)
        if len(certificate) > LARGEST_BYTES:
            raise UnusableError(f"{given.certificate}: the file has over {LARGEST_BYTES} bytes")
        network = read(given.net)
        left = start + given.timeout - time.perf_counter()
        valid, reason = check(certificate, network, given.task, left)
    except UnusableError as error:
        print(f"checker: {error}", file=sys.stderr)
        return 2
    word = {True: "valid", False: "not valid", None: "not re-checked"}[valid]
    took = time.perf_counter() - start
    if given.json:
        print(json.dumps({"valid": valid, "reason": reason, "seconds": round(took, 6)}))
    else:
        print(f"{word}: {reason} ({took:.2f} s)")
    return EXIT[valid]


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
