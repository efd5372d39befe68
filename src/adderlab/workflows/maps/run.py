"""``map``: train a grid band by band and write it as an image and an array file.

Rule: a map of several bands keeps those that are finished in a folder beside the image until it
is done, so that an interrupted map is gone on with by the same command.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from adderlab.errors import OptionError, ResourceError
from adderlab.tasks import Task, task_named
from adderlab.training.members import check_block
from adderlab.training.settings import check_rows
from adderlab.workflows.maps.axes import LARGEST_SIDE, Axis, parse_axis, parse_size
from adderlab.workflows.maps.grid import EACH, Grid, Pixels
from adderlab.workflows.maps.result import SHOWS, TrainabilityMap, about, npz_bytes
from adderlab.workflows.populations.ledger import Ledger
from adderlab.workflows.populations.plan import check_threads, identity_of, this_machine
from adderlab.workflows.train import make_settings
from adderlab.writing import check_place, write_file

PIXEL_BYTES: Final = 128
"""Memory that a pixel takes while the image is drawn: 2.1 GB for 4096 x 4096."""

PIXEL_DISK_BYTES: Final = 16
MOST_POPULATIONS: Final = 1 << 14
SUFFIX: Final = ".npz"


def map(
    task: Task | str = "half-adder",
    *,
    x: str = "lr=0.01:10:log",
    y: str = "init=0.1:10:log",
    size: int | str = 256,
    member: int = 1,
    show: str = "convergence",
    out: str | Path | None = None,
    threads: int | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
    on_compile: Callable[[str], None] = lambda text: None,
    **settings: Any,
) -> TrainabilityMap:
    """Train one start under a grid of settings and say where it converges, and where it is right.

    Args:
        task: a task or its name.
        x: what stands on the axis to the right: ``NAME=LOW:HIGH``, ``NAME=LOW:HIGH:log``, with
            a NAME of ``lr``, ``init`` (a factor on the start), ``hidden``, ``steps``,
            ``momentum`` or ``batch``. A narrower range zooms in.
        y: what stands on the axis upwards.
        size: pixels on a side, or ``640x480``; at most 4096.
        member: which member's start, data and batches every pixel has. Member 1 of seed 0 learns
            the half adder under the notebook's settings; half of the others do not.
        show: ``convergence``, or ``success``: which networks are right on every row.
        out: an image (``.png``); an array file of the same name (``.npz``) is written beside it.
        threads: how many are used; all cores unless given.
        on_progress: called with the pixels done since the last call.
        on_compile: called with one line before a kernel is compiled.
        **settings: as of :func:`adderlab.train`, for what does not stand on an axis.

    Raises:
        OptionError: an axis or a setting is out of its range, or an axis is finer than fp32.
        OutputError: ``out`` can't be written.
        ResourceError: the map would not fit in memory or on the disk.

    Examples:
        >>> import adderlab
        >>> found = adderlab.map("half-adder", size=2, steps=20)
        >>> found.measure.shape
        (2, 2)
    """
    check_threads(threads)
    target = task_named(task) if isinstance(task, str) else task
    grid = _grid(target, x, y, size, make_settings(**settings, member=member))
    if show not in SHOWS:
        raise OptionError(f"got {show}", where="--show", remedy=f"give one of {', '.join(SHOWS)}")
    image = Path(out) if out is not None else None
    ledger = None
    if image is not None:
        if image.suffix.lower() != ".png":
            raise OptionError(
                f"got {image.name}", where="--out", remedy="name an image that ends in .png"
            )
        for place in (image, image.with_suffix(SUFFIX)):
            check_place(place)
        _check_disk(grid, image)
        if grid.bands > 1:
            ledger = Ledger.open(_parts(image), _identity(grid), this_machine())
    start = time.perf_counter()
    measure = np.empty((grid.rows, grid.columns), dtype=np.float32)
    success = np.empty((grid.rows, grid.columns), dtype=bool)
    try:
        for number in range(grid.bands):
            rows = grid.rows_of(number)
            if ledger is not None and number in ledger.blocks:
                pixels = _read(ledger.path(number, SUFFIX))
                on_progress(pixels.measure.size)
            else:
                pixels = grid.train(
                    number, threads=threads, on_progress=on_progress, on_compile=on_compile
                )
                if ledger is not None:
                    data = {"measure": pixels.measure, "success": pixels.success}
                    ledger.enter(number, npz_bytes(data), suffix=SUFFIX)
            measure[rows], success[rows] = pixels.measure, pixels.success
    except KeyboardInterrupt as interrupt:
        if ledger is not None and ledger.blocks:
            done = f"{len(ledger.blocks)} of {grid.bands} bands are kept in {ledger.folder}"
            interrupt.add_note(f"interrupted; {done}: give the same command to go on")
        raise
    found = TrainabilityMap(
        grid, measure, success, show, ", ".join(grid.paths()), time.perf_counter() - start
    )
    if image is None:
        return found
    _ = write_file(image.with_suffix(SUFFIX), found.to_npz())
    _ = write_file(image, found.to_png())
    if ledger is not None:
        shutil.rmtree(ledger.folder, ignore_errors=True)
    return replace(found, file=image, array=image.with_suffix(SUFFIX))


def _grid(task: Task, x: str, y: str, size: int | str, settings: Any) -> Grid:
    across, up = parse_axis(x, "x"), parse_axis(y, "y")
    if across.name == up.name:
        raise OptionError(
            f"{up.name} stands on both axes", where="--y", remedy="name another setting"
        )
    columns, rows = parse_size(size)
    if max(columns, rows) > LARGEST_SIDE:
        pixels = columns * rows
        raise ResourceError(
            f"{columns} x {rows} are {pixels:.3g} networks, about "
            f"{pixels * PIXEL_BYTES / 1e9:.3g} GB of memory and "
            f"{pixels * PIXEL_DISK_BYTES / 1e9:.3g} GB on the disk",
            where="--size",
            remedy=f"give at most {LARGEST_SIDE}, and zoom in by the ranges",
        )
    free = _free_memory()
    if columns * rows * PIXEL_BYTES > free:
        raise ResourceError(
            f"the map would take about {columns * rows * PIXEL_BYTES / 1e9:.3g} GB of memory, "
            f"{free / 1e9:.3g} GB are free",
            where="--size",
            remedy="give a smaller one, and zoom in by the ranges",
        )
    if "momentum" in (across.name, up.name) and settings.optimizer != "momentum":
        raise OptionError(
            f"momentum stands on an axis, but the optimizer is {settings.optimizer}",
            where="--optimizer",
            remedy="add --optimizer momentum",
        )
    if not settings.steps and "steps" not in (across.name, up.name):
        raise OptionError(
            "got 0",
            where="--steps",
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
            where="--size",
            remedy=f"give a smaller one, of at most {MOST_POPULATIONS} such pairs",
        )
    largest = grid.settings_at(across.high, up.high)
    check_block(task, largest, grid.columns)
    return grid


def _check_fineness(axis: Axis, count: int, option: str) -> None:
    """Refuse a range whose neighbors would be one number to the engines: stripes, not a map."""
    if axis.name not in EACH:
        return
    with np.errstate(over="ignore", under="ignore"):
        different = len(np.unique(axis.values(count).astype(np.float32)))
    if different < count:
        raise OptionError(
            f"{axis} holds {different} different fp32 number{'s' if different != 1 else ''}, "
            f"too few for {count} pixels",
            where=f"--{option}",
            remedy="give a wider range or a smaller --size",
        )


def _free_memory() -> int:
    """Return the bytes of memory that are free, or a lot where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 1 << 50


def _check_disk(grid: Grid, image: Path) -> None:
    need = grid.columns * grid.rows * PIXEL_DISK_BYTES
    free = shutil.disk_usage(image.absolute().parent).free
    if need > free:
        raise ResourceError(
            f"the map would take about {need / 1e9:.3g} GB, {free / 1e9:.3g} GB are free",
            where=str(image),
            remedy="give a smaller --size, or another disk",
        )


def _parts(image: Path) -> Path:
    return image.with_name(f"{image.name}.parts")


def _identity(grid: Grid) -> dict[str, Any]:
    """Return what must be the same for a map to be gone on with, by name."""
    told = about(grid)
    settings = told.pop("settings")
    axes = {"x": str(grid.x), "y": str(grid.y)}
    return {
        **told,
        **settings,
        **axes,
        "task": identity_of(grid.task),
        "path": ", ".join(grid.paths()),
    }


def _read(path: Path) -> Pixels:
    with np.load(path, allow_pickle=False) as found:
        return Pixels(found["measure"], found["success"])
