"""Populations in compiled kernels: a source generated for each shape, networks as SIMD lanes."""
