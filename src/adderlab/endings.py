"""How a process is ended from outside: Ctrl-C, SIGTERM, SIGHUP.

Rule: a command that works is interrupted, so that whatever it holds is cleaned up on the way out;
one that is still being imported, or has done its work, holds nothing and ends at once. The exit
code is 128 + the signal's number. Nothing but what Python has loaded already is imported here.
"""

import _thread
import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # Windows has no SIGHUP
)
"""Signals by which a person or a system asks a process to end."""

GRACE_S = 5.0
"""Seconds that are left to clean up in; a signal after that ends the process at once."""

NOTHING = "adderlab: interrupted; nothing was written\n"

_left_behind: "list[threading.Thread]" = []
_stage = "starting"
_number = 0
_since = 0.0


def watch() -> None:
    """Take the signals over; one that is ignored, as ``nohup`` has it, stays so."""
    for number in SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            _ = signal.signal(number, _end)
    sys.unraisablehook = _again


def work() -> None:
    """Say that from now on there is something to clean up."""
    global _stage
    _stage = "working"


def exit_code() -> int:
    """Return the exit code of an interrupted command: 128 + the signal, of Ctrl-C unless known."""
    return 128 + (_number or signal.SIGINT)


def leave_behind(thread: "threading.Thread") -> None:
    """Say that a thread, which holds nothing, can't be ended and is not to be waited for."""
    _left_behind.append(thread)


def leave(code: int) -> int:
    """Return the exit code of a command that is done; nothing interrupts it any more.

    An interrupted one ends here: where Ctrl-C met a module that runs text as code, Python would end
    itself by the signal, whatever is returned. So does one that left a thread behind, which Python
    would wait for.
    """
    global _stage
    _stage = "done"
    if _number or any(thread.is_alive() for thread in _left_behind):
        import atexit

        atexit._run_exitfuncs()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] -- no other
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)
        os._exit(code)
    return code


def _end(number: int, frame: object) -> None:
    del frame
    global _number, _since
    if _stage == "starting":
        _ = os.write(2, NOTHING.encode())
    if _stage != "working":
        os._exit(128 + number)
    if _number:
        if time.monotonic() - _since > GRACE_S:
            os._exit(128 + number)
        return
    _number, _since = number, time.monotonic()
    raise KeyboardInterrupt


def _again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Interrupt once more where what called Python's code could not hand the interruption on."""
    global _number
    if issubclass(unraisable.exc_type, KeyboardInterrupt) and _number:
        number, _number = _number, 0
        _ = _thread.start_new_thread(_send, (number,))
    else:
        sys.__unraisablehook__(unraisable)


def _send(number: int) -> None:
    """Send a signal a moment later, when the hook that asks for it has returned."""
    time.sleep(0.01)
    os.kill(os.getpid(), number)


def _flush(stream: object) -> None:
    try:
        stream.flush()  # type: ignore[attr-defined] -- it may be None
    except (AttributeError, OSError, ValueError):  # it is closed, or its reader has gone
        return
