"""A folder that long work writes block by block, and resumes from after any interruption.

Rules: ``run.json`` lists only blocks that are complete: a block is entered, with its checksum,
after it is whole on the disk, and ``run.json`` itself is replaced atomically. So whenever the
process is killed, the same command keeps every finished block and computes the others. A folder
of other work is never written into: the error names what differs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, Final

from adderlab.blocks.numbers import counted
from adderlab.errors import Interrupted, OutputError
from adderlab.reading import JsonError, Refusals, opened, parse_json, read_file
from adderlab.scratch import is_scratch, sweep
from adderlab.writing import check_folder, write_file

SCHEMA: Final = 1
RECORD: Final = "run.json"
BLOCKS: Final = "blocks"
FIGURES: Final = "figures"
LONGEST_SHOWN: Final = 40
LARGEST_RECORD_BYTES: Final = 1 << 28
UNREAD: Final = Refusals(OutputError, "name a new folder", "name a new folder")
OWN: Final = ("schema", "finished", "identity", "machine", "blocks", "files", "figures", "sha256")
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
        figures: the entries of the figures, which can be drawn again from the rest.
        result: the result of the work, once it is finished.
        damaged: names of files that were entered but changed since.
    """

    folder: Path
    identity: dict[str, Any]
    machine: dict[str, Any] = field(default_factory=dict[str, Any])
    blocks: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    files: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    figures: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
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
        _check_links(place)
        if not record.exists():
            _check_unused(place)
            return cls(place, identity_now, machine_now)
        record_read = _read(record)
        _check_same(place, record_read["identity"], identity_now)
        result = {name: value for name, value in record_read.items() if name not in OWN}
        ledger = cls(
            place, identity_now, machine_now, result=result if record_read["finished"] else None
        )
        ledger.files, ledger.figures = record_read["files"], record_read["figures"]
        damaged: list[str] = []
        for entry in record_read["blocks"]:
            if ledger.is_whole(entry):
                ledger.blocks[entry["block"]] = entry
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
            "figures": self.figures,
            **(self.result or {}),
        }
        record_data["sha256"] = _seal(record_data)
        text = json.dumps(record_data, indent=1, allow_nan=False)
        _ = write_file(self.folder / RECORD, text + "\n")

    def finish(
        self, result: dict[str, Any], files: Iterable[Path], figures: Iterable[Path] = ()
    ) -> None:
        """Enter the result, the files that hold it, and its figures."""
        self.files = [_entry_of(self.folder, path) for path in files]
        self.figures = [_entry_of(self.folder, path) for path in figures]
        self.result = result
        self.save()

    def enter_figures(self, figures: Iterable[Path]) -> None:
        """Enter figures that were drawn again."""
        entries = [_entry_of(self.folder, path) for path in figures]
        if entries != self.figures:
            self.figures = entries
            self.save()

    def block_path(self, number: int) -> Path:
        """Return where a finished block lies."""
        return self.folder / self.blocks[number]["file"]

    def is_whole(self, entry: Mapping[str, Any]) -> bool:
        """Return whether a file is as its entry says: there, as long, with the same checksum."""
        path = self.folder / entry["file"]
        try:
            with opened(path, UNREAD) as (_, size):
                if size != entry["bytes"]:
                    return False
            return file_checksum(path) == entry["blake2b"]
        except OutputError:
            return False

    def sweep(self) -> None:
        """Remove the temporary files and folders that killed processes left."""
        for place in (self.folder, self.folder / BLOCKS):
            sweep(place)


def recorded_identity(folder: Path) -> dict[str, Any]:
    """Return what a folder's record says of the work, unchecked; empty where there is none."""
    try:
        identity = parse_json(read_file(folder / RECORD, LARGEST_RECORD_BYTES, UNREAD))["identity"]
    except (OutputError, JsonError, TypeError, KeyError):
        return {}
    return identity if isinstance(identity, dict) else {}


def checksum(data: bytes) -> str:
    """Return 128 bits of the content's BLAKE2b hash, in hexadecimal digits."""
    return blake2b(data, digest_size=16).hexdigest()


def file_checksum(path: Path) -> str:
    """Return the checksum of a file, read in pieces."""
    digest = blake2b(digest_size=16)
    with opened(path, UNREAD) as (file, _):
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


def _check_links(folder: Path) -> None:
    """Refuse a folder of which something that is read or written lies elsewhere.

    Raises:
        OutputError: it is a link that leads out of the folder.
    """
    inside = Path(os.path.realpath(folder))
    for place in (folder, folder / BLOCKS, folder / FIGURES):
        links: list[str] = []
        with suppress(OSError), os.scandir(place) as entries:
            links = [entry.path for entry in entries if entry.is_symlink()]
        for link in links:
            if not Path(os.path.realpath(link)).is_relative_to(inside):
                raise OutputError(
                    "a link that leads out of the run's folder",
                    where=link,
                    remedy="put what it leads to in its place",
                )


def _read(record: Path) -> dict[str, Any]:
    """Return the record of a folder.

    Raises:
        OutputError: it can't be read, is no record of ours, or was changed since.
    """
    from adderlab.runs.populations.schema import RECORD as SCHEMA_OF_RECORD
    from adderlab.runs.populations.schema import fault_of

    raw = read_file(record, LARGEST_RECORD_BYTES, UNREAD)
    try:
        entries = parse_json(raw)
    except JsonError as error:
        raise _no_record(record, f"it {error}") from None
    seal = entries.get("sha256") if isinstance(entries, dict) else None
    if isinstance(seal, str) and seal != _seal(entries):
        raise OutputError(
            "the record is damaged: its checksum does not match",
            where=str(record),
            remedy="restore it from a copy, or name a new folder",
        )
    fault = fault_of(SCHEMA_OF_RECORD, entries)
    if fault:
        raise _no_record(record, fault)
    return entries


def _no_record(record: Path, reason: str) -> OutputError:
    what = f"not the record of a run that can be resumed ({reason})"
    return OutputError(what, where=str(record), remedy="name a new folder")


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
