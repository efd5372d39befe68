"""Run every example that a document shows, in the present folder, as a reader would.

Run: python documented.py README.md [MORE.md ...]

A fenced block whose first line is a comment with a file name is written to that file first; then
come, in order of appearance, the lines ``$ adderlab ...`` of blocks, the code spans
``adderlab ...`` without placeholders in capitals, and the blocks of Python. A command may end with
0 or 1 (refuted); with anything else the document is wrong.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w.-]+\.\w+)\n")
COMMAND = re.compile(r"(?:^\$ (?P<line>adderlab .*)$|`(?P<span>adderlab [^`]*)`)", re.MULTILINE)
PLACEHOLDER = re.compile(r"\b[A-Z]{1,}\d?\b")
SKIPPED = ("--install-completion", "adderlab open")
"""What changes the reader's shell, and what serves until it is interrupted."""
NAMED = re.compile(r"adderlab [a-z]+(?: -\S+)?\Z")
"""A command or its option that a sentence names, with nothing that could be run."""


def files_of(text: str) -> dict[str, str]:
    """Return the files that a document spells out, by name."""
    files = {}
    for block in FENCE.findall(text):
        name = FILE.match(block)
        if name:
            files[name[1]] = block
    return files


def commands_of(text: str) -> list[list[str]]:
    """Return the commands of a document that can be run as they stand, each once, in order."""
    commands: dict[str, None] = {}
    for match in COMMAND.finditer(text):
        command = (match["line"] or match["span"]).strip()
        is_whole = match["line"] or not PLACEHOLDER.search(command)
        if is_whole and not any(word in command for word in SKIPPED):
            commands[command] = None
    return [shlex.split(command) for command in commands]


def python_of(text: str) -> list[str]:
    """Return the blocks of Python of a document, in order."""
    return PYTHON.findall(text)


def wrong_examples_of(text: str, *, is_manual: bool = False) -> list[str]:
    """Write a document's files, run its examples here, and return those that fail.

    Args:
        text: the document.
        is_manual: whether ``adderlab count`` in a sentence is a name and no example.
    """
    wrong = []
    for file, content in files_of(text).items():
        _ = Path(file).write_text(content, encoding="utf-8")
    examples = [["-m", *command] for command in commands_of(text)]
    if is_manual:
        examples = [words for words in examples if not NAMED.match(" ".join(words[1:]))]
    for arguments in [*examples, *(["-c", block] for block in python_of(text))]:
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, check=False
        )
        allowed = (0, 1) if arguments[0] == "-m" else (0,)
        good = done.returncode in allowed and "Traceback" not in done.stderr
        print("ok   " if good else "WRONG", done.returncode, shlex.join(arguments), flush=True)
        if not good:
            print(done.stdout[-2000:], done.stderr[-2000:])
            wrong.append(shlex.join(arguments))
    return wrong


def main() -> int:
    texts = [Path(name) for name in sys.argv[1:]]
    wrong = [
        example
        for path in texts
        for example in wrong_examples_of(
            path.read_text(encoding="utf-8"), is_manual=path.name != "README.md"
        )
    ]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
