"""The precision of balls is one for the process: who computes with them has it alone."""

from __future__ import annotations

import threading

import flint

from adderlab.nets.activations.precision import ball_precision


def test_a_thread_waits_until_another_has_computed_with_its_own_precision():
    before, precisions = flint.ctx.prec, []

    def compute():
        with ball_precision(77):
            precisions.append(flint.ctx.prec)

    other = threading.Thread(target=compute)
    with ball_precision(300):
        other.start()
        other.join(0.05)
        assert flint.ctx.prec == 300
        assert precisions == []
        with ball_precision(60):  # the same thread may go deeper
            assert flint.ctx.prec == 60
        assert flint.ctx.prec == 300
    other.join(30)
    assert precisions == [77]
    assert flint.ctx.prec == before
