"""What an export came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adderlab.blocks import Block, Line, Result, note_lines, written_lines
from adderlab.blocks.numbers import counted
from adderlab.exporting.comparison import Comparison


@dataclass(frozen=True, slots=True)
class Exported(Result):
    """Files that a network was written to.

    Attributes:
        to: the target.
        files: where they are, the one that was asked for first; empty where they compute something
            else and were not kept.
        task: the task whose rows were compared, or the wiring.
        verdict: what is known of the network: ``proved``, ``refuted`` or ``unknown``.
        comparison: whether the file computes what the network computes.
        notes: what had to be assumed in reading the network.
        certificate: the certificate that lists the files; ``None`` without one.
    """

    to: str
    files: tuple[Path, ...]
    task: str
    verdict: str
    comparison: Comparison
    notes: tuple[str, ...] = ()
    certificate: Path | None = None

    @property
    def file(self) -> Path | None:
        """The file that was asked for; ``None`` where it was not kept."""
        return self.files[0] if self.files else None

    @property
    def equal(self) -> bool | None:
        """Whether the file computes the same; ``None`` where nothing here could run it."""
        return self.comparison.equal

    @property
    def checked_rows(self) -> int:
        """How many rows were compared."""
        return self.comparison.rows

    def to_dict(self) -> dict[str, Any]:
        return {
            "to": self.to,
            "file": None if self.file is None else str(self.file),
            "files": [str(file) for file in self.files],
            "task": self.task,
            "verdict": self.verdict,
            "checked_rows": self.checked_rows,
            "scope": self.comparison.scope or None,
            "equal": self.equal,
            "checked_by": self.comparison.by or None,
            "reason": self.comparison.reason or None,
            "certificate": None if self.certificate is None else str(self.certificate),
            **{fact.key: fact.value for fact in self.comparison.facts},
            "notes": list(self.notes),
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return what was compared, and where the files are."""
        tone = "plain" if self.equal else "bad" if self.equal is False else "quiet"
        marked = self.verdict == "refuted" and self.files
        return (
            *note_lines(self.notes),
            *((Line("this network is refuted, and the file says so", "bad"),) if marked else ()),
            Line(self._sentence(), tone),
            *(Line(fact.sentence, "quiet") for fact in self.comparison.facts),
            *(line for file in self.files for line in written_lines(file)),
            *self._listed(),
        )

    def _listed(self) -> tuple[Block, ...]:
        if self.certificate is None:
            return ()
        what = "it" if len(self.files) == 1 else "them"
        return (Line(f"{self.certificate} lists {what}, with what was checked", "quiet"),)

    def _sentence(self) -> str:
        compared = self.comparison
        if self.equal:
            rows = counted(self.checked_rows, "row")
            where = f"on {rows}: {compared.scope}" if compared.scope else f"on all {rows}"
            return f"checked: run by {compared.by}, it computes the same {where}"
        if self.equal is None:
            return f"not checked: {compared.reason}"
        return f"not written: {compared.reason}"

    def __repr__(self) -> str:
        return f"Exported: {self.to}, {self.task}, {self._sentence()}"
