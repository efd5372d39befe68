"""Mutated files and hostile command lines: refused in one line or working, under an audit hook.

``make attack N=5000`` runs so many of each kind and prints what they came to.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from attacks.kinds import KINDS

COUNT = int(os.environ.get("ADDERLAB_ATTACKS", "0"))
SEED = int(os.environ.get("ADDERLAB_ATTACKS_SEED", "1"))
QUICK = 6
"""Attacks of each kind without ``ADDERLAB_ATTACKS``."""

ARENA = Path(__file__).with_name("arena.py")


def arena(kinds, count, folder):
    """Run attacks in a process of their own, in an empty folder."""
    paths = [str(ARENA.parents[1]), *filter(None, sys.path)]
    done = subprocess.run(
        [sys.executable, ARENA, ",".join(kinds), str(count), str(SEED)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        env={
            "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths), "HOME": str(folder),
            "OMP_NUM_THREADS": "1", "ADDERLAB_CACHE_DIR": str(folder), "COLUMNS": "100",
            "PYTHONDONTWRITEBYTECODE": "1", "MPLCONFIGDIR": str(folder),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture
def open_folder():
    """Return an empty folder that a process without rights can reach."""
    with tempfile.TemporaryDirectory(prefix="attacks-", dir="/tmp") as name:
        yield Path(name)


@pytest.mark.timeout(0)
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGALRM and setuid")
def test_every_attack_is_refused_or_works(open_folder):
    reports = arena(KINDS, COUNT or QUICK, open_folder)
    assert set(reports) == set(KINDS)
    for kind, report in reports.items():
        unexpected = len(report["unexpected"])
        print(
            f"{kind:>20}: {report['cases']} attacks, {unexpected} unexpected, {report['endings']}"
        )
        assert sum(report["endings"].values()) == report["cases"]
    faults = [fault for report in reports.values() for fault in report["unexpected"]]
    assert not faults, "\n\n".join(faults[:20])
