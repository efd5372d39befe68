"""``export``: a network written for use elsewhere, and kept only if it computes the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adderlab.checking import checked
from adderlab.errors import FormatError, NetworkError, OptionError, OutputError, TaskError
from adderlab.exporting.comparison import Comparison
from adderlab.exporting.subject import Computed, Origin, Paths, Run, Subject
from adderlab.limits import Budget, within
from adderlab.nets import Network
from adderlab.nets.sources import Source, ordered_task, paths_of, read_source, task_of
from adderlab.proving.running import arithmetic_of
from adderlab.proving.verdict import Verdict
from adderlab.tasks import TaskLike
from adderlab.tasks.order import Names, Order
from adderlab.tasks.wirings import Wiring, wiring_without_order
from adderlab.verbs.export_certificate import Held, artifact, held_certificate
from adderlab.verbs.export_targets import TARGETS, Target
from adderlab.verbs.exported import Exported
from adderlab.verbs.prove import prove
from adderlab.writing import check_place, new_folder

if TYPE_CHECKING:
    from torch import nn

TIMEOUT_S: Final = 60.0
"""Seconds after which the verdict that a file carries is ``unknown``."""


@checked
def export(
    model: Network | Source | str | Path | nn.Module,
    task: TaskLike | Wiring | None = None,
    *,
    to: str,
    out: str | Path,
    force: bool = False,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    timeout_s: float | None = TIMEOUT_S,
    certificate: str | Path | None = None,
) -> Exported:
    """Write a network for use elsewhere; the file is run before it is kept.

    It is run on every row of the task, or beyond 2^20 of them on boundary and random rows, and its
    numbers are compared. Every file carries the network's SHA-256, the verdict, and the SHA-256 of
    the certificate, if one is given.

    Args:
        model: a network, the path of its file, or a PyTorch module.
        task: a task, its name or a table; left out, the one that the network was built for. The
            name of a wiring, ``adder:any``, exports a cell with its wiring, for every width.
        to: the target, a name of ``TARGETS``: ``html``, ``torch``, ``json``, ``onnx``, ``vnnlib``,
            ``c``, ``verilog``.
        out: where to write the file; nothing is left there if it computes something else.
        force: whether a network that is refuted is written, and marked as refuted.
        bits: ``lsb-first`` where the network has the bits of each word in reverse.
        inputs: the input words or bits in the order in which the network takes them.
        outputs: the output words or bits in the order in which it gives them.
        timeout_s: seconds that the verdict may take; ``unknown`` is written after them. No limit
            with ``None``.
        certificate: one of this network file and task, as ``prove(out=…)`` writes it. It is checked
            before the work, and lists the files after it: ``check(…, artifacts=…)``.

    Raises:
        OptionError: there is no such target.
        TaskError: no task is known, or it does not fit, or the target can't hold it.
        NetworkError: the target can't hold the network, or the network is refuted.
        NetworkFileError: the file is not a network.
        ModelError: the module's ``forward`` can't be read.
        OutputError: ``out`` or the certificate can't be written, or ``out`` has the ending of
            another kind of file.
        CertificateError: the certificate is not valid for this network file and task.

    Examples:
        >>> import adderlab, tempfile
        >>> lecture = adderlab.build("half-adder", method="lecture").network
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     exported = export(lecture, to="html", out=f"{folder}/lecture.html")
        ...     exported.file.name
        'lecture.html'
    """
    target = TARGETS.get(to)
    if target is None:
        raise OptionError(
            f"got {to[:40]!r}", where="to", remedy=f"give one of {', '.join(TARGETS)}"
        )
    out = Path(out)
    _check_ending(out, target, to)
    read = paths_of(model, task)
    if certificate is not None:
        check_place(certificate, read=read)
        read = (*read, certificate)
    check_place(out, read=read)
    wiring = wiring_without_order(task, Order(bits or "", inputs, outputs))
    if wiring is not None and not target.takes_wiring:
        raise TaskError(
            f"{to} holds no wiring",
            where="task",
            remedy=f"name the cell's task, or export to one of {', '.join(_takes_wiring())}",
        )
    known = task if wiring is None and not isinstance(task, Wiring) else None
    known = ordered_task(model, known, bits=bits, inputs=inputs, outputs=outputs)
    known = known if wiring is None else wiring.cell
    source = read_source(model, known)
    own_task = task_of(source.network, known)
    held: Held | None = None
    if certificate is not None:
        path = Path(certificate)
        held = held_certificate(path, source, own_task, wiring, timeout_s=timeout_s)
    verdict = prove(source, wiring or own_task, timeout_s=timeout_s)
    _check_verdict(verdict, target, is_forced=force)
    origin = _origin(source, verdict, held)
    net = source.network
    subject = Subject(net, own_task, wiring, origin, out.stem, run_in(net))
    files = target.write(subject)
    main = out.resolve() if out.is_symlink() else out  # what a link leads to is replaced
    places = {key: main.with_name(main.stem + key) if key else out for key in files}
    for place in places.values():
        check_place(place, read=read)
    try:
        with (
            nullcontext() if held is None else held.rewritten() as listing,
            new_folder(main.parent) as folder,
        ):
            paths: Paths = {}
            for key, content in files.items():
                paths[key] = folder / (places[key] if key else main).name
                raw = content.encode() if isinstance(content, str) else content
                _ = paths[key].write_bytes(raw)
            with within(Budget.of()):
                comparison = target.compare(paths, subject)
            if comparison.equal is False:
                raise _Differs(comparison)
            if held is not None and listing is not None:
                artifacts = [artifact(to, path, comparison) for path in paths.values()]
                _ = listing.write_bytes(held.listing(artifacts))
    except _Differs as differs:
        places, held, comparison = {}, None, differs.comparison
    return Exported(
        to,
        tuple(places.values()),
        verdict.task,
        verdict.verdict,
        comparison,
        source.notes,
        None if held is None else held.path,
    )


class _Differs(Exception):  # noqa: N818 -- an outcome: no file is left
    def __init__(self, comparison: Comparison) -> None:
        super().__init__(comparison.reason)
        self.comparison = comparison


def _takes_wiring() -> Sequence[str]:
    return [name for name, target in TARGETS.items() if target.takes_wiring]


def _check_verdict(verdict: Verdict, target: Target, *, is_forced: bool) -> None:
    """Raise if a network is refuted, and neither its file shows that nor is it forced."""
    if verdict.verdict == "refuted" and not (is_forced or target.shows_verdict):
        raise NetworkError(
            f"it is refuted {verdict.sentence()}",
            where="network",
            remedy="take one that is right; with `force` it is written all the same, and marked",
        )


def _origin(source: Source, verdict: Verdict, held: Held | None) -> Origin:
    net = source.network
    return Origin(
        network_sha256=source.sha256,
        task=verdict.task,
        format=net.format,
        readout=str(net.readout),
        verdict=verdict.verdict,
        sentence=verdict.sentence(),
        certificate_sha256=None if held is None else held.sha256,
        version=metadata.version("adderlab"),
    )


def run_in(net: Network) -> Callable[[str], Run | None]:
    """Return what gives, by a format's name, what runs a network where that format rounds."""

    def run_of(name: str) -> Run | None:
        try:
            arithmetic = arithmetic_of(net, name)
        except FormatError:
            return None
        if arithmetic.form is None:
            return None

        def run(inputs: Any) -> Computed:
            computed = arithmetic.outputs(inputs)
            values: Any = computed.low
            return Computed(values, computed.states)

        return run

    return run_of


def _check_ending(out: Path, target: Target, to: str) -> None:
    if out.suffix.lower() not in target.endings:
        raise OutputError(
            f"{to} is written to a file that ends in {target.endings[0]}",
            where=str(out),
            remedy=f"name one like {out.stem[:40] or 'lab'}{target.endings[0]}",
        )
