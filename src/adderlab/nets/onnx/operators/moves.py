"""Numbers that move: shapes, parts, joins."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from adderlab.nets.onnx.graph import Step
from adderlab.nets.onnx.operators.shared import axis_of, check_size, constant, refused, whole


def reshape(step: Step, value: Tensor, shape: Tensor) -> Tensor:
    """Another shape; 0 keeps a size unless ``allowzero`` is set, -1 is the rest."""
    sizes = whole(step, 1, shape, "shape")
    if not step.attributes.get("allowzero"):
        for at, size in enumerate(sizes):
            if size == 0 and at >= value.ndim:
                raise refused(step, f"there is no axis {at} to keep", "export the model again")
        sizes = [value.shape[at] if size == 0 else size for at, size in enumerate(sizes)]
    return value.reshape(sizes)


def flatten(step: Step, value: Tensor) -> Tensor:
    """Two axes: those before one joined, and the others."""
    axis = int(step.attributes["axis"])
    axis = axis + value.ndim if axis < 0 else axis
    if not 0 <= axis <= value.ndim:
        raise refused(step, f"there is no axis {axis} of {value.ndim}", "export the model again")
    return value.reshape(value.shape[:axis].numel(), value.shape[axis:].numel())


def squeeze(step: Step, value: Tensor, axes: Tensor | None = None) -> Tensor:
    """Fewer axes of one number."""
    numbers = step.attributes.get("axes") if axes is None else whole(step, 1, axes, "axes")
    over = [axis_of(step, value, axis) for axis in numbers or ()]
    if numbers and any(value.shape[axis] != 1 for axis in over):
        raise refused(step, "an axis of more than one number is left out", "export it again")
    gone = set(over) if numbers else {at for at, size in enumerate(value.shape) if size == 1}
    return value.reshape([size for at, size in enumerate(value.shape) if at not in gone])


def unsqueeze(step: Step, value: Tensor, axes: Tensor | None = None) -> Tensor:
    """More axes of one number."""
    numbers = step.attributes["axes"] if axes is None else whole(step, 1, axes, "axes")
    rank = value.ndim + len(numbers)
    places = {axis % rank for axis in numbers if -rank <= axis < rank}
    if len(places) < len(numbers):
        raise refused(step, f"its axes are {list(numbers)[:8]}", "export the model again")
    sizes = iter(value.shape)
    return value.reshape([1 if at in places else next(sizes) for at in range(rank)])


def transpose(step: Step, value: Tensor) -> Tensor:
    """The axes in another order."""
    order = step.attributes.get("perm") or list(range(value.ndim))[::-1]
    return value.permute(*(int(axis) for axis in order)) if value.ndim else value


def concat(step: Step, *values: Tensor) -> Tensor:
    """Several joined along an axis."""
    axis = axis_of(step, values[0], int(step.attributes["axis"]))
    _ = check_size(step, (sum(value.numel() for value in values),))
    return torch.cat(values, axis)


def split(step: Step, value: Tensor, sizes: Tensor | None = None) -> Any:
    """Parts along an axis, equal ones unless their sizes are given."""
    axis = axis_of(step, value, int(step.attributes["axis"]))
    lengths = step.attributes.get("split") if sizes is None else whole(step, 1, sizes, "split")
    if not lengths:
        count = int(step.attributes.get("num_outputs", len(step.outputs)))
        size = -(-value.shape[axis] // max(count, 1))
        lengths = [size] * (count - 1)
        lengths.append(value.shape[axis] - sum(lengths))
        is_even = size * count == value.shape[axis]
        if count != len(step.outputs) or lengths[-1] < 0 or (step.version < 18 and not is_even):
            raise refused(step, "its parts are not equal", "give the sizes of the parts")
    return torch.split(value, [int(size) for size in lengths], axis)


def sliced(
    step: Step,
    value: Tensor,
    starts: Tensor | None = None,
    ends: Tensor | None = None,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    """From a start to an end, in steps, along some axes."""
    inputs = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
    numbers = {
        name: step.attributes.get(name) if own is None else whole(step, at, own, name)
        for at, (name, own) in enumerate(inputs.items(), start=1)
    }
    first, last = numbers["starts"], numbers["ends"]
    count = len(first or ())
    over = numbers["axes"] or list(range(count))
    by = numbers["steps"] or [1] * count
    if first is None or last is None or {len(last), len(over), len(by)} != {count} or 0 in by:
        raise refused(step, "its starts, ends, axes and steps do not fit", "export it again")
    for start, end, axis, stride in zip(first, last, over, by, strict=True):
        at = axis_of(step, value, axis)
        places = range(value.shape[at])[start:end:stride]  # as NumPy, whose rule ONNX's is
        if stride > 0:
            value = value[(slice(None),) * at + (slice(places.start, places.stop, stride),)]
        else:
            value = value.index_select(at, torch.tensor(list(places), dtype=torch.int64))
    return value


def gather(step: Step, value: Tensor, indices: Tensor) -> Tensor:
    """Parts along an axis, by their numbers."""
    axis = axis_of(step, value, int(step.attributes["axis"]))
    numbers = _numbers(step, value, indices, axis)
    shape = (*value.shape[:axis], *numbers.shape, *value.shape[axis + 1 :])
    _ = check_size(step, shape)
    return value.index_select(axis, numbers.reshape(-1)).reshape(shape)


def gather_elements(step: Step, value: Tensor, indices: Tensor) -> Tensor:
    """Numbers along an axis, by their places."""
    axis = axis_of(step, value, int(step.attributes["axis"]))
    return torch.gather(value, axis, _numbers(step, value, indices, axis))


def gather_parts(step: Step, value: Tensor, indices: Tensor) -> Tensor:
    """Numbers or parts by their places along the first axes (GatherND)."""
    places = _places(step, value, indices)
    return value.reshape(-1).index_select(0, places.reshape(-1)).reshape(places.shape)


def scatter_parts(step: Step, value: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """Numbers or parts written at their places along the first axes (ScatterND)."""
    _check_writes(step)
    places = _places(step, value, indices)
    if places.shape != updates.shape:
        raise refused(step, "its updates do not fit its indices", "export the model again")
    flat = value.reshape(-1).scatter(0, places.reshape(-1), updates.reshape(-1))
    return flat.reshape(value.shape)


def scatter_elements(step: Step, value: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """Numbers written along an axis, by their places."""
    _check_writes(step)
    axis = axis_of(step, value, int(step.attributes["axis"]))
    return value.scatter(axis, _numbers(step, value, indices, axis), updates)


def _check_writes(step: Step) -> None:
    if step.attributes.get("reduction", "none") != "none":
        raise refused(step, "it adds to what is there", "write without a reduction")


def _places(step: Step, value: Tensor, indices: Tensor) -> Tensor:
    """Return where the parts that are meant lie in the flat tensor."""
    numbers = constant(step, 1, indices, "indices").to(torch.int64)
    depth = numbers.shape[-1] if numbers.ndim else 0
    if step.attributes.get("batch_dims") or not 0 < depth <= value.ndim:
        raise refused(step, "its indices do not fit its axes", "export the model again")
    sizes = torch.tensor(value.shape[:depth])
    if bool(((numbers < -sizes) | (numbers >= sizes)).any()):
        raise refused(step, "an index is beyond what there is", "export the model again")
    _ = check_size(step, (*numbers.shape[:-1], *value.shape[depth:]))
    flat = torch.arange(value.numel()).reshape(value.shape)
    return flat[tuple(numbers.unbind(-1))]


def _numbers(step: Step, value: Tensor, indices: Tensor, axis: int) -> Tensor:
    size = value.shape[axis]
    numbers = constant(step, 1, indices, "indices").to(torch.int64)
    if bool(((numbers < -size) | (numbers >= size)).any()):
        raise refused(step, f"an index is beyond the {size} that there are", "export it again")
    return torch.where(numbers < 0, numbers + size, numbers)


def expand(step: Step, value: Tensor, shape: Tensor) -> Tensor:
    """The same numbers again along some axes."""
    sizes = whole(step, 1, shape, "shape")
    return value.expand(check_size(step, torch.broadcast_shapes(value.shape, tuple(sizes))))


def tile(step: Step, value: Tensor, repeats: Tensor) -> Tensor:
    """The whole again along each axis."""
    times = whole(step, 1, repeats, "repeats")
    if len(times) != value.ndim or min(times, default=0) < 0:
        raise refused(step, "its repeats do not fit its axes", "export the model again")
    _ = check_size(step, [size * count for size, count in zip(value.shape, times, strict=True)])
    return value.repeat(times)


def pad(
    step: Step,
    value: Tensor,
    pads: Tensor | None = None,
    by: Tensor | None = None,
    axes: Tensor | None = None,
) -> Tensor:
    """A constant around the numbers."""
    if step.attributes["mode"] != "constant":
        raise refused(step, f"its mode is {step.attributes['mode']!r}", "constant is read")
    pad_widths = step.attributes.get("pads") if pads is None else whole(step, 1, pads, "pads")
    over = list(range(value.ndim)) if axes is None else whole(step, 3, axes, "axes")
    over = [axis_of(step, value, axis) for axis in over]
    count = len(over)
    if pad_widths is None or len(pad_widths) != 2 * count or len(set(over)) < count:
        raise refused(step, "its pads do not fit its axes", "export the model again")
    number = step.attributes.get("value", 0.0) if by is None else constant(step, 2, by, "value")
    ends = {
        axis: (int(pad_widths[at]), int(pad_widths[at + count])) for at, axis in enumerate(over)
    }
    sizes = [size + sum(ends.get(axis, (0, 0))) for axis, size in enumerate(value.shape)]
    if min(sizes, default=0) < 0:
        raise refused(step, "its pads take more than there is", "export the model again")
    _ = check_size(step, sizes)
    flat = [end for axis in reversed(range(value.ndim)) for end in ends.get(axis, (0, 0))]
    return torch.constant_pad_nd(value, flat, float(number))
