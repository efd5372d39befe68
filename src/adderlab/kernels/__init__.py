"""Sources compiled with Numba: vectors for them, the compiler, and the cache of machine code."""
