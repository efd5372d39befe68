"""``map``: train a grid band by band and write it as an image and an array file.

Rule: a map of several bands keeps the finished bands in a folder next to the image until it
is done, so that the same command resumes an interrupted map.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np

from adderlab.checking import checked
from adderlab.errors import OptionError
from adderlab.packages import check_installed
from adderlab.runs.maps.result import SHOWS, TrainabilityMap, npz_bytes
from adderlab.runs.maps.run import (
    SUFFIX,
    as_begun,
    check_disk,
    grid_of,
    identity,
    parts_folder,
    read_pixels,
)
from adderlab.runs.populations.ledger import Ledger
from adderlab.runs.populations.plan import check_threads, this_machine
from adderlab.runs.times import Stopwatch
from adderlab.tasks import TaskLike, as_task
from adderlab.training import MapOptions, keywords_of, make_settings
from adderlab.writing import check_place, write_file


@checked
def map(
    task: TaskLike = "half-adder",
    *,
    x: str = "lr=0.01:10:log",
    y: str = "init=0.1:10:log",
    size: int | str = 256,
    member: int = 1,
    show: str = "convergence",
    out: str | Path | None = None,
    threads: int | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
    on_stage: Callable[[str], None] = lambda text: None,
    on_compile: Callable[[str], None] = lambda text: None,
    **settings: Unpack[MapOptions],
) -> TrainabilityMap:
    """Train one start under a grid of settings and say where it converges, and where it is right.

    Args:
        task: a task, its name or a table.
        x: the horizontal axis: ``NAME=LOW:HIGH``, ``NAME=LOW:HIGH:log``, with
            a NAME of ``lr``, ``init`` (a factor on the start), ``hidden``, ``steps``,
            ``momentum`` or ``batch``. A narrower range zooms in.
        y: the vertical axis, in the same form.
        size: pixels on a side, or ``640x480``; at most 4096.
        member: which member's start, data and batches every pixel has. Member 1 of seed 0 learns
            the half adder under the notebook's settings; half of the others do not.
        show: ``convergence``, or ``success``: which networks are right on every row.
        out: an image (``.png``), of a small map with several pixels a side for each network; an
            array file (``.npz``) of the same name goes with it, with one value a network.
        threads: the number of threads; all cores unless given.
        on_progress: called with the pixels done since the last call.
        on_stage: called with what is done after the training.
        on_compile: called with one line before a kernel is compiled.
        **settings: as of :func:`adderlab.train`, for everything that is not an axis.

    Raises:
        OptionError: an axis or a setting is out of its range, or an axis is finer than fp32.
        OutputError: ``out`` can't be written.
        RunFileError: a finished band in the folder of an unfinished map is damaged.
        ResourceError: the map would not fit in memory or on the disk.

    Examples:
        >>> import adderlab
        >>> trained = adderlab.map("half-adder", size=2, steps=20)
        >>> trained.measure.shape
        (2, 2)
    """
    watch = Stopwatch()
    check_threads(threads)
    target = as_task(task)
    grid = grid_of(
        target, x, y, size, make_settings("map", keywords_of(map), **settings, member=member)
    )
    if show not in SHOWS:
        raise OptionError(f"got {show}", where="show", remedy=f"give one of {', '.join(SHOWS)}")
    image = Path(out) if out is not None else None
    ledger = None
    if image is not None:
        if image.suffix.lower() != ".png":
            raise OptionError(
                f"got {image.name}", where="out", remedy="name an image that ends in .png"
            )
        for place in (image, image.with_suffix(SUFFIX)):
            check_place(place)
        check_installed("matplotlib")
        check_disk(grid, image)
        grid = as_begun(grid, parts_folder(image))
        if grid.bands > 1:
            ledger = Ledger.open(parts_folder(image), identity(grid), this_machine())
    measure = np.empty((grid.rows, grid.columns), dtype=np.float32)
    success = np.empty((grid.rows, grid.columns), dtype=bool)
    try:
        for number in range(grid.bands):
            rows = grid.rows_of(number)
            if ledger is not None and number in ledger.blocks:
                shape = (len(range(grid.rows)[rows]), grid.columns)
                pixels = read_pixels(ledger.block_path(number), shape)
                on_progress(pixels.measure.size)
            else:
                pixels = grid.train(
                    number,
                    threads=threads,
                    on_progress=on_progress,
                    on_compile=on_compile,
                    watch=watch,
                )
                if ledger is not None:
                    data = {"measure": pixels.measure, "success": pixels.success}
                    ledger.enter(number, npz_bytes(data), suffix=SUFFIX)
            measure[rows], success[rows] = pixels.measure, pixels.success
    except KeyboardInterrupt:
        if ledger is not None and ledger.blocks:
            raise ledger.interrupted(grid.bands, "band") from None
        raise
    result = TrainabilityMap(
        grid, measure, success, show, ", ".join(grid.paths()), watch.seconds_of("training")
    )
    if image is None:
        return replace(result, times=watch.times())
    on_stage("drawing")
    with watch.part("drawing"):
        _ = write_file(image.with_suffix(SUFFIX), result.to_npz())
        _ = write_file(image, result.to_png())
    if ledger is not None:
        shutil.rmtree(ledger.folder, ignore_errors=True)
    array = image.with_suffix(SUFFIX)
    return replace(result, file=image, array=array, times=watch.times())
