"""NumPy archives (``.npz``): arrays by name, without pickle.

Rule: of each array the header is read before anything else; its type, its shape and its size in
the archive must agree before memory is taken, so that no small file unpacks to a large one unseen.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any, BinaryIO, Final

import numpy as np

from adderlab import limits
from adderlab.errors import NetworkFileError
from adderlab.nets.importing.archives import DAMAGED
from adderlab.nets.importing.named_arrays import MOST_ARRAYS, network_of_arrays
from adderlab.nets.importing.network_file import Imported, NetworkFile

MOST_BYTES: Final = 1 << 30
"""Bytes of all arrays, unpacked."""

MOST_RATIO: Final = 200
"""How many times its packed size an array above :data:`SMALL_BYTES` may have."""

SMALL_BYTES: Final = 1 << 24
LARGEST_HEADER: Final = 10_000
"""Bytes of an array's header, NumPy's own limit."""

REMEDY: Final = "save it with numpy.savez(PATH, **arrays), arrays of a float or whole-number type"


def read_npz(data: bytes, file: NetworkFile) -> Imported:
    """Return the network whose weights an archive holds.

    Raises:
        NetworkFileError: it is damaged, holds objects, or unpacks to more than it may.
    """
    where = str(file)
    arrays: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_sizes(members, where)
            for member in members:
                limits.check(2 * member.file_size)
                name = member.filename.removesuffix(".npy")
                if name in arrays:
                    raise NetworkFileError(
                        f"names the array {name[:60]!r} twice", where=where, remedy=REMEDY
                    )
                with archive.open(member) as stored:
                    arrays[name] = _array(stored, member.file_size, name, where)  # type: ignore[arg-type]
    except NetworkFileError:
        raise
    except DAMAGED as error:
        raise _damaged(str(error), where) from None
    return network_of_arrays(arrays, file, keeps_order=True)


def _check_sizes(members: list[zipfile.ZipInfo], where: str) -> None:
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if len(members) > MOST_ARRAYS or total > MOST_BYTES:
        raise NetworkFileError(
            f"it unpacks to {total} bytes in {len(members)} arrays",
            where=where,
            remedy=f"name an archive of at most {MOST_BYTES} bytes",
        )
    if total > SMALL_BYTES and total > MOST_RATIO * packed:
        raise NetworkFileError(
            f"{packed} bytes unpack to {total}",
            where=where,
            remedy="save it unpacked, with numpy.savez",
        )


def _array(stored: BinaryIO, size: int, name: str, where: str) -> Any:
    """Return an array whose header agrees with its size."""
    try:
        version = np.lib.format.read_magic(stored)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version}")
        shape, is_fortran, dtype = read(stored, max_header_size=LARGEST_HEADER)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise _damaged(f"{name}: {str(error).splitlines()[0]}", where) from None
    if dtype.hasobject:
        raise NetworkFileError(
            f"array {name[:60]!r} holds Python objects, which only pickle reads",
            where=where,
            remedy=REMEDY,
        )
    if dtype.kind not in "fiub" or dtype.itemsize * math.prod(shape) != size - stored.tell():
        raise _damaged(
            f"array {name[:60]!r} of type {dtype} has another size than its shape", where
        )
    flat = np.frombuffer(stored.read(size - stored.tell()), dtype=dtype)
    array = flat.reshape(shape[::-1]).T if is_fortran else flat.reshape(shape)
    return np.ascontiguousarray(array, dtype=dtype.newbyteorder("=")).reshape(shape)


def _damaged(what: str, where: str) -> NetworkFileError:
    text = what.strip().rstrip(".")[:120] or "the archive is damaged"
    return NetworkFileError(
        f"not a NumPy archive that can be read ({text})", where=where, remedy=REMEDY
    )
