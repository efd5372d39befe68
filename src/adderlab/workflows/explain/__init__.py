"""``explain``: backprop step by step, the chain rule, the two slots, why a run went as it did."""

from adderlab.workflows.explain.explanation import Explanation
from adderlab.workflows.explain.verb import explain

__all__ = ["Explanation", "explain"]
