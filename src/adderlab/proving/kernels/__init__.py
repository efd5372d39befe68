"""Enumeration in compiled kernels: a source for each shape, rows as SIMD lanes, every core."""
