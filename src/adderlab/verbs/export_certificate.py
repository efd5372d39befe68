"""The certificate of a network that is exported: checked before the work, rewritten after it.

Rules: it is valid for the bytes that are exported, and about the same task and readout. Its place
and the files' are both prepared before either is renamed, the files first: whatever happens, a
certificate lists no file that was not kept.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adderlab import checker
from adderlab.errors import AdderlabError, CertificateError, OutputError
from adderlab.exporting.comparison import Comparison
from adderlab.nets.sources import Source
from adderlab.proving.certificates import readout_claims, task_claims, with_artifacts
from adderlab.reading import read_file
from adderlab.tasks import Task
from adderlab.verbs.check import CERTIFICATES
from adderlab.verbs.hand_ins import shown_name
from adderlab.writing import new_file

if TYPE_CHECKING:
    from adderlab.tasks.wirings import Wiring

REMEDY: Final = "`prove(out=…)` writes the certificate of this file and task"


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate that is valid for what is exported.

    Attributes:
        path: where it is.
        sha256: of its claims, as it names itself.
    """

    path: Path
    sha256: str

    @contextmanager
    def rewritten(self) -> Generator[Path]:
        """Yield a temporary file that replaces the certificate when the block ends well.

        Raises:
            OutputError: it can't be written; of the files of the block it is said that they are.
        """
        is_kept = False
        try:
            with new_file(self.path) as scratch:
                yield scratch
                is_kept = True
        except OutputError as error:
            if not is_kept:
                raise
            raise OutputError(
                f"{error.what}; the exported files are written, and it does not list them",
                where=str(self.path),
                remedy="mend its place and export again",
            ) from None

    def listing(self, artifacts: Iterable[dict[str, Any]]) -> bytes:
        """Return its bytes, as they are now, with more files listed.

        Raises:
            CertificateError: it is another one than when the export began.
        """
        data = read_file(self.path, checker.LARGEST_BYTES, CERTIFICATES)
        try:
            if checker.unsealed(data)["sha256"] == self.sha256:
                return with_artifacts(data, artifacts)
        except (checker.UnusableError, checker.InvalidError, checker.BeyondError):
            pass
        raise CertificateError(
            "it was replaced while the network was exported",
            where=str(self.path),
            remedy="export again",
        )


def held_certificate(
    path: Path, source: Source, task: Task, wiring: Wiring | None, *, timeout_s: float | None
) -> Held:
    """Return a certificate that is valid for a network and what is exported of it.

    Args:
        path: of the certificate.
        source: the network with the bytes of its file.
        task: what it is exported for; of a wiring, its cell.
        wiring: how the cell is repeated, if it is.
        timeout_s: seconds that checking may take.

    Raises:
        CertificateError: the file is missing, is no certificate, or is none of this.
    """
    data = read_file(path, checker.LARGEST_BYTES, CERTIFICATES)
    limit_s = math.inf if timeout_s is None else timeout_s
    try:
        valid, reason = checker.check(data, source.data, timeout_s=limit_s)
        claims = checker.unsealed(data) if valid else {}
    except checker.UnusableError as error:
        remedy = CERTIFICATES.remedy
        raise CertificateError(str(error), where=str(path), remedy=remedy) from None
    if not valid:
        what = "can't be re-checked" if valid is None else "is not valid for this network file"
        raise CertificateError(f"it {what}: {reason}", where=str(path), remedy=REMEDY)
    about = claims["task"]["name"]
    try:
        own = task_claims(task, wiring)
    except AdderlabError:  # a function of Python, which no certificate knows
        own = {"name": task.name}
    what = "" if checker.same(own, claims["task"]) else f"it is about {about}, not {own['name']}"
    if about == own["name"]:
        what = what and f"it is about {about} with its bits in another order"
    if not what and not checker.same(claims["readout"], readout_claims(source.network)):
        what = "it is about another readout"
    if what:
        raise CertificateError(what, where=str(path), remedy=REMEDY)
    return Held(path, claims["sha256"])


def artifact(to: str, path: Path, comparison: Comparison) -> dict[str, Any]:
    """Return what a certificate says of a file that was exported.

    Args:
        to: the target.
        path: of the file, under the name that it will have.
        comparison: what was checked.
    """
    data = path.read_bytes()
    is_run = comparison.equal is True
    return {
        "to": to,
        "name": _text(path.name),
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "equal": comparison.equal,
        "checked_rows": comparison.rows if is_run else 0,
        "scope": _text(comparison.scope) if is_run else "",
        "checked_by": _text(comparison.by) if is_run else "",
    }


def _text(text: str) -> str:
    plain = shown_name(text).encode("ascii", "backslashreplace").decode()
    return plain[: checker.LONGEST_TEXT]
