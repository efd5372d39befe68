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
5. ``composed``: every row of the cell, which has to be the step of the wiring's induction.
6. A number format is claimed only where nothing is rounded, or where a bound on all rounding
   errors, whatever the order of summation, is below the margin. Both are derived here.
7. A refuted network is evaluated on its counterexample.
8. A file that was exported (``--artifact``) is one that the certificate lists, by its hash, and
   names the certificate. That it was run, and what it computed, is what its exporter states:
   nothing is run here, and that list is not derived again.

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
import contextlib
import hashlib
import json
import math
import re
import struct
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import accumulate, chain, pairwise, product
from pathlib import Path
from typing import Any, Literal, TypeVar

MOST_BITS = 20  # input bits of which all combinations are tried
LARGEST_BYTES = 1 << 28  # of a file
MOST_VALUES = 1 << 24  # of JSON in a file, counted by its commas and brackets
MOST_NUMBERS = 1 << 24  # of a network, each counted where it is read, and again as a weight
MOST_NODES = 8_000_000  # of diagrams, with the sums of two
MOST_INPUTS = 1 << 16  # bits that a network takes, and that it gives
LONGEST = 1 << 16  # bits of a number, and the largest power of two that it is a multiple of
LONGEST_TEXT = 255  # characters of what is said of an artifact

TABLE = "table:sha256-"  # and a hash: the name of a table
CONSTANT = "1"  # what a layer reads its bias from: the last of its columns, which is always 1
EVIDENCE = {"composed": ("cell", "rows_sha256", "wiring"), "diagram": ("order", "nodes", "layers"),
            "enumerated": ("rows_sha256",), "solver": ()}  # fmt: skip
ARTIFACT = {"bytes": [int], "checked_by": [str], "checked_rows": [int], "equal": [bool, type(None)],
            "name": [str], "scope": [str], "sha256": [str], "to": [str]}  # fmt: skip
ANSWERS = {True: ("valid", 0), False: ("not valid", 1), None: ("not re-checked", 3)}  # exit codes

T = TypeVar("T")
Margins = dict[str, Fraction | None]


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
    """What may still be taken into memory: ``left`` numbers of 512 bits, or a reason why not."""

    left: int
    otherwise: str

    def take(self, count: int, bits: int = 0) -> None:
        """Count some numbers, each of so many bits; of more than 512 each counts as several."""
        CLOCK.get().look()
        self.left -= count * (1 + (bits >> 9))
        bound(self.left >= 0, self.otherwise)


def canonical(value: Any) -> bytes:
    """Return the one way in which a certificate is written, fractions as text."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=str)
    return text.encode()


def seal(claims: dict[str, Any]) -> bytes:
    """Return the certificate of claims, with their SHA-256.

    Exported files carry that, so what is said of them is not among the claims: it has its own.
    """

    def digest(value: Any) -> str:
        return hashlib.sha256(canonical(value)).hexdigest()

    others = ("artifacts", "artifacts_sha256", "sha256")
    own = {key: value for key, value in claims.items() if key not in others}
    sealed = {**own, "sha256": digest(own)}
    if "artifacts" in claims:
        listed = {"artifacts": claims["artifacts"]}
        sealed |= {**listed, "artifacts_sha256": digest({**listed, "sha256": sealed["sha256"]})}
    return canonical(sealed)


def same(value: Any, other: Any) -> bool:
    """Return whether two JSON values are written alike: 1, 1.0 and true are not."""
    try:
        return canonical(value) == canonical(other)
    except ValueError:
        raise BeyondError("a number has more digits than Python writes") from None


def unsealed(data: bytes) -> dict[str, Any]:
    """Return the claims of a certificate whose form and hash are right."""
    claims = loaded(data, UnusableError("it is not JSON"))
    if not isinstance(claims, dict) or "adderlab_certificate" not in claims:
        raise UnusableError("it is no certificate of adderlab")
    is_canonical = False
    with contextlib.suppress(ValueError):
        is_canonical = seal(claims) == data
    need(is_canonical, "the certificate was changed: its bytes do not fit its SHA-256")
    version = claims["adderlab_certificate"]
    bound(same(version, 1), f"certificates of version {version!r:.20} are not known here")
    if "artifacts" in claims:
        check_listed(claims["artifacts"])
    return fields(claims, (
        "adderlab_certificate", "counterexample", "evidence", "margin", "method", "network",
        "readout", "semantics", "sha256", "task", "verdict",
    ), ("artifacts", "artifacts_sha256"))  # fmt: skip


def check_listed(artifacts: Any) -> None:
    """Raise an error unless a list of artifacts has its form; it ascends by target and name."""
    need(isinstance(artifacts, list) and artifacts, "the artifacts are no list, or an empty one")
    for entry in steps(artifacts):
        values = fields(entry, ARTIFACT)
        texts = [value for value in values.values() if isinstance(value, str)]
        need(all(type(value) in ARTIFACT[key] for key, value in values.items())
             and all(re.fullmatch(f"[ -~]{{0,{LONGEST_TEXT}}}", text) for text in texts)
             and re.fullmatch("[0-9a-f]{64}", values["sha256"]) and "/" not in values["name"]
             and values["bytes"] >= 0 and values["equal"] is not False
             and values["checked_rows"] >= bool(values["equal"]),
             "what is said of an artifact is faulty")  # fmt: skip
    places = [(entry["to"], entry["name"]) for entry in artifacts]
    need(all(place < later for place, later in pairwise(places)), "the artifacts do not ascend")


def loaded(data: bytes, otherwise: Exception) -> Any:
    """Return what JSON says, of which there is no more than can be held, or raise an error."""
    values = sum(map(data.count, (b",", b"[", b"{")))
    bound(values <= MOST_VALUES, f"a file holds over {MOST_VALUES} values of JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        need(len(dict(pairs)) == len(pairs), "a key occurs twice in JSON")
        return dict(pairs)

    try:
        return json.loads(data.decode(), object_pairs_hook=unique)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise otherwise from None
    except ValueError:
        raise BeyondError("a number has more digits than Python reads") from None


def fields(value: Any, needed: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Any]:
    """Return a JSON object with exactly these keys, in this order."""
    names = [*needed]
    fits = isinstance(value, dict) and {*names} <= {*value} <= {*names, *optional}
    need(fits, f"an object has not exactly the keys {', '.join(sorted(names)) or 'none'}")
    return {key: value[key] for key in (*names, *optional) if key in value}


@dataclass(frozen=True)
class Numbers:
    """Numbers of a shape: ``integers`` times ``2**exponent``."""

    integers: list[int]
    exponent: int
    shape: tuple[int, ...]


CODES = {
    "F64": "d", "F32": "f", "F16": "e", "BF16": "H", "F8_E4M3": "B", "F8_E5M2": "B",
    "I8": "b", "I16": "h", "I32": "i", "I64": "q", "U8": "B", "U16": "H", "U32": "I", "U64": "Q",
}  # fmt: skip
"""Types of tensors as ``struct`` has them; of floats that it does not know, their bits."""
SMALL_FLOATS: dict[str, Callable[[int], float]] = {
    "BF16": lambda bits: struct.unpack("<f", struct.pack("<I", bits << 16))[0],
    "F8_E5M2": lambda bits: struct.unpack("<e", struct.pack("<H", bits << 8))[0],
    "F8_E4M3": lambda bits: math.nan if bits & 127 == 127 else 2.0**8 * struct.unpack(
        "<e", struct.pack("<H", (bits & 128) << 8 | (bits & 127) << 7)
    )[0],
}  # fmt: skip

Row = list[tuple[int, int]]  # columns with their whole numbers; zeros are left out


class File:
    """A network file: safetensors, whose tensors are each taken once."""

    def __init__(self, data: bytes) -> None:
        start = 8 + int.from_bytes(data[:8], "little")
        need(len(data) > 8 and start <= len(data), "the network file is cut short")
        faulty = InvalidError("the network file holds JSON that is none")
        header = loaded(data[8:start], faulty)
        metadata: Any = header.pop("__metadata__", None) if isinstance(header, dict) else None
        need(isinstance(metadata, dict) and isinstance(metadata.get("adderlab"), str),
             "the network file has no record of its layers")  # fmt: skip
        self.tensors: dict[str, tuple[str, tuple[int, ...], bytes]] = {}
        spans: list[tuple[int, ...]] = []
        for name, entry in header.items():
            dtype, *places = fields(entry, ("dtype", "shape", "data_offsets")).values()
            shape, span = map(sizes, places)
            need(isinstance(dtype, str) and dtype in CODES and len(span) == 2
                 and math.prod(shape) * struct.calcsize(CODES[dtype]) == span[1] - span[0],
                 f"tensor {name!r:.40} has another type, or another size")  # fmt: skip
            spans.append(span)
            self.tensors[name] = dtype, shape, data[start + span[0] : start + span[1]]
        spans.sort()
        need([0, *(end for _, end in spans)] == [*(begin for begin, _ in spans), len(data) - start],
             "tensors overlap, or bytes of the network file are unused")  # fmt: skip
        self.record: Any = loaded(metadata["adderlab"].encode(errors="surrogatepass"), faulty)
        self.room = Room(MOST_NUMBERS, f"the network has over {MOST_NUMBERS} numbers")
        self.stored: set[tuple[int, int]] = set()
        self.has_scales = False

    def take(self, name: Any, kind: str = "") -> Numbers:
        """Return a tensor's values, which nothing else may name; its type begins with ``kind``."""
        need(isinstance(name, str) and name in self.tensors, f"no tensor {name!r:.40} is left")
        dtype, shape, data = self.tensors.pop(name)
        need(dtype.startswith(kind), f"a tensor of type {dtype} stands for others")
        self.room.take(math.prod(shape))
        values = struct.unpack(f"<{math.prod(shape)}{CODES[dtype]}", data)
        if dtype[0] in "IU":
            return Numbers([*values], 0, shape)
        if dtype in SMALL_FLOATS:
            values = [SMALL_FLOATS[dtype](bits) for bits in steps(values)]
        need(all(map(math.isfinite, values)), "a tensor holds an infinity or NaN")
        least = max((value.as_integer_ratio()[1] for value in steps(values)), default=1)
        self.room.take(len(values), least.bit_length())
        ratios = (value.as_integer_ratio() for value in steps(values))
        integers = [over * (least // under) for over, under in ratios]
        return Numbers(integers, 1 - least.bit_length(), shape)

    def numbers(self, spec: Any) -> Numbers:
        """Return dense, packed or coded numbers."""
        if not isinstance(spec, dict):
            return self.take(spec)
        if "codes" in spec:
            names = fields(spec, ("codes", "sizes", "codebook")).values()
            codes, lengths, book = map(self.take, names, ("U", "U", "U8"))
            ends = [0, *accumulate(lengths.integers)]
            need(ends[-1] == len(book.integers), "a codebook has unused bytes")
            is_short = 8 * max(lengths.integers, default=0) <= LONGEST
            bound(is_short, f"a number has over {LONGEST} bits")
            parts = (bytes(book.integers[begin:end]) for begin, end in pairwise(ends))
            values = [int.from_bytes(part, "little", signed=True) for part in parts]
            need(ascends(values), "a codebook does not ascend")
            need(set(codes.integers) == {*range(len(values))}, "codes do not fit their codebook")
            return replace(codes, integers=[values[code] for code in codes.integers])
        bits, shape, name = fields(spec, ("packed", "shape", "data")).values()
        shape = sizes(shape)
        data, count = bytes(self.take(name, "U8").integers), math.prod(shape)
        need(type(bits) is int and 0 < bits <= 32 and len(data) == -(-count * bits // 8),
             "packed numbers take another number of bytes")  # fmt: skip
        need(not count * bits % 8 or not data[-1] >> count * bits % 8, "padding bits are set")
        self.room.take(count)
        integers = [bits_at(data, at * bits, bits, "little") for at in steps(range(count))]
        if bits == 1:
            return Numbers([1 - 2 * bit for bit in integers], 0, shape)
        return Numbers([number - (number >> bits - 1 << bits) for number in integers], 0, shape)

    def matrix(self, spec: Any, *, is_vector: bool = False) -> tuple[list[Row], int, int]:
        """Return the rows of a matrix, their power of two, and how many columns there are."""
        scale, zero = Numbers([1], 0, ()), None
        if isinstance(spec, dict) and "scale" in spec:
            entry = fields(spec, ("scale", "q"), ("zero",))
            self.has_scales, spec, scale = True, entry["q"], self.take(entry["scale"])
            zero = self.take(entry["zero"]) if "zero" in entry else None
        is_sparse = isinstance(spec, dict) and "indptr" in spec
        ends: Sequence[int] = ()
        columns: Sequence[int] = ()
        if is_sparse:
            shape, *places, values = fields(spec, ("shape", "indptr", "indices", "values")).values()
            shape, numbers = sizes(shape), self.numbers(values)
            ends, columns = (self.take(name, "U").integers for name in places)
            need(len(shape) == 2 and zero is None and len(ends) == shape[0] + 1 and ends[0] == 0
                 and ends[-1] == len(columns) == len(numbers.integers)
                 and all(begin <= end and ascends([-1, *columns[begin:end], shape[1]])
                         for begin, end in pairwise(ends)),
                 "a sparse matrix is faulty")  # fmt: skip
            self.stored.add((0, 0))
        else:
            numbers = self.numbers(spec)
            shape = (*numbers.shape, *[1] * is_vector)
        need(len(shape) == 2 and 0 not in shape and not (is_sparse and is_vector),
             "a weight is no matrix, or a bias no vector")  # fmt: skip
        units, width = shape
        ends = ends if is_sparse else range(0, units * width + 1, width)
        self.stored |= {(number, numbers.exponent) for number in steps(numbers.integers)}
        zeros = zero or Numbers([0], numbers.exponent, ())
        low = min(numbers.exponent, zeros.exponent)
        up, up_zero = numbers.exponent - low, zeros.exponent - low
        rows: list[Row] = []  # of values scale * (number - zero)
        each = zip(pairwise(ends), per_row(zeros, units), per_row(scale, units), strict=True)
        for (begin, end), nothing, factor in steps(each):
            row = numbers.integers[begin:end]
            count = len(row) if nothing else len(row) - row.count(0)
            self.room.take(count, max(up, up_zero) + factor.bit_length())
            own = columns[begin:end] if is_sparse else range(width)
            values = ((number << up) - (nothing << up_zero) for number in row)
            rows.append([(at, v * factor) for at, v in zip(own, values, strict=True) if v * factor])
        return rows, low + scale.exponent, width


def are_integers(value: Any, *lengths: int) -> bool:
    """Return whether something is a list of so many whole numbers, no true or 1.0 among them."""
    return isinstance(value, list) and len(value) in lengths and {*map(type, value)} <= {int}


def sizes(value: Any) -> tuple[int, ...]:
    """Return a list of sizes."""
    need(are_integers(value, 0, 1, 2) and all(size >= 0 for size in value),
         "a shape or place is no list of one or two whole numbers")  # fmt: skip
    return tuple(value)


def per_row(numbers: Numbers, count: int) -> list[int]:
    """Return one number a row."""
    need(numbers.shape in ((), (count,)), "scales are neither one nor one a row")
    return numbers.integers * (count if numbers.shape == () else 1)


def ascends(numbers: Iterable[int]) -> bool:
    """Return whether each number is above the one before."""
    return all(low < high for low, high in pairwise(numbers))


def bits_at(data: bytes, start: int, count: int, order: Literal["little", "big"]) -> int:
    """Return bits of bytes as a number; the first one is the lowest, or of ``big`` the highest."""
    end = start + count
    raw = int.from_bytes(data[start // 8 : -(-end // 8)], order)
    return raw >> (start if order == "little" else -end) % 8 & (1 << count) - 1


Line = tuple[Any, Any]  # slope and intercept: fractions, of a layer's units whole numbers
IDENTITY: Line = (Fraction(1), Fraction(0))


@dataclass(frozen=True)
class Pieces:
    """A piecewise linear function: a line before the first knot, then a value and a line each."""

    lines: tuple[Line, ...]
    knots: tuple[Any, ...] = ()
    values: tuple[Any, ...] = ()

    def levels(self) -> set[Fraction]:
        """Return its values at knots, and its intercepts."""
        return {*self.values, *(start for _, start in self.lines)}

    def is_continuous(self) -> bool:
        """Return whether it has no jump."""
        sides = zip(self.knots, self.values, pairwise(self.lines), strict=True)
        return all(
            slope * knot + start == value for knot, value, lines in sides for slope, start in lines
        )

    def at(self, total: Any) -> Any:
        """Return its value."""
        place = bisect_left(self.knots, total)
        if place < len(self.knots) and self.knots[place] == total:
            return self.values[place]
        slope, start = self.lines[place]
        return slope * total + start

    def spans(self) -> Iterator[tuple[float, float, Any, Any]]:
        """Yield each line, after the least and the largest whole number for which it holds."""
        for at, (slope, start) in enumerate(self.lines):
            low, high = -math.inf, math.inf
            if at > 0:
                low = self.knots[at - 1]
                low += self.values[at - 1] != slope * low + start
            if at < len(self.knots):
                high = self.knots[at]
                high -= self.values[at] != slope * high + start
            yield low, high, slope, start

    def over(self, sums: int, values: int) -> Pieces:
        """Return the same on whole numbers, from sums to values over these powers of two."""
        unit, step = Fraction(2) ** sums, Fraction(2) ** values
        return Pieces(
            tuple((int(slope * unit / step), int(start / step)) for slope, start in self.lines),
            tuple(int(knot / unit) for knot in self.knots),
            tuple(int(value / step) for value in self.values),
        )


def joined(*lines: Any, knots: Any = (Fraction(0),), values: Any = None) -> Pieces:
    """Return lines, or constants, between knots, at which it has the knots' values, or these."""
    own = (line if isinstance(line, tuple) else (Fraction(0), Fraction(line)) for line in lines)
    return Pieces(tuple(own), knots, knots if values is None else values)


def clipped(low: Fraction | None, high: Fraction | None) -> Pieces:
    """Return the function that keeps a sum between two limits; the upper one wins."""
    if low is not None and high is not None and low >= high:
        return joined(high, knots=())
    limits = tuple(limit for limit in (low, high) if limit is not None)
    return joined(*(line for line in (low, IDENTITY, high) if line is not None), knots=limits)


def chosen(is_closed: bool, knot: Fraction, *levels: Fraction | None) -> Pieces:
    """Return one level above a knot and another below, or the sum itself where there is none."""
    above, below = (IDENTITY if level is None else level for level in levels)
    at_knot = levels[0 if is_closed else 1]
    return joined(below, above, knots=(knot,), values=(knot if at_knot is None else at_knot,))


SAME, RELU = joined(IDENTITY, knots=()), joined(0, IDENTITY)
ACTIVATIONS: dict[str, tuple[str, Callable[..., Pieces] | None]] = {
    "identity": ("", lambda: SAME),
    "logit": ("", lambda: SAME),
    "relu": ("", lambda: RELU),
    "relu6": ("", lambda: clipped(Fraction(0), Fraction(6))),
    "sign": ("", lambda: joined(-1, 1)),
    "abs": ("", lambda: joined((Fraction(-1), Fraction(0)), IDENTITY)),
    "step": ("convention", lambda is_closed: joined(0, 1, values=(Fraction(is_closed),))),
    "heaviside": ("value", lambda value: joined(0, 1, values=(value,))),
    "leaky": ("slope", lambda slope: joined((slope, Fraction(0)), IDENTITY)),
    "prelu": ("slopes", lambda slope: joined((slope, Fraction(0)), IDENTITY)),
    "threshold": ("threshold value", lambda t, v: joined(v, IDENTITY, knots=(t,), values=(v,))),
    "hardtanh": ("min max", clipped),
    "clamp": ("min max", clipped),
    "where": ("convention threshold above below", chosen),
    "quotient": ("divisor", None), "softplus": ("beta threshold", None), "elu": ("alpha", None),
    "gelu": ("approximate", None),
}  # fmt: skip
"""The options of activations, and what they make; others have no options and no whole numbers."""


def activations(entry: dict[str, Any], units: int) -> list[Pieces]:
    """Return what a layer of the record applies to the sum of each of its units."""
    kind = entry["activation"]
    keys, make = ACTIVATIONS.get(kind, ("", None))
    if make is None:
        raise BeyondError(f"{kind!r:.20} is not evaluated here: it has no whole numbers")

    def option(key: str, value: Any) -> Any:
        if key == "convention":
            need(value in (">", ">="), "a layer has no such convention")
            return value == ">="
        if value is None and (kind == "clamp" or key in ("above", "below")):
            return None
        return Fraction(a_float(value, f"{key} of {kind!r:.20}"))

    if kind == "prelu":
        slopes = entry["slopes"]
        need(isinstance(slopes, list) and len(slopes) in (1, units), "slopes are not one a unit")
        return [make(option("slopes", slope)) for slope in slopes] * (units // len(slopes))
    return [make(*(option(key, entry[key]) for key in keys.split()))] * units


@dataclass(frozen=True)
class Layer:
    """A layer over whole numbers."""

    reads: list[str]  # names of what it reads, joined in this order
    rows: list[Row]  # of each unit, the columns that it reads and their weights
    exponent: int  # the power of two that sums are multiples of
    scale: int  # the power of two that values are multiples of
    pieces: list[Pieces]  # of each unit
    units: list[Pieces]  # the same on whole numbers

    def activation(self) -> Callable[[list[int]], list[int]]:
        """Return what makes the units' values of their sums."""
        kinds = set(self.units)
        if kinds == {SAME}:
            return lambda sums: sums
        if kinds == {RELU}:
            return lambda sums: [total if total > 0 else 0 for total in sums]
        return lambda sums: [unit.at(total) for unit, total in zip(self.units, sums, strict=True)]


@dataclass
class Net:
    """A network, as exact as the file is."""

    outputs: list[str]  # the layers whose values are read out, joined
    readout: dict[str, Any]  # as a certificate states it
    threshold: Fraction  # of the readout; that of what goes into a last sigmoid, which is left out
    can_be_run: bool  # whether a format's arithmetic is that of these layers: no scales, no sigmoid
    stored: set[tuple[int, int]]  # every number that is stored, and its power of two
    ranges: dict[str, list[tuple[int, int]]]
    """Of each value the power of two that it is a multiple of, and its bits over that."""
    layers: dict[str, Layer] = field(default_factory=dict[str, Layer])  # by name, in their order
    n_in: int = 0

    def exponents(self, names: Sequence[str]) -> list[int]:
        """Return the power of two of each joined value."""
        return [exponent for exponent, _ in self.join(self.ranges, names)]

    def join(self, values: dict[str, list[T]], names: Sequence[str]) -> list[T]:
        """Return values end to end."""
        return [*chain.from_iterable(values[name] for name in names)]


def exponent_of(number: Fraction) -> int:
    """Return the power of two that a dyadic number is an odd multiple of."""
    zeros = (number.numerator & -number.numerator).bit_length()
    return max(zeros, 1) - number.denominator.bit_length()


def listed(value: Any, known: Iterable[str]) -> list[str]:
    """Return names of layers or bits, each known and named once."""
    fits = isinstance(value, list) and value and all(isinstance(name, str) for name in value)
    need(fits and set(value) <= set(known) and len(set(value)) == len(value),
         "layers or bits are named that are not there, or twice")  # fmt: skip
    return value


def a_float(value: Any, what: str) -> float:
    """Return a JSON number as the nearest double."""
    need(type(value) in (int, float), f"{what} is no number")
    with contextlib.suppress(OverflowError):
        if math.isfinite(nearest := float(value)):
            return nearest
    raise InvalidError(f"{what} is beyond every double")


def read_network(data: bytes) -> Net:
    """Return the network in a file's bytes."""
    CLOCK.get().look("while the network file was read")
    file = File(data)
    record = fields(file.record, ("schema", "task", "format", "layers", "readout"),
                    ("training", "outputs"))  # fmt: skip
    need(same(record["schema"], 1), "the record is of another schema")
    entries, readout = record["layers"], record["readout"]
    need(isinstance(entries, list) and entries, "the record has no layers")
    names = [f"fc{number}" for number in range(1, len(entries) + 1)]
    for at, entry in enumerate(entries):
        need(isinstance(entry, dict) and isinstance(entry.get("activation"), str),
             "a layer has no activation")  # fmt: skip
        options, _ = ACTIVATIONS.get(entry["activation"], ("", None))
        own = fields(entry, ("weight", "activation", *options.split()), ("bias", "inputs"))
        entries[at] = {"inputs": names[at - 1 : at] or ["input"], **own}
    outputs = listed(record.get("outputs", names[-1:]), names)
    kind = readout.get("kind") if isinstance(readout, dict) else None
    bound(kind != "argmax", "a readout by argmax is not read here; save the network again")
    _ = fields(readout, ("kind",) if kind == "exact" else ("kind", "threshold", "convention"))
    threshold = Fraction(0)
    if kind != "exact":
        need(kind == "threshold" and readout["convention"] in (">", ">="), "no such readout")
        threshold = Fraction(a_float(readout["threshold"], "the threshold"))
        readout = {**readout, "threshold": str(threshold)}
    last = [entry for name, entry in zip(names, entries, strict=True) if name in outputs]
    is_read = any(name in entry["inputs"] for entry in entries for name in outputs)
    can_be_run = "logit" not in {entry["activation"] for entry in entries}
    are_sigmoids = {entry["activation"] for entry in last} == {"sigmoid"}
    if are_sigmoids and threshold == Fraction(1, 2) and not is_read:
        threshold, can_be_run = Fraction(0), False  # sigmoid(y) > 1/2 where y > 0
        for entry in last:
            entry["activation"] = "identity"
    ranges = {CONSTANT: [(0, 1)], "input": []}
    net = Net(outputs, readout, threshold, can_be_run, file.stored, ranges)
    for name, entry in zip(names, entries, strict=True):
        CLOCK.get().look(f"while the weights of {name} of {len(names)} layers were read")
        add_layer(net, file, name, entry)
    need(not file.tensors, "a tensor is used by no layer")
    net.can_be_run &= not file.has_scales
    return net


def add_layer(net: Net, file: File, name: str, entry: dict[str, Any]) -> None:
    """Add a layer to a network: its weights over the powers of two of what it reads."""
    reads = listed(entry["inputs"], ("input", *net.layers))
    rows, power, width = file.matrix(entry["weight"])
    if "input" in reads:
        rest = width - len(net.join(net.ranges, [own for own in reads if own != "input"]))
        need(rest > 0 and net.n_in in (0, rest), "layers read inputs of other widths")
        bound(rest <= MOST_INPUTS, f"over {MOST_INPUTS} input bits are not evaluated here")
        net.n_in, net.ranges["input"] = rest, [(0, 1)] * rest
    sources = net.join(net.ranges, (*reads, CONSTANT))
    need(len(sources) == width + 1, "a layer's weight has another width than what it reads")
    columns = [power + exponent for exponent, _ in sources]
    if "bias" in entry:
        biases, bias_power, _ = file.matrix(entry["bias"], is_vector=True)
        need(len(rows) == len(biases), "a layer has more biases than units, or fewer")
        columns[-1] = bias_power if any(biases) else power
        for row, bias in zip(rows, biases, strict=True):
            row += [(width, number) for _, number in bias]
    pieces = activations(entry, len(rows))
    kinds = set(pieces)
    knots = {knot for kind in kinds for knot in kind.knots if knot}
    levels = {level for kind in kinds for level in kind.levels() if level}
    slopes = {slope for kind in kinds for slope, _ in kind.lines if slope}
    finest = min(*columns, *map(exponent_of, knots))
    bound(finest >= -LONGEST, f"a number is a multiple of less than 2^-{LONGEST}")
    scales = [finest + exponent_of(slope) for slope in slopes]
    scale = min([*scales, *map(exponent_of, levels)], default=0)
    for unit, row in enumerate(rows):
        longest = max((n.bit_length() + columns[at] for at, n in row), default=0)
        file.room.take(len(row), longest - finest)
        rows[unit] = [(at, n << columns[at] - finest) for at, n in row]
    whole = {kind: kind.over(finest, scale) for kind in kinds}
    # no number on the way to a value is longer than these say: sums, then values
    sums = max((n.bit_length() + sources[at][1] for row in steps(rows) for at, n in row), default=0)
    sums += width.bit_length() + 1
    lengths = [(slope.bit_length() + sums, start.bit_length())
               for kind in whole.values() for slope, start in kind.lines]  # fmt: skip
    top = 1 + max(chain(*lengths, (n.bit_length() for kind in whole.values() for n in kind.values)))
    bound(max(sums, top) <= LONGEST, f"values of {name} may have over {LONGEST} bits")
    file.room.take(len(rows), max(sums, top))
    net.ranges[name] = [(scale, top)] * len(rows)
    units = [whole[kind] for kind in pieces]
    net.layers[name] = Layer([*reads, CONSTANT], rows, finest, scale, pieces, units)


Words = dict[str, int]
Rule = Callable[[Words], dict[str, int | None]]  # to output words, None where any value will do


@dataclass(frozen=True)
class Task:
    """What the network is claimed to compute."""

    name: str  # as the certificate has it
    inputs: list[tuple[str, int, int]]  # names, widths and numbers of values of the input words
    outputs: list[tuple[str, int]]  # names and widths of the output words
    rule: Rule  # between them
    takes: list[str]  # the input bits in the order in which the network takes them
    gives: list[str]  # likewise the output bits
    equation: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """Of bits the power of two and the sign in the sum that the task is about."""

    @property
    def rows(self) -> int:
        """How many inputs its domain has."""
        return math.prod(size for _, _, size in self.inputs)

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


TASKS: dict[str, tuple[str, str, str, Callable[..., dict[str, int | None]]]] = {
    "half-adder": ("a:1 b:1", "c:2", "c -a -b", lambda w, n: {"c": w["a"] + w["b"]}),
    "full-adder": ("a:1 b:1 cin:1", "c:2", "c -a -b -cin",
                   lambda w, n: {"c": w["a"] + w["b"] + w["cin"]}),
    "adder:N": ("a:N b:N", "c:M", "c -a -b", lambda w, n: {"c": w["a"] + w["b"]}),
    "subtractor:N": ("a:N b:N", "borrow:1 d:N", "d -a b -borrow@N", lambda w, n: {
        "borrow": int(w["a"] < w["b"]), "d": (w["a"] - w["b"]) % (1 << n),
    }),
    "comparator:N": ("a:N b:N", "lt:1 eq:1 gt:1", "a -b", lambda w, n: {
        "lt": int(w["a"] < w["b"]), "eq": int(w["a"] == w["b"]), "gt": int(w["a"] > w["b"]),
    }),
    "multiplier:N": ("a:N b:N", "p:D", "", lambda w, n: {"p": w["a"] * w["b"]}),
    "parity:N": ("x:N", "p:1", "", lambda w, n: {"p": w["x"].bit_count() % 2}),
    "majority:N": ("x:N", "m:1", "x@0", lambda w, n: {"m": int(2 * w["x"].bit_count() > n)}),
    "popcount:N": ("x:N", "n:L", "n -x@0", lambda w, n: {"n": w["x"].bit_count()}),
    "adder:any": ("a:1 b:1 cin:1", "c:2", "", lambda w, n: {"c": w["a"] + w["b"] + w["cin"]}),
    "decimal-adder:any": ("d:4<10 e:4<10 cin:1", "cout:1 s:4", "", lambda w, n: {
        "cout": sum(w.values()) // 10, "s": sum(w.values()) % 10,
    }),
    "subtractor:any": ("a:1 b:1 bin:1", "bout:1 d:1", "", lambda w, n: {
        "bout": int(w["a"] < w["b"] + w["bin"]), "d": (w["a"] - w["b"] - w["bin"]) % 2,
    }),
    "comparator:any": ("a:1 b:1 before:2<3", "order:2", "", lambda w, n: {
        "order": w["before"] if w["a"] == w["b"] else 1 + (w["a"] > w["b"]),
    }),
    "parity:any": ("x:1 before:1", "p:1", "", lambda w, n: {"p": w["x"] ^ w["before"]}),
}  # fmt: skip
"""Words of width N, M = N + 1, D = 2 N or L, the bits of N; a sum of words; and the rule.

The sum is 0 if it has output words, else the rule depends on it alone. ``@`` says the power of two
that each bit of a word counts, instead of its own.
"""


COLLECTED = "of the lowest n digits is the number collected"
CLAIMS = {
    "adder:any": f"the sum {COLLECTED} + 2^n times what is carried",
    "decimal-adder:any": f"the sum {COLLECTED} + 10^n times what is carried",
    "subtractor:any": f"the difference {COLLECTED} - 2^n times what is carried",
    "comparator:any":
        "what is carried says how the lowest n digits compare: 0 equal, 1 less, 2 greater",
    "parity:any": "what is carried is 1 where the lowest n bits have an odd number of ones",
}  # fmt: skip
"""What holds by induction of a cell that is repeated from the lowest digit on, at first carried 0.

Its rule in ``TASKS`` is the step: from digits of the operands, and from what is carried to it.
"""


def named_task(name: str) -> Task:
    """Return the task of a name."""
    own = f"{name[5:]}:any" if name.startswith("cell:") else name
    sized = re.fullmatch("(.+:)([1-9][0-9]*)", own)
    entry = TASKS.get(f"{sized[1]}N" if sized else own)
    if entry is None or ("N" in entry[0] and not sized):
        raise InvalidError(f"there is no task {name!r:.40}")
    *texts, terms, rule = entry
    width = int(sized[2][:6]) if sized else 1
    bound(width <= MOST_INPUTS, f"over {MOST_INPUTS} input bits are not evaluated here")
    letters = {"N": width, "M": width + 1, "D": 2 * width, "L": width.bit_length()}
    inputs, outputs = (
        [(word, bits := letters.get(size) or int(size), int(values or 1 << bits))
         for word, size, values in re.findall(r"(\w+):(\w+)(?:<(\d+))?", text)]
        for text in texts
    )  # fmt: skip
    equation: dict[str, tuple[int, int]] = {}
    for sign, word, power in re.findall(r"(-?)(\w+)@?(\w?)", terms):
        own = [entry for entry in (*inputs, *outputs) if entry[0] == word]
        for bit, (_, place) in places(own).items():
            equation[bit] = letters.get(power, 0) if power else place, -1 if sign else 1
    outputs = [(word, bits) for word, bits, _ in outputs]
    takes, gives = [*places(inputs)], [*places(outputs)]
    return Task(name, inputs, outputs, partial(rule, n=width), takes, gives, equation)


def table_task(name: str, table: Any) -> Task:
    """Return the task of a truth table: its words, and its rows packed as in network files."""
    entry = fields(table, ("in", "out", "rows", "sha256"))
    need(name == f"{TABLE}{entry['sha256']}", "a table has another task's name")
    packed = json.dumps({"in": entry["in"], "out": entry["out"]}, separators=(",", ":")).encode()
    try:
        rows = base64.b64decode(entry["rows"], validate=True)
    except (TypeError, ValueError):
        raise InvalidError("the table is faulty") from None
    need(hashlib.sha256(packed + rows).hexdigest() == entry["sha256"], "the table was changed")
    inputs = [(word, bits, 1 << bits if size is None else size)
              for word, bits, size in words_of(entry["in"], 3)]  # fmt: skip
    outputs = [(word, bits) for word, bits in words_of(entry["out"], 2)]
    need(all(type(size) is int and 0 < size <= 1 << bits for _, bits, size in inputs)
         and len({word[0] for word in (*inputs, *outputs)}) == len(inputs) + len(outputs),
         "the table is faulty")  # fmt: skip
    most = max(sum(word[1] for word in words) for words in (inputs, outputs))
    bound(most <= MOST_INPUTS, f"words of over {MOST_INPUTS} bits are not evaluated here")
    count = math.prod(size for _, _, size in inputs)
    planes: dict[str, tuple[int, bytes, bytes]] = {}
    at = 0
    for word, width in outputs:
        middle = at + -(-count * width // 8)
        end = middle + -(-count // 8)
        planes[word] = width, rows[at:middle], rows[middle:end]
        at = end
    need(at == len(rows), "the table has another number of rows")

    def rule(words: Words) -> dict[str, int | None]:
        row = task.number(words)
        own: dict[str, int | None] = dict.fromkeys(planes)
        for word, (width, bits, cares) in planes.items():
            if bits_at(cares, row, 1, "big"):
                own[word] = bits_at(bits, row * width, width, "big")
        return own

    task = Task(name, inputs, outputs, rule, [*places(inputs)], [*places(outputs)])
    return task


def words_of(value: Any, size: int) -> list[list[Any]]:
    """Return the words of a table, as lists that begin with name and width."""
    need(isinstance(value, list) and value and all(
        isinstance(word, list) and len(word) == size and type(word[1]) is int
        and isinstance(word[0], str) and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", word[0])
        and 0 < word[1] <= 1 << 16 for word in value), "the table is faulty")  # fmt: skip
    return value


def task_of(claims: dict[str, Any]) -> Task:
    """Return the task that a certificate is about, its bits in the network's order."""
    entry = fields(claims["task"], ("name", "inputs", "outputs", "order", "table"))
    name, table = entry["name"], entry["table"]
    need(isinstance(name, str), "the task has no name")
    task = named_task(name) if table is None else table_task(name, table)
    order = fields(entry["order"], ("inputs", "outputs"))
    for own, words, usual in ((order["inputs"], task.inputs, task.takes),
                              (order["outputs"], task.outputs, task.gives)):  # fmt: skip
        need(len(usual) == sum(width for _, width, *_ in words), "two bits have one name")
        need(own is None or len(listed(own, usual)) == len(usual), "an order is of fewer bits")
    words = [[name, width, None if size == 1 << width else size]
             for name, width, size in task.inputs]  # fmt: skip
    need(same([entry["inputs"], entry["outputs"]], [words, task.outputs]),
         "the words stated are not the task's")  # fmt: skip
    takes, gives = order["inputs"] or task.takes, order["outputs"] or task.gives
    return replace(task, takes=takes, gives=gives)


class Machine:
    """The network on one row after another; sums of layers that read the input alone are kept."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.input = [0] * net.n_in
        self.kept: dict[str, list[int]] = {}
        self.columns: dict[str, list[Row]] = {}
        self.activations = {name: layer.activation() for name, layer in net.layers.items()}
        for name, layer in net.layers.items():
            if layer.reads == ["input", CONSTANT]:
                columns: list[Row] = [[] for _ in range(net.n_in + 1)]
                for unit, row in enumerate(layer.rows):
                    for at, weight in row:
                        columns[at].append((unit, weight))
                biases = dict(columns.pop())
                self.kept[name] = [biases.get(unit, 0) for unit in range(len(layer.rows))]
                self.columns[name] = columns

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
        values: dict[str, list[int]] = {CONSTANT: [1], "input": self.input}
        for name, layer in net.layers.items():
            clock.look()
            sums = self.kept.get(name)
            if sums is None:
                own = net.join(values, layer.reads)
                sums = [sum([weight * own[at] for at, weight in row]) for row in layer.rows]
            values[name] = self.activations[name](sums)
        return net.join(values, net.outputs)


class Reader:
    """The one rule from outputs to bits, on whole numbers over their powers of two."""

    def __init__(self, net: Net) -> None:
        self.is_exact = net.readout["kind"] == "exact"
        self.threshold = net.threshold
        self.units = [Fraction(2) ** power for power in net.exponents(net.outputs)]
        # of each output what is read as 1: this number alone, or all above this limit
        self.ones = [int(1 / unit) if unit <= 1 else None for unit in self.units]
        limits = [net.threshold / unit for unit in self.units]
        is_closed = net.readout.get("convention") == ">="
        self.limits = [math.ceil(t) - 1 if is_closed else math.floor(t) for t in limits]

    def exact(self, outputs: Sequence[int]) -> list[Fraction]:
        """Return outputs as fractions."""
        return [value * unit for value, unit in zip(outputs, self.units, strict=True)]

    def bits(self, outputs: Sequence[int]) -> list[int | None]:
        """Return the bits; ``None`` where an output is none."""
        if self.is_exact:
            bits = zip(outputs, self.ones, strict=True)
            return [0 if not value else 1 if value == level else None for value, level in bits]
        return [int(value > limit) for value, limit in zip(outputs, self.limits, strict=True)]

    def margins(self, *nearest: Sequence[float]) -> Margins:
        """Return how far the nearest outputs on either side are from the threshold."""
        sides = (
            [abs(int(value) * unit - self.threshold)
             for value, unit in zip(side, self.units, strict=True) if abs(value) != math.inf]
            for side in nearest
        )  # fmt: skip
        of_0, of_1 = (min(distances, default=None) for distances in sides)
        return {"of_0": of_0, "of_1": of_1}


def check_rows(net: Net, task: Task) -> tuple[Margins, str]:
    """Evaluate every row of the domain in Gray-code order; return margins and the rows' hash."""
    is_small = net.n_in <= MOST_BITS
    bound(is_small, f"{net.n_in} input bits are more than the {MOST_BITS} that are tried")
    count, clock = 1 << net.n_in, CLOCK.get()
    machine, reader = Machine(net), Reader(net)
    words = {name: 0 for name, _, _ in task.inputs}
    takes, gives = places(task.inputs), places(task.outputs)
    size = -(-len(gives) // 8)
    packed = bytearray(task.rows * size)
    least: list[float] = [math.inf] * len(gives)
    most: list[float] = [-math.inf] * len(gives)
    for step in range(count):
        clock.look(f"after {step} of {count} combinations of input bits")
        if step:
            at = (step & -step).bit_length() - 1
            name, place = takes[task.takes[at]]
            words[name] ^= 1 << place
            machine.set(at, 1 - machine.input[at])
        if task.rows < count and any(words[name] >= limit for name, _, limit in task.inputs):
            continue
        row = task.number(words) * size
        expected = task.rule(words)
        code = 0
        for name, width in task.outputs:
            code = code << width | (expected[name] or 0)
        packed[row : row + size] = code.to_bytes(size, "big")
        outputs = machine.outputs()
        for at, bit in enumerate(reader.bits(outputs)):
            name, place = gives[task.gives[at]]
            value = expected[name]
            if value is None:
                continue
            if bit != value >> place & 1:
                raise InvalidError(f"it is wrong on {words}")
            if bit and outputs[at] < least[at]:
                least[at] = outputs[at]
            elif not bit and outputs[at] > most[at]:
                most[at] = outputs[at]
    return reader.margins(most, least), hashlib.sha256(packed).hexdigest()


def check_counterexample(net: Net, task: Task, claims: dict[str, Any]) -> str:
    """Evaluate a refuted network on its counterexample."""
    need(claims["semantics"] == ["exact"] and claims["margin"] is None, "a refutation claims more")
    need(claims["evidence"] == {}, "a refutation has other evidence than its counterexample")
    example = fields(claims["counterexample"], ("input", "expected", "got", "output"))
    words = fields(example["input"], [name for name, _, _ in task.inputs])
    need(all(type(words[name]) is int and 0 <= words[name] < size for name, _, size in task.inputs),
         "the counterexample is outside the domain")  # fmt: skip
    machine, reader = Machine(net), Reader(net)
    where = places(task.inputs)
    for at, bit in enumerate(task.takes):
        name, place = where[bit]
        machine.set(at, words[name] >> place & 1)
    outputs = machine.outputs()
    bits = dict(zip(task.gives, reader.bits(outputs), strict=True))
    got: dict[str, int | None] = {}
    for word in task.outputs:
        own = [bits[bit] for bit in places([word])]
        got[word[0]] = None if None in own else int("".join(map(str, own)), 2)
    expected = task.rule(words)
    need(same(example, {"input": words, "output": reader.exact(outputs),
                        "got": got, "expected": expected}),
         "the network gives something else there")  # fmt: skip
    need(any(value is not None and got[name] != value for name, value in expected.items()),
         "the network is right there")  # fmt: skip
    return f"{task.name} is wrong on {', '.join(f'{k} = {v}' for k, v in words.items())}"


Function = tuple[int, int]  # an offset and a node: the offset plus the steps on an input's way
ZERO: Function = (0, 0)
ONE: Function = (1, 0)


class Diagrams:
    """Edge-valued decision diagrams: equal functions are equal pairs.

    A node ``(variable, low, high, step)`` goes to ``low`` where its variable is 0, and to ``high``,
    adding ``step``, where it is 1. Node 0 is the end. Variables ascend on every way.
    """

    def __init__(self) -> None:
        self.nodes: list[tuple[int, int, int, int]] = [(1 << 62, 0, 0, 0)]
        self.room = Room(MOST_NODES, f"the diagrams have over {MOST_NODES} nodes and sums")
        self.least, self.most = [0], [0]
        self.known: dict[tuple[int, int, int, int], int] = {}
        self.sums: dict[tuple[int, int, int, int], Function] = {}
        self.applied: dict[Pieces, dict[Function, Function]] = {}

    def node(self, variable: int, low: Function, high: Function) -> Function:
        """Return the function that is ``low`` where a variable is 0, else ``high``."""
        step = high[0] - low[0]
        if not step and low[1] == high[1]:
            return low
        key = (variable, low[1], high[1], step)
        if key not in self.known:
            self.room.take(1, step.bit_length() >> 1)
            self.known[key] = len(self.nodes)
            self.nodes.append(key)
            self.least.append(min(self.least[low[1]], step + self.least[high[1]]))
            self.most.append(max(self.most[low[1]], step + self.most[high[1]]))
        return low[0], self.known[key]

    def sides(self, node: int, variable: int) -> tuple[Function, Function]:
        """Return what a node is where a variable, its own or an earlier one, is 0 and is 1."""
        own, low, high, step = self.nodes[node]
        return ((0, low), (step, high)) if own == variable else ((0, node), (0, node))

    def sum(self, f: Function, a: int, g: Function = ZERO, b: int = 0) -> Function:
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
            self.room.take(1, a.bit_length() >> 1)
            variable = min(self.nodes[f][0], self.nodes[g][0])
            parts: list[Function] = []
            pairs = zip(self.sides(f, variable), self.sides(g, variable), strict=True)
            for (f_step, f_node), (g_step, g_node) in pairs:
                offset, node = self._sum(f_node, a, g_node, b)
                parts.append((offset + a * f_step + b * g_step, node))
            self.sums[key] = self.node(variable, *parts)
        return self.sums[key]

    def apply(self, pieces: Pieces, f: Function) -> Function:
        """Return a piecewise linear function of a function: split until a line of it decides."""
        spans, done = [*pieces.spans()], self.applied.setdefault(pieces, {})

        def visit(f: Function) -> Function:
            offset, node = f
            if not node:
                return pieces.at(offset), 0
            for low, high, slope, start in spans:
                if low <= offset + self.least[node] and offset + self.most[node] <= high:
                    offset, node = self.sum(f, slope)
                    return offset + start, node
            if f not in done:
                self.room.take(1, offset.bit_length() >> 1)
                variable, low, high, step = self.nodes[node]
                done[f] = self.node(variable, visit((offset, low)), visit((offset + step, high)))
            return done[f]

        return visit(f)

    def above(self, f: Function, limit: int) -> Function:
        """Return 1 where a function is above a limit, and 0 elsewhere."""
        return self.apply(Pieces(((0, 0), (0, 1)), (limit,), (0,)), f)

    def claimed(self, nodes: Any) -> list[Function]:
        """Return the functions of a certificate's nodes, each made of earlier ones."""
        need(isinstance(nodes, list), "the evidence has no nodes")
        claimed: list[Function] = [ZERO]
        for entry in nodes:
            need(are_integers(entry, 4) and min(entry[:3]) >= 0 and max(entry[1:3]) < len(claimed),
                 "a node is no list of a variable, two nodes before it, and a step")  # fmt: skip
            variable, low, high, step = entry
            down, up = claimed[low], claimed[high]
            need(variable < min(self.nodes[down[1]][0], self.nodes[up[1]][0]),
                 "variables do not ascend")  # fmt: skip
            claimed.append(self.node(variable, down, (step + up[0], up[1])))
        return claimed

    def nearest(self, f: Function, limit: int) -> tuple[float, float]:
        """Return the largest value up to a limit, and the least above it, infinite for none."""
        least, most = (f[0] + ends[f[1]] for ends in (self.least, self.most))
        if most <= limit or least > limit:
            return (most, math.inf) if most <= limit else (-math.inf, least)
        # what is beyond the limit counts as the value that is furthest on the other side
        offset, node = self.apply(Pieces(((1, 0), (0, least)), (limit,), (limit,)), f)
        below = offset + self.most[node]
        offset, node = self.apply(Pieces(((0, most), (1, 0)), (limit,), (most,)), f)
        return below, offset + self.least[node]


def check_diagrams(net: Net, task: Task, order: Any, nodes: Any, layers: Any) -> Margins:
    """Compare each unit's diagram with the claimed one, and the outputs' with the task's."""
    need(len(listed(order, task.takes)) == len(task.takes), "the order is of fewer bits")
    need(task.rows == 1 << net.n_in, "diagrams are of all combinations of bits")
    clock, diagrams, reader = CLOCK.get(), Diagrams(), Reader(net)
    clock.look("while the nodes of the evidence were read")
    claimed = diagrams.claimed(nodes)
    bits = {bit: diagrams.node(variable, ZERO, ONE) for variable, bit in enumerate(order)}
    values = {CONSTANT: [ONE], "input": [bits[bit] for bit in task.takes]}
    need(isinstance(layers, list) and len(layers) == len(net.layers),
         "the evidence is of other layers")  # fmt: skip
    for (name, layer), claim in zip(net.layers.items(), layers, strict=True):
        power, pairs = fields(claim, ("exponent", "units")).values()
        need(type(power) is int and isinstance(pairs, list) and len(pairs) == len(layer.rows),
             "the evidence is of other units")  # fmt: skip
        bound(abs(power) <= LONGEST, f"an exponent is beyond {LONGEST} in the evidence")
        low = min(power, layer.scale)
        own, values[name] = net.join(values, layer.reads), []
        for unit, (row, pair) in enumerate(zip(layer.rows, pairs, strict=True)):
            clock.look(f"at unit {unit} of {len(layer.rows)} in {name}")
            total = ZERO
            for at, weight in sorted(row, key=lambda term: (abs(term[1]), term[0])):
                total = diagrams.sum(total, 1, own[at], weight)
            function = diagrams.apply(layer.units[unit], total)
            need(are_integers(pair, 2) and 0 <= pair[1] < len(claimed),
                 "a node is not in the evidence")  # fmt: skip
            offset, node = claimed[pair[1]]
            stated = diagrams.sum((pair[0] + offset, node), 1 << power - low)
            need(stated == diagrams.sum(function, 1 << layer.scale - low),
                 f"unit {unit} of {name} is not what the evidence says")  # fmt: skip
            values[name].append(function)
    clock.look("while the outputs were compared with the task")
    read: dict[str, Function] = {}
    nearest: list[tuple[float, float]] = []
    for at, (bit, value) in enumerate(zip(task.gives, net.join(values, net.outputs), strict=True)):
        limit = 0 if reader.is_exact else reader.limits[at]
        read[bit] = diagrams.above(value, limit)
        is_bit = not reader.is_exact or value == diagrams.sum(read[bit], reader.ones[at] or 0)
        need(is_bit, f"{bit} is not always a bit")
        nearest.append(diagrams.nearest(value, limit))
    for function in must_vanish(diagrams, task, bits, read):
        need(function == ZERO, f"the outputs are not those of {task.name}")
    return reader.margins(*zip(*nearest, strict=True))


def must_vanish(
    diagrams: Diagrams, task: Task, inputs: dict[str, Function], outputs: dict[str, Function]
) -> Iterator[Function]:
    """Yield functions that are 0 on every input exactly if the outputs are the task's."""
    add, functions = diagrams.sum, {**inputs, **outputs}
    is_parity = task.name.startswith("parity:")
    bound(task.equation or is_parity, f"what {task.name} asks for is not known here as diagrams")
    terms = sorted(task.equation.items(), key=lambda term: (-term[1][0], term[0] in outputs))
    total, last = ZERO, 0
    for bit, (place, sign) in terms:  # Horner's rule, from the heaviest bits
        total = add(add(total, 1 << abs(last - place)), 1, functions[bit], sign)
        last = place
    if outputs.keys() & task.equation.keys():
        yield total
        return
    for bit in inputs if is_parity else ():  # x + y - 2 and(x, y)
        total = add(total, 1, inputs[bit], 1)
        total = add(total, 1, diagrams.above(total, 1), -2)
    above, below = (diagrams.above(add(total, sign), 0) for sign in (1, -1))
    expected = {
        "p": total,
        "m": diagrams.above(total, len(inputs) // 2),
        "gt": above,
        "lt": below,
        "eq": add(ONE, 1, add(above, 1, below, 1), -1),
    }
    for bit, function in outputs.items():
        yield add(function, 1, expected[bit], -1)


FLOATS = {  # significant bits, the exponent of the smallest subnormal, the largest finite value
    "fp64": (53, -1074, (2**53 - 1) << 971), "fp32": (24, -149, (2**24 - 1) << 104),
    "fp16": (11, -24, 65504), "bf16": (8, -133, (2**8 - 1) << 120),
    "fp8-e4m3": (4, -9, 448), "fp8-e5m2": (3, -16, 57344),
}  # fmt: skip
WHOLE: dict[str, tuple[float, float]] = {  # the least and the largest number
    "wide": (-math.inf, math.inf), "ternary": (-1, 1), "binary": (-1, 1),
    **{f"int{bits}": (-1 << bits - 1, (1 << bits - 1) - 1) for bits in (*range(2, 9), 16, 32)},
}  # fmt: skip


def is_in(name: str, number: Fraction) -> bool:
    """Return whether a dyadic number is one of a format's."""
    if name in FLOATS:
        precision, smallest, largest = FLOATS[name]
        power = exponent_of(number)
        length = (number / Fraction(2) ** power).numerator.bit_length()
        fits = length <= precision and power >= smallest and abs(number) <= largest
        return fits or not number
    low, high = WHOLE[name]
    return number.denominator == 1 and low <= number <= high and (name != "binary" or bool(number))


@dataclass(frozen=True)
class Value:
    """What is known of a unit's sum, or of its value, on every input."""

    low: Fraction
    high: Fraction  # bounds on the exact value
    error: Fraction  # how far the computed value can be off
    grid: int  # exact values are multiples of 2 to this

    def after(self, shape: Pieces) -> Value | None:
        """Return what is then known of a function of it; ``None`` past a jump."""
        if self.error and not shape.is_continuous():
            return None
        low, high = self.low - self.error, self.high + self.error
        knots = [knot for knot in shape.knots if low <= knot <= high]
        values = [shape.at(x) for x in (low, high, *knots)]
        values += [slope * knot + start for knot in knots for slope, start in shape.lines]
        grids = [exponent_of(level) for level in shape.levels() if level]
        if any(slope for slope, _ in shape.lines):
            grids.append(self.grid)
        return Value(min(values), max(values), self.error, min(grids, default=0))


def is_right_in(net: Net, name: str, margins: dict[str, str | None] | None) -> bool:
    """Return whether a network that is right exactly is, as it follows, right in a format too.

    Products and partial sums are rounded one by one, in any order of summation. Where all partial
    sums of a unit lie on a grid of at most ``2**precision`` steps, none is rounded. Otherwise a sum
    of n products and a bias is off by at most ``g * (the sum of all magnitudes)``, with ``g = m u /
    (1 - m u)`` for m = n + 1 roundings of unit u, and by the smallest subnormal for each; errors of
    what is read are added, times the weights. Outputs that are off by less than the margin are
    right. Whole numbers are summed in int32.
    """
    if not net.can_be_run or name not in {*FLOATS, *WHOLE}:
        return False
    shapes = {shape for layer in net.layers.values() for shape in layer.pieces}
    stored = {number * Fraction(2) ** power for number, power in net.stored}
    constants = {value for shape in shapes for value in (*shape.knots, *shape.levels())}
    lines = {line for shape in shapes for line in shape.lines}
    summed = name if name in {*FLOATS, "wide"} else "int32"
    if name in FLOATS:
        constants.add(net.threshold)
    if not (all(is_in(name, number) for number in stored)
            and all(is_in(summed, number) for number in constants)
            # no format rounds where an activation only compares, negates and chooses
            and lines <= {(1, 0), (-1, 0), *((0, start) for _, start in lines)}):  # fmt: skip
        return False
    bit = Value(Fraction(0), Fraction(1), Fraction(0), 0)
    values = {CONSTANT: [replace(bit, low=bit.high)], "input": [bit] * net.n_in}
    for own, layer in net.layers.items():
        sources, powers = net.join(values, layer.reads), net.exponents(layer.reads)
        values[own] = []
        for row, shape in zip(layer.rows, layer.pieces, strict=True):
            CLOCK.get().look(f"while rounding in {name:.20} was bounded in {own}")
            terms = [(Fraction(2) ** (layer.exponent - powers[at]) * weight, sources[at])
                     for at, weight in row]  # fmt: skip
            products = sum(at + 1 < len(sources) for at, _ in row)
            total = sum_in(summed, terms, products + 1)
            value = total and total.after(shape)
            if value is None:
                return False
            values[own].append(value)
    largest = max(value.error for value in net.join(values, net.outputs))
    sides = [Fraction(side) for side in (margins or {}).values() if side is not None]
    return not largest or (bool(sides) and largest < min(sides))


def sum_in(name: str, terms: list[tuple[Fraction, Value]], roundings: int) -> Value | None:
    """Return what is known of a sum in a format; ``None`` if that is not enough."""
    zero, error = Fraction(0), Fraction(0)
    ends = [sorted((weight * value.low, weight * value.high)) for weight, value in terms]
    low, high = (sum((end[side] for end in ends), zero) for side in (0, 1))
    above = sum((max(end[1], zero) for end in ends), zero)
    below = sum((max(-end[0], zero) for end in ends), zero)
    grid = min((exponent_of(weight) + value.grid for weight, value in terms), default=0)
    drawn = sum((abs(weight) * value.error for weight, value in terms), zero)
    if name not in FLOATS:
        fits = max(above, below) <= WHOLE[name][1]
        return Value(low, high, zero, grid) if fits else None
    precision, smallest, largest = FLOATS[name]
    fits = max(above, below) <= min(Fraction(2) ** (precision + grid), Fraction(largest))
    if drawn or not fits or grid < smallest:
        share = Fraction(roundings, 2**precision)
        size = drawn + above + below
        if share >= Fraction(1, 2):
            return None
        error = drawn + share / (1 - share) * size + roundings * Fraction(2) ** smallest
        if size + error > largest:
            return None
    return Value(low, high, error, grid)


def check_claims(claims: dict[str, Any], network: bytes, task_name: str | None) -> str:
    """Return what was re-checked, in a sentence, or raise an error."""
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
    need(claims["readout"] == net.readout, "the certificate has another readout than the file")
    need(net.n_in == len(task.takes), "the network takes another number of bits")
    need(len(net.exponents(net.outputs)) == len(task.gives), "it gives another number of bits")
    is_known = isinstance(method, str) and method in EVIDENCE
    bound(is_known, f"the method {method!r:.20} is not known here")
    need((task.name in CLAIMS) == (method == "composed"), "a cell is composed, and nothing else")
    if verdict == "refuted":
        return check_counterexample(net, task, claims)
    need(claims["counterexample"] is None, "a proof has a counterexample")
    evidence = fields(claims["evidence"], EVIDENCE[method])
    is_power = task.rows > 1 << MOST_BITS and task.rows.bit_count() == 1
    size = f"2^{task.rows.bit_length() - 1}" if is_power else task.rows
    how = f"is right on all {size} inputs"
    if method == "diagram":
        margins = check_diagrams(net, task, *evidence.values())
    else:
        margins, digest = check_rows(net, task)
        need(evidence.get("rows_sha256", digest) == digest, "the rows are others than those stated")
    if method == "composed":  # its rule is the step of the induction
        need(evidence["wiring"] == task.name, "the evidence is of another wiring")
        names = [name for name, _, _ in task.inputs]
        rows = product(*(range(size) for _, _, size in task.inputs))
        cell = [dict(zip(names, values, strict=True)) for values in rows]
        is_same = same(evidence["cell"], [[words, task.rule(words)] for words in cell])
        need(is_same, "the cell's table is not the one that was evaluated")
        how = f"is right at every width, from {len(cell)} rows of the cell: {CLAIMS[task.name]}"
    if claims["margin"] is not None:
        need(net.readout["kind"] != "exact" and same(claims["margin"], margins),
             "the margin is another than the one stated")  # fmt: skip
    for name in semantics[1:]:
        need(isinstance(name, str), "the semantics are faulty")
        follows = is_right_in(net, name, claims["margin"])
        need(follows, f"that it is right in {name:.20} does not follow")
    where = " and in ".join(["exact arithmetic", *semantics[1:]])
    return f"{task.name} {how}; in {where}"


def check_artifacts(claims: dict[str, Any], artifacts: Mapping[str, bytes]) -> Iterator[str]:
    """Yield of each exported file, whose bytes are given by its name, what ran it, or raise."""
    for name, data in artifacts.items():
        bound(len(data) <= LARGEST_BYTES, f"{name} has over {LARGEST_BYTES} bytes")
        own = hashlib.sha256(data).hexdigest(), len(data)
        entries = [entry for entry in claims.get("artifacts", [])
                   if same((entry["sha256"], entry["bytes"]), own)]  # fmt: skip
        need(entries, f"{name} is no file that the certificate lists: its bytes are others")
        need(claims["sha256"].encode() in data, f"{name} does not name this certificate")
        entry = max(entries, key=lambda entry: bool(entry["equal"]))
        bound(entry["equal"], f"{name} is the file that was exported, but it was not run")
        rows = f"{entry['checked_rows']} rows"
        rows = f"{rows}, {entry['scope']}" if entry["scope"] else f"all {rows}"
        yield f"{name} is the file that was run by {entry['checked_by']} on {rows}"


def check(
    certificate: bytes,
    network: bytes,
    task: str | None = None,
    timeout_s: float = math.inf,
    artifacts: Mapping[str, bytes] | None = None,
) -> tuple[bool | None, str]:
    """Return whether a certificate is valid, ``None`` where that can't be re-checked, and why.

    Exported files are given by their names. Of what is no certificate :class:`UnusableError` is
    raised.
    """
    clock = CLOCK.set(Clock(time.perf_counter() + timeout_s))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))  # diagrams are as deep as there are input bits
    try:
        CLOCK.get().look("while the certificate was read")
        claims = unsealed(certificate)
        reasons = [check_claims(claims, network, task), *check_artifacts(claims, artifacts or {})]
        return True, "; ".join(reasons)
    except InvalidError as error:
        return False, str(error)
    except BeyondError as error:
        return None, str(error)
    except (RecursionError, MemoryError):
        return None, "the evidence is too large to be re-checked here"
    finally:
        sys.setrecursionlimit(limit)
        CLOCK.reset(clock)


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names; return the exit code."""
    parser = argparse.ArgumentParser(description="Re-check a certificate of adderlab.")
    _ = parser.add_argument("net", help="the network file (.safetensors)")
    _ = parser.add_argument("certificate", help="the certificate")
    _ = parser.add_argument("--task", help="what it must be about")
    _ = parser.add_argument("--artifact", action="append", default=[], metavar="FILE",
                            help="a file that was exported with it; may be repeated")  # fmt: skip
    _ = parser.add_argument("--timeout", type=float, default=math.inf, metavar="S",
                            help="seconds after which it is not re-checked")  # fmt: skip
    _ = parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(arguments)
    if not options.timeout > 0:
        parser.error("--timeout is no number of seconds above 0")
    start = time.perf_counter()
    try:
        certificate = read(options.certificate)
        if len(certificate) > LARGEST_BYTES:
            raise UnusableError(f"{options.certificate}: the file has over {LARGEST_BYTES} bytes")
        network = read(options.net)
        artifacts = {path: read(path) for path in options.artifact}
        left = start + options.timeout - time.perf_counter()
        valid, reason = check(certificate, network, options.task, left, artifacts)
    except UnusableError as error:
        print(f"checker: {error}", file=sys.stderr)
        return 2
    word, code = ANSWERS[valid]
    took = time.perf_counter() - start
    if options.json:
        print(json.dumps({"valid": valid, "reason": reason, "seconds": round(took, 6)}))
    else:
        print(f"{word}: {reason} ({took:.2f} s)")
    return code


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
