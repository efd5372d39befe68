"""A finished map: its arrays, a summary of them, and how they are written."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks import Block, Figures, Line, Result, note_lines, written_lines
from adderlab.blocks.numbers import duration_text
from adderlab.figures import Picture
from adderlab.figures.trainability_map import (
    MapAxis,
    MapView,
    map_picture,
    map_png,
    pixel_scale,
)
from adderlab.runs.maps.grid import Grid
from adderlab.runs.times import Times

if TYPE_CHECKING:
    from jaxtyping import Bool, Float32, Float64

SHOWS: Final = ("convergence", "success")
NAMES: Final = {
    "lr": "learning rate",
    "init": "scale of the start",
    "hidden": "hidden units",
    "steps": "steps",
    "momentum": "momentum",
    "batch": "samples a step",
}
FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
"""The time stamp of every entry of an archive, so that the same arrays give the same bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainabilityMap(Result):
    """A grid of trained networks, one start under many settings.

    Attributes:
        grid: what was mapped.
        measure: for each network, from the bottom row up: minus the mean normalized loss of a
            run that converged, else its mean inverse.
        success: whether it is right on every row.
        shows: what the image shows: ``convergence`` or ``success``.
        path: the engine, or the engines, that trained it.
        seconds: how long training took.
        times: how long everything took, and its parts.
        file: the image, if it was written.
        array: the array file beside it.
    """

    grid: Grid
    measure: Float32[np.ndarray, "y x"]
    success: Bool[np.ndarray, "y x"]
    shows: str
    path: str
    seconds: float = field(compare=False)
    times: Times = field(default_factory=Times, compare=False)
    file: Path | None = None
    array: Path | None = None

    @property
    def x(self) -> Float64[np.ndarray, " x"]:
        """The values along the axis to the right."""
        return self.grid.x.values(self.grid.columns)

    @property
    def y(self) -> Float64[np.ndarray, " y"]:
        """The values along the axis upwards."""
        return self.grid.y.values(self.grid.rows)

    @property
    def networks(self) -> int:
        """How many networks it shows."""
        return self.measure.size

    def to_dict(self) -> dict[str, Any]:
        """Return all but the arrays, which are in the file."""
        return {
            **about(self.grid),
            "networks": self.networks,
            "converged": int((self.measure < 0).sum()),
            "successes": int(self.success.sum()),
            "shows": self.shows,
            "seconds": round(self.seconds, 3),
            "path": self.path,
            "notes": list(self.grid.task.remarks),
            "pixel_scale": pixel_scale(self.grid.rows, self.grid.columns),
            "file": str(self.file) if self.file is not None else None,
            "array": str(self.array) if self.array is not None else None,
        }

    def view(self, *, shows: str | None = None) -> MapView:
        """Return the data of the figure."""
        x, y = self.grid.x, self.grid.y
        return MapView(
            measure=self.measure,
            success=self.success,
            x=MapAxis(NAMES[x.name], x.low, x.high, x.scale == "log"),
            y=MapAxis(NAMES[y.name], y.low, y.high, y.scale == "log"),
            shows=shows or self.shows,
        )

    def picture(self, *, shows: str | None = None, name: str = "map") -> Picture:
        """Return it as a picture of a fixed width, for a page."""
        return map_picture(self.view(shows=shows), name=name)

    def to_png(self) -> bytes:
        """Return it as PNG, a square of pixels a network, with its axes."""
        return map_png(self.view())

    def to_npz(self) -> bytes:
        """Return its arrays as an archive that ``numpy.load`` opens without pickle."""
        return npz_bytes(
            {
                "x": self.x,
                "y": self.y,
                "measure": self.measure,
                "success": self.success,
                "about": np.array(json.dumps(about(self.grid), sort_keys=True)),
            }
        )

    def blocks(self) -> tuple[Block, ...]:
        """Return how many networks converge and how many are right, and the map itself."""
        converged = float((self.measure < 0).mean())
        member, seed = self.grid.settings.member, self.grid.settings.seed
        each = duration_text(self.seconds / self.networks)
        shown: list[Block] = [
            Line(
                f"{self.networks} networks, each member {member} of seed {seed}, "
                f"by {self.grid.x} and {self.grid.y}",
                "strong",
            ),
            Line(f"trained in {duration_text(self.seconds)} by {self.path}, {each} a network"),
            Line(
                f"{converged:.1%} converge, {1 - converged:.1%} do not (their loss does not "
                f"end below its start), {self.success.mean():.1%} are right on every row"
            ),
        ]
        shown += note_lines(self.grid.task.remarks)
        if not self.success.any():
            shown.append(Line("nowhere is this member right; another member may be"))
        shown.append(Figures(lambda: (self.picture(),), ""))
        if self.times.parts:
            shown.append(Line(str(self.times)))
        return (*shown, *written_lines(self.file, self.array))

    def __repr__(self) -> str:
        return (
            f"TrainabilityMap: {self.grid.columns} x {self.grid.rows} networks by "
            f"{self.grid.x} and {self.grid.y}, {(self.measure < 0).mean():.1%} converge, "
            f"{self.success.mean():.1%} right"
        )


def about(grid: Grid) -> dict[str, Any]:
    """Return the task, settings, ``member``, the axes ``x`` and ``y``, and ``size`` in pixels."""
    settings = asdict(grid.settings)
    return {
        "task": grid.task.name,
        "settings": settings,
        "member": grid.settings.member,
        "x": grid.x.to_dict(),
        "y": grid.y.to_dict(),
        "size": [grid.columns, grid.rows],
    }


def npz_bytes(arrays: Mapping[str, Any]) -> bytes:
    """Return arrays as an ``.npz`` archive; the same arrays give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", FIRST_DAY)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entry.getvalue())
    return stream.getvalue()
