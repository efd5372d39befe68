"""What the page asks and is answered: one table, from a message's type to its schema and handler.

Rule: every message has one answer, of its own number, whatever it holds; what can't be done is
answered with ``refused``, its reason and a remedy. A message names no file of this machine. Nothing
here knows how messages travel.
"""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, StringConstraints, TypeAdapter

from adderlab.errors import AdderlabError, NetworkError, NetworkFileError, OptionError
from adderlab.lab import populations
from adderlab.lab.populations import MemberMessage, TrainMessage
from adderlab.limits import Budget, ending, within
from adderlab.nets import Network
from adderlab.nets.file_kinds import ARCHIVE, CHECKPOINT, JSON, kind_in
from adderlab.nets.files import to_bytes
from adderlab.nets.importing import NetworkFile
from adderlab.nets.sources import read_data
from adderlab.page_data import networks, tasks
from adderlab.page_data.schema import MOST_FILE_BYTES, Entry, NetworkEntry, TaskEntry, checked
from adderlab.reading import JsonError, parse_json
from adderlab.tasks import Task
from adderlab.verbs.prove import prove

LOGGER: Final = "adderlab.lab"
"""Where faults of ours are written, with their tracebacks."""

MOST_CHARACTERS: Final = 3 << 19
"""Of a message: a file of the largest size in base64, and what stands around it."""

MOST_NUMBER: Final = (1 << 53) - 1
"""The largest number of a message: beyond it JavaScript's numbers are no longer each its own."""

PROOF_S: Final = 2.0
"""Seconds after which a verdict is ``unknown``; the networks of a lesson take milliseconds."""

READING_S: Final = 5.0
MOST_MEMORY_BYTES: Final = 1 << 30

EXAMPLE: Final = 'send a text like {"type": "task", "id": 1, "task": "half-adder"}'

Identity = Annotated[int, Field(ge=0, le=MOST_NUMBER)]
TaskName = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
MOST_BASE64: Final = -(-MOST_FILE_BYTES // 3) * 4


class ProveMessage(Entry):
    """Is the network right on every row?"""

    type: Literal["prove"]
    id: Identity
    network: NetworkEntry
    task: TaskEntry | TaskName


class OpenMessage(Entry):
    """What network is in the file that was dropped on the page?"""

    type: Literal["open"]
    id: Identity
    name: Annotated[str, StringConstraints(max_length=255)]
    data: Annotated[str, StringConstraints(max_length=MOST_BASE64)]


class SaveMessage(Entry):
    """What is the network's file?"""

    type: Literal["save"]
    id: Identity
    network: NetworkEntry
    task: TaskEntry | TaskName | None


class TaskMessage(Entry):
    """Which rows has a task of the catalog?"""

    type: Literal["task"]
    id: Identity
    task: TaskName


class CancelMessage(Entry):
    """Train no further what this page asked for."""

    type: Literal["cancel"]
    id: Identity


Known: TypeAlias = Mapping[str, Task]
"""The tasks that a page began with, by name: a message may name those too."""


def _prove(message: ProveMessage, known: Known) -> dict[str, Any]:
    task = _task_of(message.task, known)
    net = networks.from_page(message.network).for_task(task)
    verdict = prove(net, timeout_s=PROOF_S, max_memory_bytes=MOST_MEMORY_BYTES)
    return {"type": "verdict", "verdict": verdict.to_dict()}


def _task_of(task: TaskEntry | str, known: Known) -> Task:
    if isinstance(task, str) and task in known:
        return known[task]
    return tasks.from_page(task)


def _open(message: OpenMessage, known: Known) -> dict[str, Any]:
    del known  # a file says its own task
    name = re.split(r"[/\\]", message.name)[-1] or "file"
    try:
        data = base64.b64decode(message.data, validate=True)
    except (binascii.Error, ValueError):
        raise NetworkFileError(
            "its bytes are not in base64", where=name, remedy="load the page again"
        ) from None
    if len(data) > MOST_FILE_BYTES:
        raise NetworkFileError(
            f"it has {len(data)} bytes",
            where=name,
            remedy=f"the page opens up to {MOST_FILE_BYTES}",
        )
    if kind_in(data, name) not in (None, JSON, ARCHIVE, CHECKPOINT):  # ONNX models are programs
        kind = kind_in(data, name)
        raise NetworkFileError(
            f"it is {kind.name if kind else 'no file of weights'}",
            where=name,
            remedy="drop a file of weights: .safetensors, .json, .npz or .pt",
        )
    budget = Budget.of(READING_S, MOST_MEMORY_BYTES)
    with within(budget), ending(f"{name} was read", "open"):
        read = read_data(data, NetworkFile(name))
    net = read.network
    return {
        "type": "network",
        "network": networks.to_page(net),
        "task": None if net.task is None else tasks.to_page(net.task),
        "notes": list(read.notes),
    }


def _save(message: SaveMessage, known: Known) -> dict[str, Any]:
    net = networks.from_page(message.network)
    if message.task is not None:
        net = net.for_task(_task_of(message.task, known))
    return {
        "type": "file",
        "name": _file_name(net),
        "data": base64.b64encode(to_bytes(net)).decode(),
    }


def _file_name(net: Network) -> str:
    """Return a name that every system takes: letters, digits and hyphens of the task's."""
    words = re.findall(r"[A-Za-z0-9]+", net.task.name if net.task is not None else "")
    return f"{'-'.join(words)[:60].strip('-') or 'network'}.safetensors"


def _task(message: TaskMessage, known: Known) -> dict[str, Any]:
    if message.task in known:
        return {"type": "task", "task": tasks.to_page(known[message.task])}
    return {"type": "task", "task": tasks.to_page(tasks.named(message.task))}


def _train(message: TrainMessage, known: Known) -> dict[str, Any]:
    task = _task_of(message.task, known)
    return {"type": "population", **populations.population(message, task)}


def _member(message: MemberMessage, known: Known) -> dict[str, Any]:
    task = _task_of(message.task, known)
    net = populations.member(message, task)
    return {"type": "network", "network": net, "task": None, "notes": []}


def _cancel(message: CancelMessage, known: Known) -> dict[str, Any]:
    """Refuse: whoever has something at work for a page ends it before it comes to this."""
    del message, known
    raise OptionError(
        "no networks are being trained for this page", where="cancel", remedy="train some"
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """One line of the table.

    Attributes:
        schema: what such a message holds.
        answer: the answer to one, without its number.
        is_latest: whether of several that wait only the latest matters.
        limits: of work that takes seconds, and is done beside a page's other work.
        remedy: said to a message that is not of its form.
    """

    schema: TypeAdapter[Any]
    answer: Callable[[Any, Known], dict[str, Any]]
    is_latest: bool = False
    limits: Callable[[], Budget] | None = None
    remedy: str = EXAMPLE


KINDS: Final[Mapping[str, Kind]] = {
    "prove": Kind(TypeAdapter(ProveMessage), _prove, is_latest=True),
    "open": Kind(TypeAdapter(OpenMessage), _open),
    "save": Kind(TypeAdapter(SaveMessage), _save),
    "task": Kind(TypeAdapter(TaskMessage), _task),
    "train": Kind(
        TypeAdapter(TrainMessage), _train, limits=populations.budget, remedy=populations.LIMITS
    ),
    "member": Kind(
        TypeAdapter(MemberMessage), _member, limits=populations.budget, remedy=populations.LIMITS
    ),
    "cancel": Kind(TypeAdapter(CancelMessage), _cancel),
}
"""Every message that the page may send, by its type."""


class Refused(Exception):  # noqa: N818 -- an outcome: what is sent back
    """A message that is answered without being understood."""

    def __init__(self, number: int | None, error: AdderlabError) -> None:
        super().__init__(str(error))
        self.answer = refusal(number, error)


@dataclass(frozen=True, slots=True)
class Request:
    """A message that was understood.

    Attributes:
        number: which its answer has too.
        kind: its line of the table.
        message: what it says.
    """

    number: int
    kind: Kind
    message: Any

    def answer(self, known: Known, budget: Budget | None = None) -> dict[str, Any]:
        """Return the answer; it may take as long as :data:`PROOF_S` or :data:`READING_S`.

        Args:
            known: the tasks that the page began with.
            budget: what work of seconds may take; whoever ends it ends the work.
        """
        if budget is None and self.kind.limits is not None:
            budget = self.kind.limits()
        try:
            with nullcontext() if budget is None else within(budget):
                return {"id": self.number, **self.kind.answer(self.message, known)}
        except AdderlabError as error:
            return refusal(self.number, error)
        except Exception:  # a fault of ours ends this answer, not the page
            logging.getLogger(LOGGER).exception("a message could not be answered")
            error = NetworkError("adderlab failed on this", remedy="see the terminal that it is in")
            return refusal(self.number, error)


def parse(text: str | bytes) -> Request:
    """Return what a message asks.

    Raises:
        Refused: it is too long, no JSON, of no known type, or not of that type's form.
    """
    if isinstance(text, bytes):
        raise Refused(None, _fault("a message is text, and this is binary"))
    if len(text) > MOST_CHARACTERS:
        what = f"a message has up to {MOST_CHARACTERS} characters, and this has {len(text)}"
        raise Refused(None, _fault(what))
    try:
        value = parse_json(text)
    except JsonError as error:
        raise Refused(None, _fault(f"the message {error}")) from None
    return request_of(value)


def request_of(value: Any) -> Request:
    """Return what a message asks that came as an object, as a notebook's do.

    Raises:
        Refused: it is of no known type, or not of that type's form.
    """
    if not isinstance(value, dict):
        raise Refused(None, _fault("a message is a JSON object"))
    number = _number(value.get("id"))
    name = value.get("type")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        what = f"type {name[:40]!r}" if isinstance(name, str) else "type that is a text"
        raise Refused(
            number, _fault(f"there is no message of {what}", f"one of {', '.join(KINDS)}")
        )
    try:
        message = checked(kind.schema, value)
    except ValueError as error:
        is_network = str(error).startswith("network.")
        remedy = networks.LIMITS if is_network else kind.remedy
        raise Refused(number, _fault(str(error), remedy, where=f"message {name}")) from None
    return Request(message.id, kind, message)


def _number(value: Any) -> int | None:
    """Return the number of a message; ``None`` where it has none."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_NUMBER:
        return None
    return value


def refusal(number: int | None, error: AdderlabError) -> dict[str, Any]:
    """Return the answer to what can't be done: what is wrong, where, and the remedy."""
    return {"type": "refused", "id": number, **error.to_dict()}


def _fault(what: str, remedy: str = EXAMPLE, where: str = "message") -> OptionError:
    return OptionError(what, where=where, remedy=remedy)
