"""Root's rights given up for good, but that to read: Python itself may lie in root's own folder."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path
from typing import Final

NOBODY: Final = 65534
KEEP_CAPABILITIES: Final = 8  # PR_SET_KEEPCAPS
VERSION_3: Final = 0x20080522  # of capset's structures
READ_SEARCH: Final = 1 << 2  # CAP_DAC_READ_SEARCH


def drop_rights(*folders: Path) -> None:
    """Become nobody, who owns these folders, where this process is root's; else do nothing.

    Raises:
        RuntimeError: root's rights can't be given up; attacks must not run.
    """
    if os.geteuid() != 0:
        return
    if not sys.platform.startswith("linux"):
        raise RuntimeError("attacks don't run as root: there is no way here to give its rights up")
    for folder in folders:
        os.chown(folder, NOBODY, NOBODY)
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(KEEP_CAPABILITIES, 1, 0, 0, 0))
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    # effective, permitted, inheritable; twice, for 64 bits
    rights = struct.pack("6I", READ_SEARCH, READ_SEARCH, 0, 0, 0, 0)
    _check(libc.capset(struct.pack("Ii", VERSION_3, 0), rights))
    if os.geteuid() == 0 or os.access("/etc/passwd", os.W_OK):
        raise RuntimeError("attacks don't run as root: its rights could not be given up")


def _check(result: int) -> None:
    if result != 0:
        raise RuntimeError(f"attacks don't run as root: {os.strerror(ctypes.get_errno())}")
