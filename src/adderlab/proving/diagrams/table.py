"""Edge-valued binary decision diagrams: whole-number functions of bits, as shared nodes.

Rules: a function is an offset plus a node. A node tests one variable; its low edge adds nothing
and leads to ``low``, its high edge adds ``step`` and leads to ``high``. Nodes are unique and never
redundant, so two functions are equal exactly if their offsets and nodes are. Numbers are exact
whole numbers of any size. No function here calls itself: depth is bounded by memory alone.

References:
    Lai, Sastry, "Edge-valued binary-decision diagrams for multi-level hierarchical
    verification", DAC 1992, https://doi.org/10.1109/DAC.1992.227813
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from adderlab.limits import CapReached

Function: TypeAlias = tuple[int, int]
"""Offset and node."""

ZERO: Final[Function] = (0, 0)
TERMINAL: Final = 0
LAST: Final = 1 << 62
"""The variable of the terminal, below all others."""


RESULTS_PER_NODE: Final = 4
"""Finished results there may be remembered for each node that the cap allows."""


class Diagrams:
    """A table of nodes over variables ``0, 1, 2, …`` in the order of their numbers.

    Args:
        most_nodes: how many nodes there may be at once; it bounds the remembered results too,
            of which an operation may need exponentially many to make few nodes.
        on_tick: called now and then during work; raises to stop it.
    """

    def __init__(
        self, *, most_nodes: int = 4_000_000, on_tick: Callable[[], None] = lambda: None
    ) -> None:
        self.most_nodes = most_nodes
        self.on_tick = on_tick
        self.created = 0  # nodes ever created
        self.variable: list[int] = [LAST]
        self.low: list[int] = [TERMINAL]
        self.high: list[int] = [TERMINAL]
        self.step: list[int] = [0]
        self.least: list[int] = [0]  # over all inputs, without the offset
        self.most: list[int] = [0]
        self._turns = 0  # of the loops of all operations
        self._unique: dict[tuple[int, int, int, int], int] = {}
        self._sums: dict[tuple[int, int, int, int], Function] = {}
        self._relus: dict[tuple[int, int], Function] = {}
        self._steps: dict[tuple[int, int], Function] = {}

    def __len__(self) -> int:
        return len(self.variable)

    @property
    def results(self) -> int:
        """How many finished results are remembered."""
        return len(self._sums) + len(self._relus) + len(self._steps)

    # -- making nodes ------------------------------------------------------------------------

    def node(self, variable: int, low: Function, high: Function) -> Function:
        """Return the function that is ``low`` where the variable is 0 and ``high`` where 1."""
        offset, low_node = low
        step = high[0] - offset
        high_node = high[1]
        if step == 0 and low_node == high_node:
            return low
        key = (variable, low_node, high_node, step)
        known = self._unique.get(key)
        if known is None:
            known = self._new(key)
        return offset, known

    def _new(self, key: tuple[int, int, int, int]) -> int:
        variable, low, high, step = key
        number = len(self.variable)
        if number > self.most_nodes:
            raise CapReached(f"the cap of {self.most_nodes} nodes was reached")
        self.created += 1
        if self.created & 0xFFF == 0:
            self.on_tick()
        self.variable.append(variable)
        self.low.append(low)
        self.high.append(high)
        self.step.append(step)
        self.least.append(min(self.least[low], step + self.least[high]))
        self.most.append(max(self.most[low], step + self.most[high]))
        self._unique[key] = number
        return number

    def _look(self, more: int = 0) -> None:
        """Stop where time is up, or where too many results are remembered, ``more`` included."""
        self.on_tick()
        if self.results + more > RESULTS_PER_NODE * self.most_nodes:
            raise CapReached(
                f"the cap of {RESULTS_PER_NODE} results for each of {self.most_nodes} nodes "
                "was reached"
            )

    def linear(self, offset: int, terms: Iterable[tuple[int, int]]) -> Function:
        """Return ``offset + sum of weight * variable``; terms are (variable, weight) pairs."""
        node = TERMINAL
        unique = self._unique
        for variable, weight in sorted(terms, reverse=True):
            if weight == 0:
                continue
            key = (variable, node, node, weight)
            known = unique.get(key)
            node = self._new(key) if known is None else known
        return offset, node

    def bounds(self, function: Function) -> tuple[int, int]:
        """Return the exact minimum and maximum over all inputs."""
        offset, node = function
        return offset + self.least[node], offset + self.most[node]

    # -- arithmetic --------------------------------------------------------------------------

    def combine(self, left: Function, a: int, right: Function, b: int) -> Function:
        """Return ``a * left + b * right``."""
        offset, node = self._combined((left[1], a, right[1], b))
        return a * left[0] + b * right[0] + offset, node

    def scaled(self, function: Function, a: int) -> Function:
        """Return ``a * function``."""
        if a == 1:
            return function
        return self.combine(function, a, ZERO, 0)

    def _combined(self, root: tuple[int, int, int, int]) -> Function:
        """Return the combination of two nodes; pairs already seen are looked up."""
        sums, variable, low, high, step = (
            self._sums, self.variable, self.low, self.high, self.step,
        )  # fmt: skip
        root = _ordered(root)
        pending = [root]
        turns = self._turns
        while pending:
            turns += 1
            if turns & 0xFFF == 0:
                self._look()
            key = pending[-1]
            if key in sums:
                _ = pending.pop()
                continue
            f, a, g, b = key
            if g == TERMINAL and (a == 1 or f == TERMINAL):
                sums[key] = (0, f)
                _ = pending.pop()
                continue
            top = min(variable[f], variable[g])
            if variable[f] == top:
                f_low, f_high, f_step = low[f], high[f], step[f]
            else:
                f_low = f_high = f
                f_step = 0
            if variable[g] == top:
                g_low, g_high, g_step = low[g], high[g], step[g]
            else:
                g_low = g_high = g
                g_step = 0
            left, right = _ordered((f_low, a, g_low, b)), _ordered((f_high, a, g_high, b))
            lower, upper = sums.get(left), sums.get(right)
            if lower is None or upper is None:
                if lower is None:
                    pending.append(left)
                if upper is None:
                    pending.append(right)
                continue
            raised = upper[0] + a * f_step + b * g_step
            sums[key] = self.node(top, lower, (raised, upper[1]))
            _ = pending.pop()
        self._turns = turns
        return sums[root]

    def where(self, variable: int, function: Function) -> Function:
        """Return the function where the variable is 1, and 0 where it is 0."""
        return self._replaced(function, variable, lambda low, high: self.node(variable, ZERO, high))

    def restricted(self, function: Function, variable: int, bit: int) -> Function:
        """Return the function with one variable held at a bit; it no longer depends on it."""
        return self._replaced(function, variable, lambda low, high: high if bit else low)

    def _replaced(
        self,
        function: Function,
        variable: int,
        replacement: Callable[[Function, Function], Function],
    ) -> Function:
        """Return the function with each node of a variable replaced, given its two sides."""
        done: dict[Function, Function] = {}
        pending = [function]
        turns = self._turns
        while pending:
            turns += 1
            if turns & 0xFFF == 0:
                self._look(len(done))
            key = pending[-1]
            offset, node = key
            if key in done:
                _ = pending.pop()
                continue
            if self.variable[node] > variable:
                done[key] = replacement(key, key)
            elif self.variable[node] == variable:
                low = (offset, self.low[node])
                done[key] = replacement(low, (offset + self.step[node], self.high[node]))
            else:
                sides = ((offset, self.low[node]), (offset + self.step[node], self.high[node]))
                missing = [side for side in sides if side not in done]
                if missing:
                    pending += missing
                    continue
                done[key] = self.node(self.variable[node], done[sides[0]], done[sides[1]])
            _ = pending.pop()
        self._turns = turns
        return done[function]

    # -- activations -------------------------------------------------------------------------

    def relu(self, function: Function) -> Function:
        """Return the larger of the function and 0, pruned by exact bounds."""
        return self._pruned(function, self._relus, is_step=False)

    def above(self, function: Function, limit: int) -> Function:
        """Return 1 where the function is above ``limit``, else 0."""
        return self._pruned((function[0] - limit, function[1]), self._steps, is_step=True)

    def _pruned(
        self, root: Function, done: dict[tuple[int, int], Function], *, is_step: bool
    ) -> Function:
        variable, low, high, step, least, most = (
            self.variable, self.low, self.high, self.step, self.least, self.most,
        )  # fmt: skip
        pending = [root]
        turns = self._turns
        while pending:
            turns += 1
            if turns & 0xFFF == 0:
                self._look()
            key = pending[-1]
            if key in done:
                _ = pending.pop()
                continue
            offset, node = key
            if offset + most[node] <= 0:
                done[key] = ZERO
            elif offset + least[node] > 0:
                done[key] = (1, TERMINAL) if is_step else key
            else:
                left, right = (offset, low[node]), (offset + step[node], high[node])
                lower, upper = done.get(left), done.get(right)
                if lower is None or upper is None:
                    if lower is None:
                        pending.append(left)
                    if upper is None:
                        pending.append(right)
                    continue
                done[key] = self.node(variable[node], lower, upper)
            _ = pending.pop()
        self._turns = turns
        return done[root]

    # -- asking ------------------------------------------------------------------------------

    def reaching(self, function: Function, *, largest: bool) -> dict[int, int]:
        """Return the variables of an input that reaches the maximum, or the minimum.

        Variables that do not matter on the way are left out.
        """
        best = self.most if largest else self.least
        assignment: dict[int, int] = {}
        node = function[1]
        while node != TERMINAL:
            up = self.step[node] + best[self.high[node]]
            takes_high = up == best[node]
            assignment[self.variable[node]] = int(takes_high)
            node = self.high[node] if takes_high else self.low[node]
        return assignment

    def first_above(self, function: Function, limit: int, variables: Sequence[int]) -> list[int]:
        """Return the first input on which the function is above a limit.

        Inputs are counted with the first of ``variables`` as the heaviest bit.

        Args:
            function: one that is above the limit somewhere.
            limit: the limit.
            variables: all variables of the function, in any order.
        """
        bits: list[int] = []
        for variable in variables:
            low = self.restricted(function, variable, 0)
            is_low = self.bounds(low)[1] > limit
            bits.append(int(not is_low))
            function = low if is_low else self.restricted(function, variable, 1)
        return bits

    def nearest(self, function: Function, limit: int) -> tuple[int | None, int | None]:
        """Return the largest value that is at most ``limit``, and the smallest that is above.

        ``None`` where no input gives one.
        """
        below: dict[Function, tuple[int | None, int | None]] = {}
        pending = [function]
        turns = self._turns
        while pending:
            turns += 1
            if turns & 0xFFF == 0:
                self._look(len(below))
            key = pending[-1]
            if key in below:
                _ = pending.pop()
                continue
            offset, node = key
            if offset + self.most[node] <= limit:
                below[key] = (offset + self.most[node], None)
            elif offset + self.least[node] > limit:
                below[key] = (None, offset + self.least[node])
            else:
                sides = ((offset, self.low[node]), (offset + self.step[node], self.high[node]))
                missing = [side for side in sides if side not in below]
                if missing:
                    pending += missing
                    continue
                pairs = [below[side] for side in sides]
                under = [pair[0] for pair in pairs if pair[0] is not None]
                over = [pair[1] for pair in pairs if pair[1] is not None]
                below[key] = (max(under, default=None), min(over, default=None))
            _ = pending.pop()
        self._turns = turns
        return below[function]

    def value(self, function: Function, input: dict[int, int]) -> int:
        """Return the function's value on one input; variables that are not named are 0."""
        total, node = function
        while node != TERMINAL:
            if input.get(self.variable[node], 0):
                total += self.step[node]
                node = self.high[node]
            else:
                node = self.low[node]
        return total

    # -- housekeeping ------------------------------------------------------------------------

    def forget_work(self) -> None:
        """Empty the tables of finished operations."""
        self._sums, self._relus, self._steps = {}, {}, {}

    def keep_only(self, functions: Iterable[Function]) -> list[Function]:
        """Free every node that none of the functions needs; return them renumbered."""
        kept = list(functions)
        live = {TERMINAL}
        pending = [node for _, node in kept]
        while pending:
            node = pending.pop()
            if node not in live:
                live.add(node)
                pending += (self.low[node], self.high[node])
        order = sorted(live)  # children before parents, as they were created
        number = {old: new for new, old in enumerate(order)}
        self.variable = [self.variable[old] for old in order]
        self.low, self.high = (
            [number[self.low[old]] for old in order],
            [number[self.high[old]] for old in order],
        )
        self.step = [self.step[old] for old in order]
        self.least = [self.least[old] for old in order]
        self.most = [self.most[old] for old in order]
        self._unique = {
            (self.variable[i], self.low[i], self.high[i], self.step[i]): i
            for i in range(1, len(order))
        }
        self.forget_work()
        return [(offset, number[node]) for offset, node in kept]


def _ordered(key: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Return the key under which a combination is known: the same sum, the same key."""
    f, a, g, b = key
    if f == g:
        return f, a + b, TERMINAL, 0
    if b == 0 or g == TERMINAL:
        return (f, a, TERMINAL, 0) if a else (TERMINAL, 0, TERMINAL, 0)
    if a == 0 or f == TERMINAL:
        return g, b, TERMINAL, 0
    return key if f < g else (g, b, f, a)
