"""PyTorch checkpoints (``.pt``, ``.pth``): a ``state_dict``, alone or beside other things.

Rule: ``torch.load(weights_only=True)`` sees only what was checked before. The names of all that
the pickle inside calls are read without running it, and must be those of a tensor; the archive is
written anew, unpacked, from members whose sizes were checked. A tensor that says it is larger than
the file is refused before it is read.

References:
    ``torch.load``, https://docs.pytorch.org/docs/stable/generated/torch.load.html
"""

from __future__ import annotations

import io
import pickletools
import warnings
import zipfile
from typing import Any, Final

from adderlab import limits
from adderlab.errors import NetworkFileError
from adderlab.nets.importing.archives import DAMAGED
from adderlab.nets.importing.checkpoint_entries import weights_in
from adderlab.nets.importing.named_arrays import network_of_arrays
from adderlab.nets.importing.network_file import Imported, NetworkFile
from adderlab.packages import check_installed

MOST_PICKLE_BYTES: Final = 1 << 22
"""Bytes of the pickle, which holds names and shapes but no numbers."""

MOST_MEMBERS: Final = 100_000
MOST_BYTES: Final = 1 << 32

CALLED: Final = frozenset(
    {
        "collections OrderedDict",
        "torch._utils _rebuild_tensor_v2",
        "torch._utils _rebuild_parameter",
        *(
            f"torch {kind}Storage"
            for kind in (
                *("Double", "Float", "Half", "BFloat16"),
                *("Long", "Int", "Short", "Char", "Byte", "Bool"),
            )
        ),
    }
)
"""All that a ``state_dict`` calls."""

CALLS: Final = frozenset({"STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4", "NEWOBJ_EX"})
"""Instructions of pickle that call something by another way than ``GLOBAL``."""

REMEDY: Final = (
    "save its weights alone, torch.save(model.state_dict(), PATH), or in Python: "
    "adderlab.prove(model)"
)


def read_checkpoint(data: bytes, file: NetworkFile) -> Imported:
    """Return the network whose ``state_dict`` a file holds.

    Raises:
        NetworkFileError: it is damaged, or holds anything but tensors, numbers and texts.
        DependencyError: PyTorch is not installed.
    """
    where = str(file)
    check_installed("torch")
    limits.check(3 * len(data))
    archive = _checked(data, where)
    value = _loaded(archive, where)

    import torch

    entries = weights_in(value, lambda entry: isinstance(entry, torch.Tensor), where)
    for name, tensor in entries.weights.items():
        if tensor.numel() * tensor.element_size() > len(data):
            raise NetworkFileError(
                f"tensor {name[:60]!r} of shape {list(tensor.shape)} is larger than the file",
                where=where,
                remedy="save it again with torch.save(model.state_dict(), PATH)",
            )
    return network_of_arrays(entries.weights, file, keeps_order=True, notes=entries.notes)


def _checked(data: bytes, where: str) -> io.BytesIO:
    """Return the same archive written anew, after its members and its pickle were looked at."""
    written = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            total = sum(member.file_size for member in members)
            if len(set(names)) < len(names) or len(names) > MOST_MEMBERS or total > len(data):
                raise _damaged("its members are not those of torch.save", where)
            pickles = [member for member in members if member.filename.endswith("/data.pkl")]
            if len(pickles) != 1 or pickles[0].file_size > MOST_PICKLE_BYTES:
                raise _damaged("it has no single data.pkl of a bearable size", where)
            _check_calls(archive.read(pickles[0]), where)
            with zipfile.ZipFile(written, "w") as again:
                for member in members:
                    limits.check()
                    again.writestr(member.filename, archive.read(member))
    except NetworkFileError:
        raise
    except DAMAGED as error:
        raise _damaged(str(error), where) from None
    _ = written.seek(0)
    return written


def _check_calls(pickle: bytes, where: str) -> None:
    """Raise where a pickle calls what no ``state_dict`` does; it is read, not run."""
    try:
        for number, (operation, argument, _) in enumerate(pickletools.genops(pickle)):
            if number % limits.STEPS_AT_ONCE == 0:
                limits.check()
            if operation.name in CALLS or (operation.name == "GLOBAL" and argument not in CALLED):
                name = str(argument or operation.name).replace(" ", ".")[:60]
                raise NetworkFileError(
                    f"it holds {name}, not weights alone, and pickled objects are never read: "
                    "they can run code",
                    where=where,
                    remedy=REMEDY,
                )
    except (NetworkFileError, limits.CapReached):
        raise
    except Exception as error:  # noqa: BLE001 -- a damaged pickle raises what it likes
        raise _damaged(str(error), where) from None


def _loaded(archive: io.BytesIO, where: str) -> Any:
    import torch

    limits.check()  # loading torch took seconds of them
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(archive, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 -- torch raises RuntimeError, KeyError, IndexError, ...
        raise _damaged(str(error), where) from None


def _damaged(what: str, where: str) -> NetworkFileError:
    line = (what.strip().splitlines() or ["damaged"])[0][:120].rstrip(".")
    return NetworkFileError(
        f"not a PyTorch file that can be read ({line})",
        where=where,
        remedy="save it again with torch.save(model.state_dict(), PATH)",
    )
