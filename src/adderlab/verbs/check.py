"""``check``: a certificate, re-checked by the one file that shares no code with the provers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adderlab import checker
from adderlab.blocks import Block, Line, Result
from adderlab.checking import checked
from adderlab.errors import CertificateError, NetworkFileError
from adderlab.limits import Budget, CapReached, within
from adderlab.proving.certificates import task_claims
from adderlab.reading import Refusals, opened, read_file
from adderlab.tasks import TaskLike, as_task
from adderlab.tasks.wirings import wiring_named
from adderlab.writing import write_file

CERTIFICATES: Final = Refusals(CertificateError, "name a certificate, as `prove(out=…)` writes it")

ARTIFACTS: Final = Refusals(CertificateError, "name a file, as `export(certificate=…)` writes it")

WORDS: Final = {True: "valid", False: "not valid", None: "can't be re-checked here"}


@dataclass(frozen=True, slots=True)
class Checked(Result):
    """What is known of a certificate; true where it is valid.

    Attributes:
        valid: ``None`` where the evidence can't be re-checked.
        reason: what was re-checked, or what does not hold.
        seconds: how long it took.
    """

    valid: bool | None
    reason: str
    seconds: float = 0.0

    def __bool__(self) -> bool:
        return self.valid is True

    def to_dict(self) -> dict[str, Any]:
        return {
            "valid": self.valid,
            "reason": self.reason,
            "seconds": round(self.seconds, 6),
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return the answer in one line."""
        return (Line(self.sentence()), Line(f"{self.seconds:.3f} s", "quiet"))

    def sentence(self) -> str:
        """Return the answer and why."""
        return f"{WORDS[self.valid]}: {self.reason}"

    def __repr__(self) -> str:
        return f"Checked: {self.sentence()}"


@checked
def check(
    net: str | Path,
    certificate: str | Path,
    task: TaskLike | None = None,
    *,
    artifacts: str | Path | Sequence[str | Path] = (),
    timeout_s: float | None = None,
) -> Checked:
    """Return whether a certificate of a network file holds.

    It is re-checked by :mod:`adderlab.checker`, one file of Python's standard library alone, which
    :func:`write_checker` hands out.

    Args:
        net: the network file.
        certificate: the certificate, as ``prove(out=…)`` writes it.
        task: what it must be about; whatever it is about, unless given.
        artifacts: files that were exported with it (``export(…, certificate=…)``): each has to be,
            byte for byte, one that was run and computed what the network computes.
        timeout_s: seconds, reading included, after which it is not re-checked; no limit unless
            given.

    Raises:
        CertificateError: the file is missing, too large, or no certificate; or an artifact is
            missing or too large.
        NetworkFileError: the network file can't be read.
        TaskError: there is no such task.
    """
    start = time.perf_counter()
    with within(Budget.of(timeout_s)) as budget:
        try:
            name = None if task is None else _name_of(task)
            kept = read_file(certificate, checker.LARGEST_BYTES, CERTIFICATES)
            with opened(net, Refusals(NetworkFileError, ending=".safetensors")) as (file, _):
                data = file.read(checker.LARGEST_BYTES + 1)  # of too many it says that they are
            paths = [artifacts] if isinstance(artifacts, str | Path) else artifacts
            files = {str(path): read_file(path, checker.LARGEST_BYTES, ARTIFACTS) for path in paths}
            valid, reason = checker.check(kept, data, name, budget.seconds_left, files)
        except CapReached as cap:
            valid, reason = None, f"{cap} while the files were read"
        except checker.UnusableError as error:
            remedy = CERTIFICATES.remedy
            raise CertificateError(str(error), where=str(certificate), remedy=remedy) from None
    return Checked(valid, reason, time.perf_counter() - start)


def _name_of(task: TaskLike) -> str:
    """Return a task's name in certificates."""
    wiring = wiring_named(task)
    if wiring is not None:
        return wiring.name
    return task_claims(as_task(task))["name"]


def write_checker(path: str | Path) -> Path:
    """Write the checker, one file that runs by itself: ``python FILE NET CERT``.

    Raises:
        OutputError: the place can't be written.
    """
    return write_file(path, Path(checker.__file__).read_bytes())
