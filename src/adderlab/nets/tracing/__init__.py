"""Reading a PyTorch module's ``forward`` as a network; importing this imports torch."""

from adderlab.nets.tracing.reading import ReadModule, from_module

__all__ = ["ReadModule", "from_module"]
