"""What several tests share: the browser, and whether it must be there."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.load_profile("same")
"""A run draws the examples of the last; ``--hypothesis-profile default`` draws others."""


def pytest_configure(config):
    """Let a session compile into one folder of its own, its subprocesses included.

    Where tests run side by side, each process computes with one thread.
    """
    if os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    if not os.environ.get("ADDERLAB_CACHE_DIR"):
        folder = tempfile.mkdtemp(prefix="adderlab-tests-")
        os.environ["ADDERLAB_CACHE_DIR"] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture(scope="session")
def browser():
    """Return headless Chromium; without one the test is skipped, unless it is required."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("ADDERLAB_REQUIRE_BROWSER"):
            pytest.fail("Chromium is required here and not installed")
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()
