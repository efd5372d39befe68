"""``explain_chain``: the chain rule for N functions, in symbols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adderlab.blocks import Picture
from adderlab.blocks.numbers import counted
from adderlab.checking import checked
from adderlab.explaining.chain import Chain, chain_rule
from adderlab.explaining.chain_chapters import WITH, WITHOUT, chain_chapters
from adderlab.explaining.steps import chain_steps
from adderlab.figures import operations_picture
from adderlab.packages import is_installed
from adderlab.verbs.explained_rows import parse_values
from adderlab.verbs.explanation import Explanation, check_outs, written


@checked
def explain_chain(
    length: int,
    *,
    values: str | Mapping[str, Any] | None = None,
    out: str | Path | Sequence[str | Path] = (),
) -> Explanation:
    """Explain the chain rule for a chain of functions, each with one weight.

    Args:
        length: how many functions.
        values: numbers for the weights, ``x`` and ``y``: ``"w1=2,w2=3,x=1,y=1"``.
        out: where to write: files ending in .md, .html, .json, .svg, .png, or folders.

    Raises:
        OptionError: ``length`` or a value is out of its range, or a value is missing.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> adderlab.explain_chain(2).data["derivatives"]
        ['2*(f1 - y)*f2', '2*(f1 - y)*w1*x']
    """
    check_outs(out)
    chain = chain_rule(length, None if values is None else parse_values(values))
    # without files to write, a terminal shows the chain whether there is a figure or not
    picture = chain_picture(chain) if out or is_installed("matplotlib") else None
    chapters = chain_chapters(chain)
    explanation = Explanation(
        "chain",
        chain,
        chain.to_dict(),
        f"The chain rule for {counted(length, 'function')}",
        chapters,
        chain_chapters(chain, picture),
        chain_steps(chain, chapters),
        (picture,) if picture else (),
    )
    return written(explanation, out)


def chain_picture(chain: Chain) -> Picture:
    """Return the picture of the operations by the length of the chain."""
    return operations_picture(
        {
            WITHOUT: [(cost.length, cost.without_reuse) for cost in chain.costs],
            WITH: [(cost.length, cost.with_reuse) for cost in chain.costs],
        }
    )
