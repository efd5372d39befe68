"""Verdicts by an SMT solver, where one is installed."""

from adderlab.proving.solver.decide import SolverResult, decide, is_installed
from adderlab.proving.solver.script import to_script
from adderlab.proving.solver.specification import is_specified

__all__ = ["SolverResult", "decide", "is_installed", "is_specified", "to_script"]
