"""``map``: train a grid band by band and write it as an image and an array file.

Rule: a map of several bands keeps those that are finished in a folder beside the image until it
is done, so that the same command resumes an interrupted map.
"""

from __future__ import annotations

import io
import os
import shutil
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.errors import OptionError, ResourceError, RunFileError
from adderlab.reading import Refusals, read_file
from adderlab.runs.maps.axes import LARGEST_SIDE, Axis, parse_axis, parse_size
from adderlab.runs.maps.grid import EACH, Grid, Pixels
from adderlab.runs.maps.result import about
from adderlab.runs.populations.ledger import recorded_identity
from adderlab.runs.populations.plan import identity_of
from adderlab.tasks import Task
from adderlab.training.members import check_block
from adderlab.training.settings import check_batch, check_rows

PIXEL_BYTES: Final = 128
"""Memory that a pixel takes while the image is drawn: 2.1 GB for 4096 x 4096."""

PIXEL_DISK_BYTES: Final = 16
MOST_POPULATIONS: Final = 1 << 14
SUFFIX: Final = ".npz"
UNPACKING_ERRORS: Final = (
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What a damaged archive of arrays raises."""


def grid_of(task: Task, x: str, y: str, size: int | str, settings: Any) -> Grid:
    """Return the grid that a map trains.

    Raises:
        OptionError: an axis or a setting is out of its range, or an axis is finer than fp32.
        ResourceError: the map would not fit in memory, or take over a century.
    """
    across, up = parse_axis(x, "x"), parse_axis(y, "y")
    if across.name == up.name:
        raise OptionError(
            f"{up.name} stands on both axes", where="y", remedy="name another setting"
        )
    columns, rows = parse_size(size)
    if max(columns, rows) > LARGEST_SIDE:
        pixels = columns * rows
        raise ResourceError(
            f"{columns} x {rows} are {pixels:.3g} networks, about "
            f"{pixels * PIXEL_BYTES / 1e9:.3g} GB of memory and "
            f"{pixels * PIXEL_DISK_BYTES / 1e9:.3g} GB on the disk",
            where="size",
            remedy=f"give at most {LARGEST_SIDE}, and zoom in by the ranges",
        )
    free = _free_memory()
    if columns * rows * PIXEL_BYTES > free:
        raise ResourceError(
            f"the map would take about {columns * rows * PIXEL_BYTES / 1e9:.3g} GB of memory, "
            f"{free / 1e9:.3g} GB are free",
            where="size",
            remedy="give a smaller one, and zoom in by the ranges",
        )
    if "momentum" in (across.name, up.name) and settings.optimizer != "momentum":
        raise OptionError(
            f"momentum stands on an axis, but the optimizer is {settings.optimizer}",
            where="optimizer",
            remedy="set `optimizer` to momentum",
        )
    if not settings.steps and "steps" not in (across.name, up.name):
        raise OptionError(
            "got 0",
            where="steps",
            remedy="give at least 1: a map shows where the loss ends below its start",
        )
    _check_fineness(across, columns, "x")
    _check_fineness(up, rows, "y")
    grid = Grid(task, settings, across, up, columns, rows)
    check_rows(task, "map")
    if grid.populations > MOST_POPULATIONS:
        raise ResourceError(
            f"the axes have {grid.populations} pairs of values that each need a population of "
            "their own",
            where="size",
            remedy=f"give a smaller one, of at most {MOST_POPULATIONS} such pairs",
        )
    largest = grid.settings_at(across.high, up.high)
    check_batch(task, largest)
    middle = (float(across.values(columns).mean()), float(up.values(rows).mean()))
    grid.settings_at(*middle).check_time(task, columns * rows)
    check_block(task, largest, grid.columns)
    return replace(grid, has_kernels=grid.finds_kernels())


def as_begun(grid: Grid, folder: Path) -> Grid:
    """Return the grid with the engine that its bands were begun with, whatever is compiled now."""
    path = recorded_identity(folder).get("path")
    for has_kernels in (False, True):
        begun = replace(grid, has_kernels=has_kernels)
        if ", ".join(begun.paths()) == path:
            return begun
    return grid


def _check_fineness(axis: Axis, count: int, option: str) -> None:
    """Refuse a range in which neighbors are the same number in fp32: stripes, not a map."""
    if axis.name not in EACH:
        return
    with np.errstate(over="ignore", under="ignore"):
        different = len(np.unique(axis.values(count).astype(np.float32)))
    if different < count:
        raise OptionError(
            f"{axis} holds {counted(different, 'different fp32 number')}, "
            f"too few for {count} pixels",
            where=option,
            remedy="give a wider range or a smaller `size`",
        )


def _free_memory() -> int:
    """Return the bytes of free memory; a very large number where the system does not tell."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 1 << 50


def check_disk(grid: Grid, image: Path) -> None:
    """Raise before the work if the disk can't hold a map.

    Raises:
        ResourceError: with the estimate.
    """
    need = grid.columns * grid.rows * PIXEL_DISK_BYTES
    free = shutil.disk_usage(image.absolute().parent).free
    if need > free:
        raise ResourceError(
            f"the map would take about {need / 1e9:.3g} GB, {free / 1e9:.3g} GB are free",
            where=str(image),
            remedy="give a smaller `size`, or another disk",
        )


def parts_folder(image: Path) -> Path:
    """Return the folder that holds the finished bands of an unfinished map."""
    return image.with_name(f"{image.name}.parts")


def identity(grid: Grid) -> dict[str, Any]:
    """Return what must be the same for a map to be resumed, by name."""
    entries = about(grid)
    settings = entries.pop("settings")
    axes = {"x": str(grid.x), "y": str(grid.y)}
    return {
        **entries,
        **settings,
        **axes,
        "task": identity_of(grid.task),
        "path": ", ".join(grid.paths()),
    }


def read_pixels(path: Path, shape: tuple[int, int]) -> Pixels:
    """Return the pixels of a finished band.

    Raises:
        RunFileError: it is no band of this shape.
    """
    remedy = "delete it: the same command trains it again"
    rows, columns = shape
    most_bytes = 8 * rows * columns + (1 << 16)  # 5 a pixel, and two headers
    raw = read_file(path, most_bytes, Refusals(RunFileError, remedy, remedy))
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(member.file_size for member in archive.infolist()) > most_bytes:
                raise ValueError("it is larger when unpacked")
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            measure, success = arrays["measure"], arrays["success"]
        for array, dtype in ((measure, np.float32), (success, np.bool_)):
            if array.dtype != dtype or array.shape != shape:
                raise ValueError(f"an array has type {array.dtype} and shape {array.shape}")
    except UNPACKING_ERRORS as error:
        raise RunFileError(
            f"not the {rows} x {columns} pixels that it should be ({str(error)[:80]})",
            where=str(path),
            remedy=remedy,
        ) from None
    return Pixels(measure, success)
