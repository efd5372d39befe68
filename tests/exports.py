"""Subjects of exports, for tests that write and compare files themselves."""

from __future__ import annotations

from adderlab.exporting.subject import Origin, Subject
from adderlab.nets.sources import Source, read_source
from adderlab.tasks import as_task
from adderlab.tasks.wirings import wiring_named
from adderlab.verbs.export import run_in

PROVED = "in exact arithmetic: right on all inputs"


def subject_of(net, task=None, *, name="net", verdict="proved"):
    """Return a network as it is exported, of a task, or of a wiring by its name."""
    source = net if isinstance(net, Source) else read_source(net)
    wiring = wiring_named(task)
    known = wiring.cell if wiring else net.task if task is None else as_task(task)
    origin = Origin(
        network_sha256=source.sha256,
        task=wiring.name if wiring else known.name,
        format=source.network.format,
        readout=str(source.network.readout),
        verdict=verdict,
        sentence=PROVED,
        certificate_sha256=None,
        version="0.1.0",
    )
    return Subject(source.network, known, wiring, origin, name, run_in(source.network))
