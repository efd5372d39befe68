"""Stories as Markdown: every kind of block, and text that means itself."""

from __future__ import annotations

from blocks.samples import CHAPTER, PICTURE

from adderlab.blocks.markdown import to_document

PARTS = (
    "# A title\n\nA lede.\n\n## One \\* two\n\n### A heading\n",
    "\nA paragraph costs \\$5 → a\\_b \\<b\\>\n",
    "\nA plain line\n\n**A headline**\n",
    "\nSome code\n\n```text\nx = `1`\n```\n",
    "\nA caption\n\n| word | n\\| | right? |\n| :-- | --: | :-- |\n",
    "| a\\|b | $\\frac{3}{7}$ | right |\n",
    "| wrong sum | 0.125 | **wrong** |\n",
    "\nA formula:\n\n$$\nh_{1}\n$$\n",
    "\n**proved** on all 4 inputs\n\n- a detail\n",
    "\n> all correct! (the notebook)\n\nIt is not.\n",
    "\n```text\n$ adderlab demo\n```\n",
    "\n![The loss falls from 4 to 1.](figures/steps.svg)\n\nHow it falls.\n",
)


def test_every_kind_of_block_is_written_in_order():
    text, at = to_document("A title", "A lede.", [CHAPTER], figures="figures"), 0
    for part in PARTS:
        assert part in text[at:], part
        at = text.index(part, at) + len(part) - 1


def test_without_a_folder_a_picture_is_described_in_words():
    text = to_document("T", "L", [CHAPTER])
    assert "![" not in text
    assert f"{PICTURE.title}: {PICTURE.alt}" in text
