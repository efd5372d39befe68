"""``Lab``: the page in a notebook's cell, and what was made there back in Python.

Rules: importing this loads no widget library; the class that a notebook shows is made when the
first lab is. The link alone is what a lab shows: the page writes it and reads it, so that Python
and every view of a lab have one network.
"""

from __future__ import annotations

from functools import cache
from html import escape
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

from adderlab import page
from adderlab.blocks.html import to_fragment
from adderlab.checking import check
from adderlab.errors import OptionError
from adderlab.exporting.html import lab_document
from adderlab.lab.messages import Refused, refusal, request_of
from adderlab.nets import Network
from adderlab.nets.importing import NetworkFile
from adderlab.packages import check_installed
from adderlab.page_data import tasks
from adderlab.page_data.beginning import beginning, start_of
from adderlab.page_data.links import from_address, linked
from adderlab.proving import Verdict
from adderlab.tasks import Task, TaskLike
from adderlab.verbs.prove import prove
from adderlab.verbs.show import show

if TYPE_CHECKING:
    from torch import nn

FRAME: Final = (
    '<iframe title="adderlab" sandbox="allow-scripts" srcdoc="{}" '
    'style="width: 100%; height: 60rem; border: 0"></iframe>'
)


class Lab:
    """The lab in a notebook: JupyterLab, marimo, VS Code, Colab, through anywidget.

    A lab that ends a cell is shown; what is made in it by hand is :attr:`network` in any later
    cell. Where no widgets are shown, as in a notebook on a web page, its truth table and its
    verdict are; in Colab the lab as a single file.

    Args:
        model: a network, the path of its file, or a PyTorch module; the lecture's network unless
            given.
        task: a task, its name or a table; the network's own unless given.
        link: what is shown instead, as the page copies it: the address of a lab, or its part after
            ``#``.

    Attributes:
        link: what is shown. Setting it changes the page.
        notes: what had to be assumed in reading the network.

    Raises:
        DependencyError: anywidget is not installed.
        NetworkError: the network is beyond the page.
        OptionError: the link can't be read.
        TaskError: the task is beyond the page, or does not fit the network.

    Examples:
        >>> import adderlab
        >>> lab = adderlab.Lab()
        >>> lab.verdict.counterexample.got
        {'c': 3}
        >>> lab.link = "net=relu:1,1!-1.5;1,1!-0.5;1,1!-1.5~identity:1,0,0!0;0,1,-4!0"
        >>> lab.verdict.verdict
        'proved'
    """

    data: dict[str, Any]
    link: str
    notes: tuple[str, ...]

    def __new__(cls, *_: Any, **__: Any) -> Self:  # pyright: ignore[reportInconsistentConstructor]
        """Return an object of the class that a notebook can show, which is a lab too."""
        kind = cast("type[Self]", _widget_class()) if cls is Lab else cls
        return super(Lab, kind).__new__(kind)

    def __init__(
        self,
        model: Network | str | Path | NetworkFile | nn.Module | None = None,
        task: TaskLike | None = None,
        *,
        link: str = "",
    ) -> None:
        check("link", link, ("str",))
        start = start_of(model, task)
        self._data = beginning(start.network, start.task)
        self._known = {each["name"]: tasks.from_page(each) for each in self._data["tasks"]}
        self._known[start.task.name] = start.task
        self.notes = start.notes
        self._show(link)

    def _show(self, link: str) -> None:
        """Open the line to the pages, with what they begin with."""
        raise NotImplementedError

    @property
    def network(self) -> Network:
        """The network that is shown, as it was changed by hand, meant for its task."""
        return linked(self.link, self.data["start"], self._known).network

    @property
    def task(self) -> Task:
        """What the network is held against."""
        return linked(self.link, self.data["start"], self._known).task

    @property
    def verdict(self) -> Verdict:
        """Whether the network is right on every row: ``prove`` on it."""
        return prove(self.network)

    def __repr__(self) -> str:
        shown = linked(self.link, self.data["start"], self._known)
        return f"Lab: {shown.task.name}, {shown.network.shape}"

    def _without_widgets(self) -> str:
        """Return the truth table with the verdict; in Colab the lab as one file in a frame.

        Colab runs the scripts of every output; a page that shows a notebook does not.
        """
        if not _enter_colab():
            return to_fragment(show(self.network).blocks())
        document = lab_document(beginning(self.network, self.task, has_prover=False))
        return FRAME.format(escape(document))

    def _checked(self, link: str) -> str:
        link = from_address(link)
        _ = linked(link, self._data["start"], self._known)
        return link

    def _answer(self, content: Any) -> dict[str, Any]:
        """Return the answer to a message of a page."""
        try:
            request = request_of(content)
        except Refused as refused:
            return refused.answer
        try:
            answer = request.answer(self._known)
        except KeyboardInterrupt:  # of the kernel: what is at work is this answer alone
            return refusal(request.number, _interrupted())
        if answer["type"] == "network" and answer["task"] is not None:  # the link will name it
            task = tasks.from_page(answer["task"])
            _ = self._known.setdefault(task.name, task)
        return answer


def _interrupted() -> OptionError:
    return OptionError("the kernel was interrupted", where="message", remedy="ask again")


@cache
def _widget_class() -> type[Lab]:
    """Return the class of labs that notebooks can show."""
    check_installed("anywidget")
    _ = _enter_colab()
    import anywidget
    import traitlets

    class Widget(Lab, anywidget.AnyWidget):
        """A lab with its page."""

        _esm = page.module()
        _css = page.style()
        data = traitlets.Dict().tag(sync=True)  # pyright: ignore[reportAssignmentType]
        link = traitlets.Unicode().tag(sync=True)  # pyright: ignore[reportAssignmentType]

        def _show(self, link: str) -> None:
            anywidget.AnyWidget.__init__(self, data=self._data, link=link)
            self.on_msg(lambda _, content, __: self.send(self._answer(content)))

        @traitlets.validate("link")
        def _check_link(self, proposal: dict[str, Any]) -> str:
            return self._checked(proposal["value"])

        def _repr_mimebundle_(self, **options: Any) -> Any:
            """Return the view, and what stands where no widgets are shown."""
            bundle = anywidget.AnyWidget._repr_mimebundle_(self, **options)
            if bundle is None:
                return None
            data, metadata = bundle
            return {**data, "text/html": self._without_widgets()}, metadata

    return Widget


def _enter_colab() -> bool:
    """Load Colab's module for widgets, where this is Colab: anywidget then turns it on."""
    try:
        _ = import_module("google.colab.output")
    except ImportError:
        return False
    return True
