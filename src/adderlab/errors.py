"""Every exception that adderlab raises on purpose.

Rules: a message says what is wrong, where, and the remedy, in that order of need. ``where`` may be
the name of an argument, and within ``what`` and ``remedy`` an argument stands in backticks; the
command line turns both into its options. Expected outcomes (a refuted network, a run that failed to
learn) are values and never exceptions.
"""

from __future__ import annotations

import re

LONGEST_WORD = 240
"""Characters without a space that a message repeats whole: most paths are shorter."""

LONGEST_TEXT = 2000
"""Characters of one part of a message."""


class AdderlabError(Exception):
    """Bad input or an impossible request; the command line prints it as one line and exits with 2.

    Args:
        what: the rule that was broken and the culprit with its value.
        where: the argument, file, line or tensor that is at fault; may be empty.
        remedy: what to do about it; may be empty.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = _one_line(what)
        self.where = _one_line(where)
        self.remedy = _one_line(remedy)
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        cure = f"; {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{cure}"

    def to_dict(self) -> dict[str, str]:
        """Return the object that JSON output has under the key ``error``."""
        return {"what": self.what, "where": self.where, "remedy": self.remedy}


def _one_line(text: str) -> str:
    """Return the text as a message shows it: what can't be printed escaped, what is long cut.

    A name in a file, or an argument, may hold anything and be of any length.
    """
    text = re.sub(f"\\S{{{LONGEST_WORD + 1},}}", lambda match: _cut(match[0], LONGEST_WORD), text)
    text = _cut(text, LONGEST_TEXT)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _cut(text: str, longest: int) -> str:
    """Return a long text without its middle, and how long it was."""
    if len(text) <= longest:
        return text
    end = longest // 4
    return f"{text[: longest // 2]}…{text[-end:]} ({len(text)} characters)"


class TaskError(AdderlabError, ValueError):
    """A task that does not exist, is malformed, or does not fit the network."""


class FormatError(AdderlabError, ValueError):
    """A number format that does not exist or can't hold a value."""


class NetworkError(AdderlabError, ValueError):
    """Layers, shapes or values that do not make a network."""


class NetworkFileError(NetworkError):
    """A network file that is missing, damaged, or not one of ours."""


class CertificateError(AdderlabError, ValueError):
    """A file that is no certificate, or is none that can be read."""


class FormulaError(AdderlabError, ValueError):
    """A formula that can't be read or compiled; ``where`` holds its line and column."""


class OptionError(AdderlabError, ValueError):
    """An argument out of its range."""


class ModelError(AdderlabError, TypeError):
    """A PyTorch module whose ``forward`` can't be read as a network."""


class ResourceError(AdderlabError, MemoryError):
    """Work that is refused because its estimate is beyond this machine."""


class RunFileError(AdderlabError, ValueError):
    """A file of a run's folder that does not hold what the run's record says of it."""


class LimitError(ResourceError):
    """A limit on time or memory that was reached before there was anything to give back."""


class DependencyError(AdderlabError, ImportError):
    """A package that is needed and is not installed, or can't be loaded."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during long work, with where it was.

    Args:
        at: how far the work was: ``step 150 of 1000``; may be empty.
        kept: what was kept, and where: ``3 of 8 blocks are kept in run``; empty for nothing.
    """

    def __init__(self, *, at: str = "", kept: str = "") -> None:
        self.at, self.kept = at, kept
        super().__init__("; ".join(filter(None, (f"interrupted at {at}" if at else "", kept))))


class OutputError(AdderlabError, OSError):
    """A file or folder that can't be written."""
