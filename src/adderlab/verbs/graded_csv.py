"""Grades as a CSV file that is safe to open in a spreadsheet.

Rule: what a spreadsheet would take for a formula gets an apostrophe in front, and so does an
apostrophe there, so that taking one away gives the text. A formula begins a text, or follows a
semicolon: where commas are in numbers, spreadsheets split at semicolons. Every text stands between
quotes, numbers don't; what is not known is empty.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any, Final

from adderlab.blocks.numbers import digits
from adderlab.verbs.graded import Entry

COLUMNS: Final = (
    "rank",
    "name",
    "verdict",
    "parameters",
    "rows_right",
    "rows",
    "counterexample",
    "same_as",
    "raw",
    "nonzero",
    "unique",
    "bytes",
    "sha256",
    "seconds",
    "reason",
    "notes",
)
"""The columns: attributes of an :class:`~adderlab.verbs.graded.Entry`."""

LONG_BITS: Final = 10_000
"""Bits of a whole number beyond which it is written as text: Python's own writer has a limit."""

FORMULAS: Final = re.compile("(^|;)(?=[-=+@－＝＋＠\\t\\r\\n'])")
"""Where a cell begins that is no text to a spreadsheet, in whatever width, or an apostrophe.

References:
    OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection
"""


def to_csv(entries: Iterable[Entry]) -> str:
    """Return a header and a line for each entry, in their order."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    _ = writer.writerow(COLUMNS)
    for entry in entries:
        values = {**entry.to_dict(), "notes": "; ".join(entry.notes)}
        _ = writer.writerow([_cell(values[column]) for column in COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, int) and value.bit_length() > LONG_BITS:
        return digits(value)
    return FORMULAS.sub(r"\1'", value) if isinstance(value, str) else value
