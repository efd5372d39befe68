"""JupyterLab and marimo as a person has them, each on a free port, with settings of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import adderlab

SOURCES = str(Path(adderlab.__file__).parents[1])
STARTING_S = 120.0


def free_port() -> int:
    """Return a port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(command, folder, port, path, **variables):
    """Run a server of notebooks until it is no more needed; its address."""
    paths = [SOURCES, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"HOME": str(folder), "PYTHONPATH": os.pathsep.join(paths)}
    environment |= {"XDG_CONFIG_HOME": str(folder / "config")} | variables
    address = f"http://127.0.0.1:{port}"
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        try:
            end = time.monotonic() + STARTING_S
            while not is_answered(address + path):
                assert server.poll() is None, (folder / "server.log").read_text()
                assert time.monotonic() < end, (folder / "server.log").read_text()
                time.sleep(0.2)
            yield address
        finally:
            server.terminate()


def is_answered(address) -> bool:
    """Return whether a server is there."""
    try:
        with urllib.request.urlopen(address, timeout=10):
            return True
    except OSError:
        return False


@contextmanager
def jupyterlab(folder, cells):
    """Serve a notebook of these cells in JupyterLab, in its light theme; the notebook's address."""
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    for name, values in {
        "notification": {"fetchNews": "false", "checkForUpdates": False},
        "themes": {"theme": "JupyterLab Light", "adaptive-theme": False},
    }.items():
        text = json.dumps(values)
        (settings / f"{name}.jupyterlab-settings").write_text(text, encoding="utf-8")
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "lab.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    port = free_port()
    command = ["jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}"]
    command += ["--ServerApp.ip=127.0.0.1", "--IdentityProvider.token="]
    command += [f"--ServerApp.root_dir={folder / 'notebooks'}"]
    folders = {
        f"JUPYTER_{kind}_DIR": str(folder / f"jupyter-{kind.lower()}")
        for kind in ("CONFIG", "DATA", "RUNTIME")
    }
    folders["JUPYTERLAB_SETTINGS_DIR"] = str(folder / "settings")
    with serving(command, folder, port, "/api", **folders) as address:
        yield f"{address}/lab/tree/lab.ipynb?reset"


@contextmanager
def marimo(folder, source):
    """Serve a notebook in marimo's editor; its address."""
    (folder / "notebook.py").write_text(source, encoding="utf-8")
    port = free_port()
    command = ["marimo", "-q", "edit", "notebook.py", "--headless", "--no-token"]
    command += ["--skip-update-check", "--host", "127.0.0.1", "--port", str(port)]
    with serving(command, folder, port, "/health") as address:
        yield f"{address}/"
