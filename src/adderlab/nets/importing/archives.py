"""What reading a member of a damaged ZIP archive raises."""

from __future__ import annotations

import zipfile
import zlib
from typing import Final

DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,  # a compression that Python's zipfile does not know
    RuntimeError,  # an encrypted member
)
