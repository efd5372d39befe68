"""The findings of trained members, compiled: what :mod:`adderlab.training.judging` says of each.

Rule: the same bounds as there decide which rows are clear, so nothing here depends on rounding. A
member with a sum within its bound of a threshold is left undecided, but for the first layer's sums:
they are of numbers, not of products, and are added up without rounding.

References:
    Shewchuk, "Adaptive precision floating-point arithmetic" (1997): sums as expansions.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba.extending import register_jitable

from adderlab.nets.activations.rounding import DOUBLE_UNIT, SLACK

RELU, LEAKY = 0, 1
"""Activations that are judged here, by their numbers among the flags."""

LARGEST_SUM: Final = 1e300
"""Of magnitudes; beyond it a member is left undecided."""

_SLACK: Final = float(SLACK)
_UNIT: Final = 2 * DOUBLE_UNIT
_TINY: Final = 2 * 2.0**-1074
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
_ONE, _ZERO, _FACTOR = np.uint64(1), np.uint64(0), np.uint64(31)
_CODE_BITS: Final = 64


@register_jitable
def joined(code: Any, word: Any) -> Any:
    """Return a hash with one code more: a step of :func:`adderlab.training.census.codes.joined`."""
    code = code * _FACTOR + word + _GOLDEN
    code = (code ^ (code >> _SHIFT_1)) * _MIX_1
    code = (code ^ (code >> _SHIFT_2)) * _MIX_2
    return code ^ (code >> _SHIFT_3)


@register_jitable
def pushed(state: Any, bit: Any, count: Any) -> Any:
    """Return a code of ``count`` bits with one bit more.

    Args:
        state: the hash of the words that are full, the word that is not, and how many bits it has.
        bit: 0 or 1.
        count: the bits that the code will have.
    """
    code, word, filled = state
    word = (word << _ONE) | np.uint64(bit)
    filled += 1
    if count > _CODE_BITS and filled == _CODE_BITS:
        return joined(code, word), _ZERO, 0
    return code, word, filled


@register_jitable
def code_of(state: Any, count: Any) -> Any:
    """Return the code of ``count`` bits that were pushed: see ``code_of_bits``."""
    code, word, filled = state
    if count <= _CODE_BITS:
        return word
    if filled:
        return joined(code, word << np.uint64(_CODE_BITS - filled))
    return code


@register_jitable
def is_above_0(terms: Any, count: Any, parts: Any) -> Any:
    """Return whether a sum of doubles is above 0, exactly.

    Args:
        terms: the numbers.
        count: how many.
        parts: as many places, for the sum as an expansion.
    """
    size = 0
    for t in range(count):
        total, kept = terms[t], 0
        for i in range(size):
            part = parts[i]
            larger = total + part
            rest = larger - total
            error = (total - (larger - rest)) + (part - rest)
            if error != 0.0:
                parts[kept] = error
                kept += 1
            total = larger
        parts[kept] = total
        size = kept + 1
    return parts[size - 1] > 0.0


@register_jitable
def run_member(
    sizes: Any, inputs: Any, flags: Any, numbers: Any, growths: Any, weights: Any, on: Any, at: Any,
    values: Any, errors: Any, sums: Any, terms: Any, parts: Any, ends_in_outputs: Any,
) -> Any:  # fmt: skip
    """Run a member on every row; return whether every sign is certain.

    Args:
        sizes: of the layers, from the inputs to the outputs.
        inputs: the rows.
        flags: the activation among them.
        numbers: the slope among them.
        growths: of each layer, how much its sums may have grown by rounding.
        weights: the parameters, flat.
        on: where units that are on are marked: (2, units, rows).
        at: whether it is the start (0) or the end (1).
        values: scratch: (2, widest).
        errors: scratch: (2, widest).
        sums: where the outputs' sums and their bounds are written: (2, rows, outputs).
        terms: scratch: the inputs and one more.
        parts: likewise.
        ends_in_outputs: whether the outputs are computed; else hidden layers alone.
    """
    layers = len(sizes) - 1
    last = layers if ends_in_outputs else layers - 1
    slope = numbers[1]
    is_clear = True
    for row in range(inputs.shape[0]):
        for i in range(sizes[0]):
            values[0, i] = inputs[row, i]
            errors[0, i] = 0.0
        first, unit = 0, 0
        for layer in range(last):
            n_in, n_out = sizes[layer], sizes[layer + 1]
            biases = first + n_in * n_out
            own, other = layer % 2, (layer + 1) % 2
            growth = growths[layer]
            for o in range(n_out):
                total = 0.0
                reach, carried, is_reached = 0.0, 0.0, False
                for i in range(n_in):
                    weight = np.float64(weights[first + o * n_in + i])
                    value, error = values[own, i], errors[own, i]
                    total += value * weight
                    size = abs(value) + error
                    is_reached |= size != 0.0
                    reach += size * abs(weight)
                    carried += error * abs(weight)
                bias = np.float64(weights[biases + o])
                total += bias
                reach += abs(bias)
                tiny = (n_in + 2) * _TINY
                bound = (carried + growth * reach + tiny * (1 + growth)) * _SLACK
                if (layer == 0 and reach == 0.0) or (layer and not is_reached and bias == 0.0):
                    bound = 0.0
                if not reach < LARGEST_SUM:
                    return False
                if layer == layers - 1:
                    sums[0, row, o] = total
                    sums[1, row, o] = bound
                    continue
                is_on = total > 0.0
                if bound > 0.0 and abs(total) <= bound:
                    if layer:
                        return False
                    count = 0
                    for i in range(n_in):
                        if inputs[row, i]:
                            terms[count] = weights[first + o * n_in + i]
                            count += 1
                    terms[count] = bias
                    is_on = is_above_0(terms, count + 1, parts)
                on[at, unit + o, row] = is_on
                if flags[1] == RELU:
                    values[other, o] = max(total, 0.0)
                    errors[other, o] = bound
                else:
                    below = total * slope
                    steep = max(1.0, abs(slope))
                    spread = abs(below) + bound * steep
                    values[other, o] = total if total > 0.0 else below
                    error = (bound * steep + _UNIT * spread + _TINY) * _SLACK
                    errors[other, o] = 0.0 if total >= 0.0 and bound == 0.0 else error
            unit += n_out if layer < layers - 1 else 0
            first = biases + n_out
    return is_clear


@register_jitable
def class_of(sizes: Any, flags: Any, weights: Any, on: Any, codes: Any) -> Any:
    """Return the code of a member's class: see :mod:`adderlab.training.census.patterns`."""
    layers, rows = len(sizes) - 1, on.shape[2]
    code, unit, first = _GOLDEN, 0, 0
    for layer in range(layers - 1):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        n_next = sizes[layer + 2]
        following = first + n_in * n_out + n_out
        is_last = layer == layers - 2
        count = 1 + rows + (2 * n_next if is_last else 0)
        for u in range(n_out):
            state, is_ever = (_GOLDEN, _ZERO, 0), False
            state = pushed(state, 1, count)
            for row in range(rows):
                is_ever |= on[1, unit + u, row] != 0
                state = pushed(state, on[1, unit + u, row], count)
            if is_last:
                for o in range(n_next):
                    state = pushed(state, weights[following + o * n_out + u] > 0, count)
                for o in range(n_next):
                    state = pushed(state, weights[following + o * n_out + u] < 0, count)
            own = code_of(state, count) if is_ever or not flags[2] else _ZERO
            place = u
            while place > 0 and codes[place - 1] > own:
                codes[place] = codes[place - 1]
                place -= 1
            codes[place] = own
        for u in range(n_out):
            code = joined(code, codes[u])
        unit += n_out
        first = following
    return code


@register_jitable
def judge_all(
    sizes: Any, inputs: Any, expected: Any, flags: Any, numbers: Any, growths: Any, start: Any,
    end: Any, decided: Any, finite: Any, codes: Any, rows_right: Any, margins: Any, dead: Any,
    symptoms: Any, patterns: Any, classes: Any,
) -> None:  # fmt: skip
    """Write what is to be said of each member.

    Args:
        sizes: of the layers, from the inputs to the outputs.
        inputs: the rows.
        expected: the outputs that they should have; 2 where any will do.
        flags: whether the readout is ``>=``, the activation, whether its units can die.
        numbers: the threshold, the slope.
        growths: of each layer, how much its sums may have grown by rounding.
        start: each member's parameters before training.
        end: and after it.
        decided: whether what follows is certain; where not, it is not written.
        finite: whether all parameters are finite numbers; where not, the rest is 0.
        codes: the bits of all rows as one number.
        rows_right: rows with all bits right.
        margins: the smallest signed distance to the threshold, in double.
        dead: units that are off on every row.
        symptoms: whether one of these was so at the start, and whether one was not.
        patterns: the code of the units' bits.
        classes: the code of the class.
    """
    rows, n_out = expected.shape
    units, widest = 0, 0
    for layer in range(len(sizes)):
        widest = max(widest, sizes[layer])
        units += sizes[layer] if 0 < layer < len(sizes) - 1 else 0
    on = np.zeros((2, units, rows), dtype=np.uint8)
    values, errors = np.zeros((2, widest)), np.zeros((2, widest))
    sums = np.zeros((2, rows, n_out))
    terms, parts = np.zeros(sizes[0] + 1), np.zeros(sizes[0] + 2)
    of_units = np.zeros(widest, dtype=np.uint64)
    threshold = numbers[0]
    for member in range(len(end)):
        is_finite = True
        for p in range(end.shape[1]):
            is_finite &= bool(np.isfinite(end[member, p]))
        finite[member] = is_finite
        decided[member] = True
        codes[member] = patterns[member] = classes[member] = _ZERO
        rows_right[member] = dead[member] = 0
        symptoms[member, 0] = symptoms[member, 1] = 0
        margins[member] = -np.inf
        if not is_finite:
            continue
        is_clear = run_member(
            sizes, inputs, flags, numbers, growths, start[member], on, 0, values, errors, sums,
            terms, parts, False,
        ) and run_member(
            sizes, inputs, flags, numbers, growths, end[member], on, 1, values, errors, sums,
            terms, parts, True,
        )  # fmt: skip
        code, margin, right = _ZERO, np.inf, 0
        for row in range(rows):
            is_right = True
            for o in range(n_out):
                distance = sums[0, row, o] - threshold
                bit = distance >= 0.0 if flags[0] else distance > 0.0
                code = (code << _ONE) | np.uint64(bit)
                if expected[row, o] == 2:
                    continue
                bound = sums[1, row, o]
                if bound > 0.0 and abs(distance) <= bound:
                    is_clear = False
                is_right &= bit == (expected[row, o] == 1)
                margin = min(margin, distance if expected[row, o] == 1 else -distance)
            right += is_right
        if not is_clear:
            decided[member] = False
            continue
        codes[member], rows_right[member], margins[member] = code, right, margin
        state, count = (_GOLDEN, _ZERO, 0), units * rows
        for unit in range(units):
            was_on, is_on = False, False
            for row in range(rows):
                was_on |= on[0, unit, row] != 0
                is_on |= on[1, unit, row] != 0
                state = pushed(state, on[1, unit, row], count)
            if flags[2] and not is_on:
                dead[member] += 1
                symptoms[member, 1 if was_on else 0] = 1
        patterns[member] = code_of(state, count)
        classes[member] = class_of(sizes, flags, end[member], on, of_units)
