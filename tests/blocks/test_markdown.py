"""Stories as Markdown: every kind of block, and text that means itself."""

from __future__ import annotations

from fractions import Fraction

from adderlab.blocks import (
    Chapter,
    Code,
    Command,
    Equations,
    Figures,
    Heading,
    Line,
    Paragraph,
    Remark,
    Table,
    VerdictLine,
)
from adderlab.blocks.html import MACROS
from adderlab.blocks.markdown import to_document
from adderlab.figures import operations_picture
from adderlab.notation import number, symbol

PICTURE = operations_picture({"without": [(1, 4), (2, 12)], "with reuse": [(1, 4), (2, 7)]})

CHAPTER = Chapter(
    "one",
    "One * two",
    (
        Heading("A heading"),
        Line("a line"),
        Line("a headline", "strong"),
        Paragraph("a_b costs $5 | <b>"),
        Code("x = `1`", caption="Some code"),
        Table(("n|", "w"), ((number(Fraction(1, 2)), "a|b"),), marks=(False,), left=("w",)),
        Equations((symbol("h1"),), caption="A formula:"),
        VerdictLine("proved", "on all 4 inputs"),
        Remark("all correct!", "the notebook", "It is not."),
        Command("adderlab demo"),
        Figures((PICTURE,), "How it grows."),
    ),
)

WRITTEN = r"""# A title

A lede.

## One \* two

### A heading

a line

**a headline**

a\_b costs \$5 \| \<b\>

Some code

```text
x = `1`
```

| n\| | w | right? |
| --: | :-- | :-- |
| $\frac{1}{2}$ | a\|b | **wrong** |

A formula:

$$
h_{1}
$$

**proved** on all 4 inputs

> all correct! (the notebook)

It is not.

```text
$ adderlab demo
```

![without: 12 operations at 2. with reuse: 7 operations at 2.](figures/operations.svg)

How it grows.
"""


def test_every_kind_of_block_is_written():
    kinds = {type(block) for block in CHAPTER.blocks}
    assert kinds == set(MACROS)
    assert to_document("A title", "A lede.", [CHAPTER], figures="figures") == WRITTEN


def test_without_a_folder_a_picture_is_described_in_words():
    text = to_document("T", "L", [CHAPTER])
    assert "![" not in text
    assert f"{PICTURE.title}: {PICTURE.alt}" in text
