"""Pictures that are still to be drawn, as data: so that another process can draw them.

matplotlib takes a while to load and to draw. A long run has a worker do both beside it; what the
worker does not give is drawn here, with the same bytes.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from adderlab.blocks.picture import Picture
from adderlab.figures.failure import Failure, FailureRow, failure_picture
from adderlab.figures.loss_quantiles import loss_quantiles_picture
from adderlab.figures.picture import render
from adderlab.figures.success_rates import RatePoint, success_rates_picture
from adderlab.isolation import Worker, worker


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture of a population that is still to be drawn.

    Attributes:
        kind: which of the functions below draws it.
        name: the picture's.
        values: what that function gets, as JSON has it.
    """

    kind: str
    name: str
    values: dict[str, Any]

    def picture(self) -> Picture:
        """Draw it."""
        return _KINDS[self.kind](self.name, self.values)


def drawing_of_losses(
    steps: Sequence[int], quantiles: dict[float, list[float]], *, name: str
) -> Drawing:
    """Return what :func:`adderlab.figures.loss_quantiles_picture` is to draw."""
    values = {"steps": list(steps), "quantiles": list(quantiles.items())}
    return Drawing("loss quantiles", name, values)


def drawing_of_rates(
    points: Sequence[RatePoint], x_name: str, *, name: str, is_log: bool
) -> Drawing:
    """Return what :func:`adderlab.figures.success_rates_picture` is to draw."""
    values = {"points": list(map(asdict, points)), "x_name": x_name, "is_log": is_log}
    return Drawing("success rates", name, values)


def drawing_of_failure(failure: Failure, *, name: str) -> Drawing:
    """Return what :func:`adderlab.figures.failure_picture` is to draw."""
    return Drawing("failure", name, asdict(failure))


class Drawer:
    """Draws beside this process where it has a worker, else in it."""

    def __init__(self, beside: Worker | None = None) -> None:
        self._beside = beside
        self._drawings: list[Drawing] = []

    def begin(self, drawings: Sequence[Drawing]) -> None:
        """Hand over what is to be drawn."""
        for drawing in drawings:
            self._drawings.append(drawing)
            if self._beside is not None:
                self._beside.tell(asdict(drawing))

    def pictures(self) -> list[Picture]:
        """Return all pictures; one that can't be drawn raises here, as without a worker."""
        answers = self._beside.answers() if self._beside is not None else None
        if answers is None:
            return [drawing.picture() for drawing in self._drawings]
        return list(map(_picture, answers))


@contextmanager
def drawer(*, is_wanted: bool, is_long: bool) -> Generator[Drawer]:
    """Yield what draws.

    Args:
        is_wanted: whether anything is to be drawn; without it no worker is started.
        is_long: whether long work comes before; without it there is a worker only where
            matplotlib is not loaded yet, which takes longer than to draw.
    """
    if not is_wanted or (not is_long and "matplotlib.figure" in sys.modules):
        yield Drawer()
        return
    with worker("adderlab.figures.drawings:ready") as beside:
        yield Drawer(beside)


def ready() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Load all that drawing takes; return the function that draws, in the worker."""
    _ = render("a", "", "", lambda ax: ax.text(0, 0, "a"))

    def draw(drawing: dict[str, Any]) -> dict[str, Any]:
        picture = Drawing(**drawing).picture()
        return {**asdict(picture), "png": base64.b64encode(picture.png).decode()}

    return draw


def _picture(answer: dict[str, Any]) -> Picture:
    names = ("name", "title", "alt", "svg")
    return Picture(*(answer[name] for name in names), png=base64.b64decode(answer["png"]))


def _losses(name: str, values: dict[str, Any]) -> Picture:
    return loss_quantiles_picture(values["steps"], dict(values["quantiles"]), name=name)


def _rates(name: str, values: dict[str, Any]) -> Picture:
    points = [RatePoint(**point) for point in values["points"]]
    return success_rates_picture(points, values["x_name"], name=name, is_log=values["is_log"])


def _failure(name: str, values: dict[str, Any]) -> Picture:
    names = ("inputs", "expected", "got", "is_right")
    rows = [
        FailureRow(*(row[name] for name in names), on=tuple(row["on"])) for row in values["rows"]
    ]
    failure = Failure(values["title"], tuple(rows), tuple(values["notes"]))
    return failure_picture(failure, name=name)


_KINDS: Final[dict[str, Callable[[str, dict[str, Any]], Picture]]] = {
    "loss quantiles": _losses,
    "success rates": _rates,
    "failure": _failure,
}
