"""Parameters, operations and bytes, with the arithmetic spelled out."""

from adderlab.counting.network_count import Count, LayerCount, count

__all__ = ["Count", "LayerCount", "count"]
