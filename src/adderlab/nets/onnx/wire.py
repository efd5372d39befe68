"""How a file's bytes are laid out, looked at before memory is taken for what they describe.

Rule: a message takes many times its two or three bytes once it is parsed, and messages within each
other make a parser call itself, so fields and levels are counted first.

References:
    Google, "Protocol Buffers: Encoding", https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from typing import Any, Final

from adderlab import limits
from adderlab.errors import NetworkFileError

MOST_FIELDS: Final = 400_000
"""Fields of a file; a node has about ten."""

MOST_LEVELS: Final = 16
"""Messages within each other; the shape of an input has seven."""

LOOK_EVERY: Final = 4096


def check_wire(data: bytes, message: Any, where: str) -> None:
    """Raise where bytes are no message, or one of very many or deeply nested fields.

    Args:
        data: the bytes.
        message: the descriptor of the message that they should be.
        where: the file.

    Raises:
        NetworkFileError: they are not.
    """
    fields = 0
    todo: list[tuple[int, int, Any, int]] = [(0, len(data), message, 1)]
    while todo:
        at, end, kind, level = todo.pop()
        while at < end:
            fields += 1
            if fields > MOST_FIELDS:
                raise NetworkFileError(
                    f"the file has more than {MOST_FIELDS} fields",
                    where=where,
                    remedy="a network has fewer nodes; weights belong into raw_data",
                )
            if fields % LOOK_EVERY == 0:
                limits.check()
            key, at = _varint(data, at, end, where)
            number, wire = key >> 3, key & 7
            if wire == 0:
                _, at = _varint(data, at, end, where)
            elif wire in (1, 5):
                at += 8 if wire == 1 else 4
            elif wire == 2:
                size, at = _varint(data, at, end, where)
                field = kind.fields_by_number.get(number)
                inner = None if field is None else field.message_type
                if inner is not None and level == MOST_LEVELS:
                    raise NetworkFileError(
                        f"messages are nested more than {MOST_LEVELS} levels deep",
                        where=where,
                        remedy="no subgraphs are read",
                    )
                if inner is not None and at + size <= end:
                    todo.append((at, at + size, inner, level + 1))
                at += size
            else:
                raise _damaged(where)
            if at > end or number == 0:
                raise _damaged(where)


def _varint(data: bytes, at: int, end: int, where: str) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise _damaged(where)


def _damaged(where: str) -> NetworkFileError:
    return NetworkFileError(
        "this is no ONNX model, or a damaged one", where=where, remedy="export it again"
    )
