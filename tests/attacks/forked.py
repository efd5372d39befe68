"""A function in a child process, made by fork so that nothing is imported again."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any


def in_child(function: Callable[[], Any]) -> tuple[int, Any]:
    """Call a function in a child; return how the child ended and what the function returned.

    Returns:
        The exit code, negative for a signal as :mod:`subprocess` has it, and a value of JSON;
        ``None`` where the child did not come to it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.close(read)
            text = json.dumps(function()).encode()
            with os.fdopen(write, "wb") as pipe:
                _ = pipe.write(text)
            code = 0
        except BaseException:  # noqa: BLE001 -- nothing of the child may go on in the parent's tests
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(text) if text else None
