"""``python -m adderlab``, and the command ``adderlab``."""

import sys

from adderlab.packages import dependency_error


def main() -> int:
    """Run the command line and return its exit code."""
    try:
        from adderlab.cli.main import main as run
    except ImportError as error:  # the parser of the command line itself is missing
        missing = dependency_error(error)
        if missing is None:
            raise
        _ = sys.stderr.write(f"adderlab: {missing}\n")
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main())
