"""A forward pass that is watched operation by operation, on several rows at once.

Rule: PyTorch runs the module's own code; every operation that reaches its kernels is looked up in
one table (:mod:`adderlab.nets.tracing.operations`), however it was written. What is not in the
table, or treats one row otherwise than another, is refused with the line that it is on.

References:
    PyTorch, "Modes" (torch.utils._python_dispatch), which see each operation after autograd and
    decomposition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from adderlab import limits
from adderlab.errors import ModelError
from adderlab.nets.activations import Activation
from adderlab.nets.state_dict import array_of
from adderlab.nets.tracing.memory import Memory
from adderlab.nets.tracing.nodes import IDENTITY, Node, Nodes
from adderlab.nets.tracing.places import is_assert, place

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Int64

    from adderlab.nets.tracing.memory import Codes

READABLE: Final = "docs/classes.md lists what can be read"
OUTSIDE: Final = (
    "numpy",
    "tolist",
    "__array__",
    "__dlpack__",
    "__cuda_array_interface__",
    "data_ptr",
)
"""Methods of a tensor that hand out its numbers."""
DROPPED: Final = "dropout was read as in eval mode, where it does nothing"
PATH: Final = "its path depends on the values of the input, which a network's can't"


class Recorder(TorchDispatchMode):
    """What was computed from the batch so far.

    Args:
        rows: of the batch.
        nodes: the units so far.
        table: what each operation means, by its name.

    Attributes:
        notes: what a person should know of how it was read.
        unreadable: of units that no network holds, why; only some operations take them.
        ranked: of a softmax's units, the ``logit`` of what it was taken of, and which it was.
        classes: of the number of the largest of several, the unit that says so of each.
        refused: why the forward can't be read.
        seen: where the tensors lie that were used.
        powers: of ``exp(y)`` and ``1 + exp(y)``, the unit y and whether 1 was added.
    """

    def __init__(self, rows: int, nodes: Nodes, table: dict[str, Callable[..., Any]]) -> None:
        super().__init__()
        self.memory = Memory(rows)
        self.nodes = nodes
        self.table = table
        self.notes: list[str] = []
        self.unreadable: dict[int, tuple[str, str, str]] = {}
        self.ranked: dict[int, tuple[int, int]] = {}
        self.classes: dict[int, tuple[int, ...]] = {}
        self.powers: dict[int, tuple[int, int]] = {}
        self.refused: ModelError | None = None
        self.seen: set[int] = set()
        self._constant_units: dict[float, int] = {}

    @property
    def rows(self) -> int:
        """Rows of the batch."""
        return self.memory.rows

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        memory = self.memory
        inputs = [*args, *kwargs.values()]
        self.seen.update(tensor.untyped_storage().data_ptr() for tensor in tensors_in(inputs))
        if not any(memory.is_computed(tensor) for tensor in tensors_in(inputs)):
            out = func(*args, **kwargs)
            if _writes(func) and isinstance(args[0], Tensor) and memory.knows(args[0]):
                memory.write(args[0], memory.of_constants(args[0]))
            return out
        name = str(func._schema.name).partition("::")[2]  # noqa: SLF001 -- how PyTorch names it
        if "out" in kwargs:
            raise self.refusal("a result is written into a tensor that is there", "leave out= away")
        is_written = _writes(func)
        handler = self.table.get(name) or (self.table.get(name[:-1]) if is_written else None)
        if handler is None and _is_composite(func):  # as in inference mode
            with self:
                return func.decompose(*args, **kwargs)
        read = args
        if is_written:  # constants are kept before the operation changes them
            read = tuple(self._kept(arg, args[0]) for arg in args)
            if not memory.knows(args[0]):
                memory.write(args[0], memory.codes(args[0]))
        out = func(*args, **kwargs)
        if handler is None:
            if not is_written and all(memory.knows(tensor) for tensor in tensors_in([out])):
                return out  # a view
            raise self.refusal(f"{name.removeprefix('_')} can't be read")
        codes = handler(self, func, out, *read, **kwargs)
        results = (
            zip((out,), (codes,), strict=True) if isinstance(out, Tensor) else _pairs(out, codes)
        )
        for tensor, own in results:
            if own is not None:
                memory.write(tensor, own)
        return out

    def _kept(self, value: Any, written: Tensor) -> Any:
        """Return a copy of constants that lie where an operation will write; else the value."""
        if not isinstance(value, Tensor) or self.memory.is_computed(value):
            return value
        place = written.untyped_storage().data_ptr()
        return value.clone() if value.untyped_storage().data_ptr() == place else value

    # what went wrong

    def refusal(self, what: str, remedy: str = READABLE) -> ModelError:
        """Return the error for the operation that runs now, and keep it.

        It is a TypeError, which PyTorch's operators turn into one of their own or into False.
        """
        self.refused = ModelError(what, where=place(), remedy=remedy)
        return self.refused

    def note(self, text: str) -> None:
        """Keep a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def check_readable(self, units: Iterable[int]) -> None:
        """Raise where a unit is one that no network holds.

        Raises:
            ModelError: with the line on which it was computed.
        """
        for unit in units:
            if unit in self.unreadable:
                what, where, remedy = self.unreadable[unit]
                self.refused = ModelError(what, where=where, remedy=remedy)
                raise self.refused

    # units and their codes

    def codes_of(self, units: Int64[np.ndarray, "*shape"], rows: Any) -> Codes:
        """Return the codes of units on rows; the two are broadcast."""
        return torch.from_numpy(np.asarray(units, dtype=np.int64) * self.rows + rows)

    def by_row(
        self, *codes: Codes
    ) -> tuple[Int64[np.ndarray, "rows places"], list[Int64[np.ndarray, " places"]]]:
        """Return where the numbers of each row are, and which units they are of.

        Args:
            *codes: of one shape; a place belongs to the row of the units among its numbers.

        Returns:
            Each row's places in the flat tensors, and of each tensor the units there: -1 - n for
            the n-th constant.

        Raises:
            ModelError: rows are mixed, or treated differently.
        """
        flat = [own.reshape(-1).numpy() for own in codes]
        own_rows = [np.where(own >= 0, own % self.rows, -1) for own in flat]
        row = np.max(own_rows, axis=0)
        if any(((own >= 0) & (own != row)).any() for own in own_rows):
            raise self.refusal("it computes one row's values from another's")
        places = np.flatnonzero(row >= 0)
        counts = np.bincount(row[places], minlength=self.rows)
        if (counts != counts[0]).any():
            raise self.refusal("it treats some rows otherwise than others")
        order = places[np.argsort(row[places], kind="stable")].reshape(self.rows, -1)
        units: list[Any] = []
        for own in flat:
            values = own[order]
            values = np.where(values >= 0, values // self.rows, values)
            if (values != values[0]).any():
                raise self.refusal("it treats some rows otherwise than others")
            units.append(values[0])
        return order, units

    def same_in_rows(self, values: Any, order: Any) -> Any:
        """Return numbers of the first row's places, if all rows have the same.

        Raises:
            ModelError: they do not.
        """
        own = np.asarray(values).reshape(-1)[order]
        if (own != own[0]).any():
            raise self.refusal("it treats some rows otherwise than others")
        return own[0]

    def filled(self, out: Tensor, order: Any, units: Any) -> Codes:
        """Return the codes of an operation's result: units at some places, else constants."""
        codes = self.memory.of_constants(out).reshape(-1)
        codes[torch.from_numpy(order.reshape(-1))] = self.codes_of(
            np.asarray(units)[None], np.arange(self.rows)[:, None]
        ).reshape(-1)
        return codes.reshape(out.shape)

    def constant_unit(self, value: float) -> int:
        """Return a unit that has the same value on every row."""
        if value not in self._constant_units:
            bias = np.array([value])
            node = Node((0,), weight=np.zeros((1, 1)), bias=bias, is_bits=value in (0, 1))
            self._constant_units[value] = self.nodes.add(node)
        return self._constant_units[value]

    def distinct(self, units: Iterable[int]) -> tuple[int, ...]:
        """Return units of which none is there twice: those given, or copies of them."""
        units = tuple(int(unit) for unit in units)
        if len(set(units)) == len(units):
            return units
        columns = tuple(dict.fromkeys(units))
        weight = np.array([[float(unit == column) for column in columns] for unit in units])
        first = self.nodes.add(Node(columns, weight=weight))
        return tuple(range(first, first + len(units)))

    def rows_of_terms(
        self,
        terms: Sequence[Sequence[tuple[int, float]]],
        bias: Sequence[float] | None = None,
        activation: Activation = IDENTITY,
        **flags: Any,
    ) -> list[int]:
        """Add units that are sums of a few others, and return their numbers.

        Args:
            terms: of each unit, the units that it adds and their factors.
            bias: of each unit.
            activation: of all.
            **flags: of the node.
        """
        shifts = [0.0] * len(terms) if bias is None else list(bias)
        keys = [(tuple(own), shift) for own, shift in zip(terms, shifts, strict=True)]
        distinct = list(dict.fromkeys(keys))
        columns = tuple(dict.fromkeys(unit for own, _ in distinct for unit, _ in own))
        self.check_readable(columns)
        is_plain = [own for own, _ in distinct] == [((unit, 1.0),) for unit in columns]
        if is_plain and bias is None and activation == IDENTITY:
            return [unit for ((unit, _),) in terms]
        weight = None
        if not is_plain:
            place = {unit: at for at, unit in enumerate(columns)}
            limits.check(8 * len(distinct) * len(columns))
            weight = np.zeros((len(distinct), len(columns)))
            for row, (own, _) in enumerate(distinct):
                for unit, factor in own:
                    weight[row, place[unit]] += factor
        shift = None if bias is None else np.array([shift for _, shift in distinct])
        first = self.nodes.add(Node(columns, weight, shift, activation, **flags))
        return (
            [first + distinct.index(key) for key in keys]
            if len(distinct) < len(keys)
            else [*range(first, first + len(keys))]
        )

    def matrix(self, codes: Codes, weight: Tensor, bias: Tensor | None = None) -> Codes:
        """Return the codes of ``x @ weight.T + bias``.

        Args:
            codes: of x, (places, in).
            weight: (out, in).
            bias: (out,).
        """
        kind, own = array_of(weight, "weight"), None if bias is None else array_of(bias, "bias")
        for array in (kind, own):
            if array is not None and array.dtype != self.nodes.kind:
                raise self.refusal(
                    f"the layers are in different number formats ({array.dtype.name}, "
                    f"{np.dtype(self.nodes.kind).name})",
                    "convert the model to one, for example with model.float()",
                )
        table = codes.numpy()
        rows = np.where(table >= 0, table % self.rows, -1).max(axis=1)
        if (rows < 0).any():
            raise self.refusal("it multiplies what is no value of the batch with what is")
        order, _ = self.by_row(torch.from_numpy(rows))
        _, units = self.by_row(codes.contiguous())
        width = codes.shape[1]
        out = torch.empty((len(table), len(kind)), dtype=torch.int64)
        if len(units[0]) != width * order.shape[1]:
            return self._with_constants(codes, weight, bias)
        for at_row, own_units in enumerate(units[0].reshape(order.shape[1], width)):
            self.check_readable(own_units.tolist())
            first = self.nodes.add(Node(self.distinct(own_units), kind, own))
            numbers = first + np.arange(len(kind))
            at = torch.from_numpy(order[:, at_row])
            out[at] = self.codes_of(numbers[None], np.arange(self.rows)[:, None])
        return out

    def _with_constants(self, codes: Codes, weight: Tensor, bias: Tensor | None) -> Codes:
        """Return :meth:`matrix` where constants stand among the values of a row."""
        table = codes.numpy().copy()
        rows = np.where(table >= 0, table % self.rows, -1).max(axis=1)
        for row, column in zip(*np.nonzero(table < 0), strict=True):
            unit = self.constant_unit(self.memory.value_of(int(table[row, column])))
            table[row, column] = unit * self.rows + rows[row]
        return self.matrix(torch.from_numpy(table), weight, bias)


class Escapes(TorchFunctionMode):
    """Sees what reaches no kernel.

    What takes values of the batch out of PyTorch, where nothing of them is seen, is refused; of
    dropout, which does nothing in eval mode, a note is kept.

    Args:
        rec: the recorder.
    """

    def __init__(self, rec: Recorder) -> None:
        super().__init__()
        self.rec = rec

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in OUTSIDE and self.rec.memory.is_computed(args[0]) and not is_assert():
            raise self.rec.refusal(
                f"{name.strip('_')} takes values out of PyTorch, where they can't be followed",
                "compute with PyTorch's operations alone",
            )
        if "dropout" in name and args and self.rec.memory.is_computed(args[0]):
            self.rec.note(DROPPED)
        return func(*args, **(kwargs or {}))


def tensors_in(values: Any) -> Iterator[Tensor]:
    """Yield the tensors among values, and in lists of them."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_in(value)


def _pairs(out: Any, codes: Any) -> Iterator[tuple[Tensor, Any]]:
    return zip(out, codes, strict=True)


def _is_composite(func: Any) -> bool:
    """Return whether an operation is made of others, which PyTorch calls for it."""
    key = torch._C.DispatchKey.CompositeImplicitAutograd  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    return func.has_kernel_for_dispatch_key(key)


def _writes(func: Any) -> bool:
    """Return whether an operation changes its first argument's numbers."""
    if torch.Tag.inplace_view in func.tags:
        return False
    arguments = func._schema.arguments  # noqa: SLF001 -- how PyTorch says what is written
    alias = arguments[0].alias_info if arguments else None
    return alias is not None and alias.is_write
