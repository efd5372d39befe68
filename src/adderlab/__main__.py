"""``python -m adderlab``, and the command ``adderlab``."""

import sys

from adderlab import endings


def main() -> int:
    """Run the command line and return its exit code."""
    endings.watch()
    try:
        from adderlab.cli.main import main as run
    except ImportError as error:  # the parser of the command line itself may be missing
        from adderlab.packages import dependency_error

        missing = dependency_error(error)
        if missing is None:
            raise
        _ = sys.stderr.write(f"adderlab: {missing}\n")
        return 2
    try:
        endings.work()
        code = run()
    except KeyboardInterrupt:  # between two lines of the command line's own
        _ = sys.stderr.write(endings.NOTHING)
        code = endings.exit_code()
    return endings.leave(code)


if __name__ == "__main__":
    sys.exit(main())
