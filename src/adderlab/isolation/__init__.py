"""Pieces of work in a process of its own each, with limits that the operating system keeps."""

from adderlab.isolation.pool import Limits, Outcome, Piece, check_supported, outcomes

__all__ = ["Limits", "Outcome", "Piece", "check_supported", "outcomes"]
