"""Run every command that a document shows, in the present folder, as a reader would.

Run: python documented.py README.md [MORE.md ...]

A fenced block whose first line is a comment with a file name is written to that file first; then
come, in order of appearance, the lines ``$ adderlab ...`` of blocks and the code spans
``adderlab ...`` without placeholders in capitals. A command may end with 0 or 1 (refuted); with
anything else the document is wrong.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w.-]+\.\w+)\n")
COMMAND = re.compile(r"(?:^\$ (?P<line>adderlab .*)$|`(?P<span>adderlab [^`]*)`)", re.MULTILINE)
PLACEHOLDER = re.compile(r"\b[A-Z]{1,}\d?\b")
SKIPPED = ("--install-completion",)  # changes the reader's shell


def files_of(text: str) -> dict[str, str]:
    """Return the files that a document spells out, by name."""
    found = {}
    for block in FENCE.findall(text):
        name = FILE.match(block)
        if name:
            found[name[1]] = block
    return found


def commands_of(text: str) -> list[list[str]]:
    """Return the commands of a document that can be run as they stand, each once, in order."""
    commands: dict[str, None] = {}
    for found in COMMAND.finditer(text):
        command = (found["line"] or found["span"]).strip()
        if not PLACEHOLDER.search(command) and not any(word in command for word in SKIPPED):
            commands[command] = None
    return [shlex.split(command) for command in commands]


def main() -> int:
    wrong = 0
    for name in sys.argv[1:]:
        text = Path(name).read_text(encoding="utf-8")
        for file, content in files_of(text).items():
            _ = Path(file).write_text(content, encoding="utf-8")
        for command in commands_of(text):
            done = subprocess.run(
                [sys.executable, "-m", *command], capture_output=True, text=True, check=False
            )
            good = done.returncode in (0, 1) and "Traceback" not in done.stderr
            wrong += not good
            print("ok   " if good else "WRONG", done.returncode, shlex.join(command), flush=True)
            if not good:
                print(done.stdout[-2000:], done.stderr[-2000:])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
