"""``explain``: backprop step by step, the chain rule, the two slots, why a run went as it did."""

from adderlab.verbs.explaining.explanation import Explanation
from adderlab.verbs.explaining.verb import explain

__all__ = ["Explanation", "explain"]
