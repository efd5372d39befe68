"""``save``: a network file from whatever a verb may be given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from adderlab.checking import checked
from adderlab.nets.files import check_network_place, to_bytes
from adderlab.nets.network import Network
from adderlab.nets.sources import read_source, task_of
from adderlab.tasks import TaskLike
from adderlab.writing import write_file

if TYPE_CHECKING:
    from torch import nn


@checked
def save(
    model: Network | str | Path | nn.Module, path: str | Path, *, task: TaskLike | None = None
) -> Path:
    """Write a network file, whole or not at all, and return its path.

    Args:
        model: a network, the path of a network file, or a PyTorch module.
        path: where to write it.
        task: what it is meant to compute; left out, what it says itself, if anything.

    Raises:
        ModelError: the module can't be read.
        TaskError: the task does not fit the network.
        OutputError: the place can't be written.
    """
    check_network_place(path)
    net = read_source(model, task).network
    if task is not None:
        net = net.for_task(task_of(net, task))
    return write_file(path, to_bytes(net))
