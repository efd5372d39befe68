"""Work in processes of its own: pieces with limits that the system keeps, help beside this one."""

from adderlab.isolation.beside import Worker, worker
from adderlab.isolation.pool import Limits, Outcome, Piece, check_supported, outcomes

__all__ = ["Limits", "Outcome", "Piece", "Worker", "check_supported", "outcomes", "worker"]
