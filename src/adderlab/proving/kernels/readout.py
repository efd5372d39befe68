"""What every kernel begins and ends with: outputs beside what is expected, for a vector of rows.

Rule: of whole numbers the output minus the threshold is compared with 0, and its extremes are kept.
Of floats, ``s`` is how far an output is on its right side. A row is wrong where ``s`` is below a
limit, and is marked, for exact evaluation, where ``s`` is as near to 0 as roundings can bring it,
or so small that the row may have the margin.
"""

from __future__ import annotations

from typing import Final

from adderlab.kernels.text import Text
from adderlab.nets.readout import Readout

LIMITS: Final = ("limit_1", "limit_0", "bound", "candidate_1", "candidate_0")
"""Numbers that a kernel of floats takes, in this order."""


def begin(text: Text, lanes: int) -> None:
    """Write what a kernel begins with."""
    text.block(f"""
align_stack()
N = {lanes}
least = load(ends, 0)
most = load(ends, N)
""")


def load_limits(text: Text) -> None:
    """Write how a kernel of floats takes its limits."""
    for place, name in enumerate(LIMITS):
        text.line(f"{name} = spread_at(limits, {place})")


def end(text: Text) -> None:
    """Write what a kernel ends with."""
    text.line("store(ends, 0, least)")
    text.line("store(ends, N, most)")


class Planes:
    """Where an output's expected bit lies among packed bits.

    Args:
        places: of each output, its place in the packed word.
        bits: of the numbers that the packed words are cut into.
    """

    def __init__(self, places: tuple[int, ...], bits: int) -> None:
        self.places, self.bits = places, bits
        self.count = max(places) // bits + 1

    def load(self, text: Text, *, cares: bool) -> None:
        """Write how the packed words of a vector of rows are loaded."""
        for plane in range(self.count):
            text.line(f"e_{plane} = load(expected, {plane} * rows + r)")
            if cares:
                text.line(f"c_{plane} = load(matters, {plane} * rows + r)")

    def bit(self, name: str, unit: int) -> str:
        """Return the expression of an output's bit in a vector of rows."""
        plane, place = divmod(self.places[unit], self.bits)
        return f"has_bit({name}_{plane}, {place})"


def judge_integer(text: Text, unit: int, planes: Planes, readout: Readout, *, cares: bool) -> None:
    """Write how ``d``, an output of whole numbers minus the threshold, is judged."""
    text.line(f"e = {planes.bit('e', unit)}")
    if readout.kind == "exact":
        text.line("bad = invert(equal(d, where(e, unity, zero)))")
    elif readout.convention == ">":
        text.line("bad = above(d, zero) ^ e")
    else:
        text.line("bad = invert(above(zero, d)) ^ e")
    if cares:
        text.line(f"c = {planes.bit('c', unit)}")
        text.line("bad = bad & c")
    text.line("wrong = bad" if unit == 0 else "wrong = wrong | bad")
    if readout.kind == "threshold":
        is_1, is_0 = ("e & c", "invert(e) & c") if cares else ("e", "invert(e)")
        text.line(f"least = smallest(least, where({is_1}, d, far))")
        text.line(f"most = largest(most, where({is_0}, d, near))")


JUDGE_FLOAT: Final = """
s = where(e, d, zero - d)
bad = above(where(e, limit_1, limit_0), s)
unclear = invert(above(s, bound) | bad)
candidate = invert(above(s, where(e, candidate_1, candidate_0)))
wrong = wrong | (bad & c)
marked = marked | ((candidate | unclear) & c)
least = smallest(least, where(e & c, s, far))
most = smallest(most, where(invert(e) & c, s, far))
"""
"""How ``d``, an output of floats minus the threshold, is judged, with its expected bit ``e`` and
whether it matters, ``c``."""

KEEP_INTEGER: Final = """
wrongs[r // N] = bits_of(wrong)
counts[0] += ones_in(bits_of(wrong))
"""

KEEP_FLOAT: Final = """
wrong_bits = bits_of(wrong)
marked_bits = bits_of(marked)
wrongs[r // N] = wrong_bits
marks[r // N] = marked_bits
counts[0] += ones_in(wrong_bits & (wrong_bits ^ marked_bits))
counts[1] += ones_in(marked_bits)
"""
