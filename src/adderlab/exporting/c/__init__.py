"""A network as one C99 header, compiled and run before it is kept."""

from adderlab.exporting.c.compare import compare_c
from adderlab.exporting.c.header import write_c

__all__ = ["compare_c", "write_c"]
