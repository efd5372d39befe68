"""A folder that long work writes block by block, and resumes from after any interruption.

Rules: ``run.json`` lists only blocks that are complete: a block is entered, with its checksum,
after it is whole on the disk, and ``run.json`` itself is replaced atomically. So whenever the
process is killed, the same command keeps every finished block and computes the others. A folder
of other work is never written into: the error names what differs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, Final

from adderlab.blocks.numbers import counted
from adderlab.errors import Interrupted, OutputError
from adderlab.scratch import is_scratch, sweep
from adderlab.writing import check_folder, write_file

SCHEMA: Final = 1
RECORD: Final = "run.json"
BLOCKS: Final = "blocks"
LONGEST_SHOWN: Final = 40
OWN: Final = ("schema", "finished", "identity", "machine", "blocks", "files", "sha256")
"""The record's own keys; beside them stand those of the result."""


@dataclass(slots=True)
class Ledger:
    """The record of some long work and its finished blocks.

    Attributes:
        folder: where it lies.
        identity: what distinguishes the work from other work, as JSON.
        machine: what else its numbers depend on: versions, the processor.
        blocks: the entry of each finished block, by its number.
        files: the entries of the other files, written when all blocks were finished.
        result: the result of the work, once it is finished.
        damaged: names of files that were entered but changed since.
    """

    folder: Path
    identity: dict[str, Any]
    machine: dict[str, Any] = field(default_factory=dict[str, Any])
    blocks: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    files: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    result: dict[str, Any] | None = None
    damaged: tuple[str, ...] = ()

    @classmethod
    def open(
        cls,
        folder: str | Path,
        identity: Mapping[str, Any],
        machine: Mapping[str, Any] | None = None,
    ) -> Ledger:
        """Return the ledger of a folder, new or as the last run left it.

        A finished run may be shown on any machine; an unfinished one resumes only where it began.

        Raises:
            OutputError: the folder holds other work, or something else, or can't be written.
        """
        place = Path(folder)
        check_folder(place)
        identity_now = json.loads(json.dumps(dict(identity)))
        machine_now = json.loads(json.dumps(dict(machine or {})))
        record = place / RECORD
        if not record.exists():
            _check_unused(place)
            return cls(place, identity_now, machine_now)
        record_read = _read(record)
        _check_same(place, record_read["identity"], identity_now)
        result = {name: value for name, value in record_read.items() if name not in OWN}
        ledger = cls(
            place, identity_now, machine_now, result=result if record_read["finished"] else None
        )
        damaged: list[str] = []
        for entry in record_read["blocks"]:
            if ledger.is_whole(entry):
                ledger.blocks[int(entry["block"])] = entry
            else:
                damaged.append(entry["file"])
        damaged += [entry["file"] for entry in record_read["files"] if not ledger.is_whole(entry)]
        ledger.damaged = tuple(damaged)
        if damaged:  # what was computed from them is not to be trusted either
            ledger.result = None
        if ledger.result is None and ledger.blocks:
            _check_same(place, record_read["machine"], machine_now)
        ledger.sweep()
        return ledger

    def path(self, number: int, suffix: str) -> Path:
        """Return where a block lies."""
        return self.folder / BLOCKS / f"{number:06}{suffix}"

    def enter(self, number: int, data: bytes, *, suffix: str, **about: Any) -> None:
        """Write a block, then enter it in the record.

        Raises:
            OutputError: there is no room for it; every block entered before stays.
        """
        path = self.path(number, suffix)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"can't be made ({error.strerror or error})",
                where=str(path.parent),
                remedy="check the place and the space left",
            ) from None
        try:
            _ = write_file(path, data)
            self.blocks[number] = {
                "block": number,
                "file": path.relative_to(self.folder).as_posix(),
                "bytes": len(data),
                "blake2b": checksum(data),
                **about,
            }
            self.save()
        except OutputError as error:
            _ = self.blocks.pop(number, None)
            raise self.kept(error) from None

    def kept(self, error: OutputError) -> OutputError:
        """Return an error that also says what the folder keeps."""
        done = len(self.blocks)
        if not done:
            return error
        are = "is" if done == 1 else "are"
        blocks = f"{counted(done, 'finished block')} {are} kept"
        remedy = f"{blocks}: make room and give the same command to resume"
        return OutputError(error.what, where=error.where, remedy=remedy)

    def interrupted(self, total: int, noun: str) -> Interrupted:
        """Return an interruption that says what the folder keeps.

        Args:
            total: how many blocks there are in all.
            noun: what a block is called.
        """
        done = len(self.blocks)
        are = "is" if 1 in (done, total) else "are"
        kept = f"{done} of {counted(total, noun)} {are} kept in {self.folder}"
        return Interrupted(kept=kept)

    def save(self) -> None:
        """Write the record."""
        record_data = {
            "schema": SCHEMA,
            "finished": self.result is not None,
            "identity": self.identity,
            "machine": self.machine,
            "blocks": [self.blocks[number] for number in sorted(self.blocks)],
            "files": self.files,
            **(self.result or {}),
        }
        record_data["sha256"] = _seal(record_data)
        text = json.dumps(record_data, indent=1, allow_nan=False)
        _ = write_file(self.folder / RECORD, text + "\n")

    def finish(self, result: dict[str, Any], files: list[Path]) -> None:
        """Enter the result and the files that hold it."""
        self.files = [_entry_of(self.folder, path) for path in files]
        self.result = result
        self.save()

    def is_whole(self, entry: Mapping[str, Any]) -> bool:
        """Return whether a file is as its entry says: there, as long, with the same checksum."""
        path = self.folder / str(entry["file"])
        if "block" in entry and path.parent != self.folder / BLOCKS:
            return False
        try:
            if path.stat().st_size != entry["bytes"]:
                return False
            return file_checksum(path) == entry["blake2b"]
        except OSError:
            return False

    def sweep(self) -> None:
        """Remove the temporary files and folders that killed processes left."""
        for place in (self.folder, self.folder / BLOCKS):
            sweep(place)


def recorded_identity(folder: Path) -> dict[str, Any]:
    """Return what a folder's record says of the work, unchecked; empty where there is none."""
    try:
        identity = json.loads((folder / RECORD).read_text(encoding="utf-8"))["identity"]
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return identity if isinstance(identity, dict) else {}


def checksum(data: bytes) -> str:
    """Return 128 bits of the content's BLAKE2b hash, in hexadecimal digits."""
    return blake2b(data, digest_size=16).hexdigest()


def file_checksum(path: Path) -> str:
    """Return the checksum of a file, read in pieces."""
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _seal(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record without this entry, whatever the layout of its text."""
    entries = {name: value for name, value in record.items() if name != "sha256"}
    plain = json.loads(json.dumps(entries))
    return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _entry_of(folder: Path, path: Path) -> dict[str, Any]:
    """Return the entry of a file that was written, for :meth:`Ledger.is_whole`."""
    return {
        "file": path.relative_to(folder).as_posix(),
        "bytes": path.stat().st_size,
        "blake2b": file_checksum(path),
    }


def _check_unused(folder: Path) -> None:
    """Refuse a folder that holds anything but the traces of a run killed at its start."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name == BLOCKS or is_scratch(path.name, RECORD):
            continue
        raise OutputError(
            "the folder holds other files", where=str(folder), remedy="name a new folder"
        )


def _read(record: Path) -> dict[str, Any]:
    """Return the record of a folder.

    Raises:
        OutputError: it can't be read, is no record of ours, or was changed since.
    """
    entries: dict[str, Any] = {}
    try:
        entries = json.loads(record.read_text(encoding="utf-8"))
        whole = (
            entries["schema"] == SCHEMA
            and isinstance(entries["sha256"], str)
            and isinstance(entries["identity"], dict)
            and isinstance(entries["machine"], dict)
            and isinstance(entries["finished"], bool)
            and isinstance(entries["files"], list)
            and all(
                isinstance(entry["block"], int)
                and isinstance(entry["bytes"], int)
                and isinstance(entry["file"], str)
                and isinstance(entry["blake2b"], str)
                for entry in entries["blocks"]
            )
        )
    except (OSError, ValueError, TypeError, KeyError):
        whole = False
    if not whole:
        raise OutputError(
            "not the record of a run that can be resumed",
            where=str(record),
            remedy="name a new folder",
        )
    if entries["sha256"] != _seal(entries):
        raise OutputError(
            "the record is damaged: its checksum does not match",
            where=str(record),
            remedy="restore it from a copy, or name a new folder",
        )
    return entries


def _check_same(folder: Path, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    changes = [
        f"{name} was {_shown(then.get(name))}, is {_shown(now.get(name))}"
        for name in {**then, **now}
        if then.get(name) != now.get(name)
    ]
    if changes:
        raise OutputError(
            f"the folder holds another run: {'; '.join(changes)}",
            where=str(folder),
            remedy="give the earlier values, or name a new folder",
        )


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) <= LONGEST_SHOWN:
        return text
    return f"{text[:LONGEST_SHOWN]}… ({checksum(text.encode())[:8]})"
