"""Every public style: what PyTorch computes is proved, and one wrong bit is refuted."""

from __future__ import annotations

import pytest
from nets.public_styles import STYLES, bits_of, layers_of, table_of

from adderlab.verbs.prove import prove

SEEDS = 4


@pytest.mark.parametrize("name", STYLES)
def test_what_pytorch_computes_is_proved_and_anything_else_refuted(name: str) -> None:
    proved = 0
    for seed in range(SEEDS):
        module = layers_of(name, seed)
        bits = bits_of(module, STYLES[name][1])
        verdict = prove(module, table_of(bits))
        assert verdict.verdict != "refuted", (seed, verdict)
        proved += bool(verdict)
        wrong = [list(row) for row in bits]
        wrong[seed][0] ^= 1
        assert prove(module, table_of(wrong)).verdict == "refuted", seed
    assert proved >= SEEDS - 1  # ties of rounded numbers are left open
