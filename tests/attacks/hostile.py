"""Hostile command lines: options, values and orders as nobody means them."""

from __future__ import annotations

from random import Random
from typing import Final

from attacks.mutations import TEXTS

WORDS: Final = (
    "net.safetensors", "half-adder", "adder:2", "parity:3", "nothing", "1,1", "7", "2,3,2", "--",
    "-", "", ".", "..", "net.safetensors/x", "table:net.safetensors",
)  # fmt: skip

NUMBERS: Final = (
    "0", "1", "-1", "+3", "1.5", "1e3", "1_000", "0x10", "٣", "½", "１", "1/3", "1,5", "1e-400",
    "NaN", "-inf", "1e400", "999999999999", "-0", " 1", "1 ", "1e5000", "9" * 400,
)  # fmt: skip

OPTIONS: Final = {
    "build": "--method --formula --share --format --max-weight --timeout",
    "prove": "--task --bits --inputs --outputs --format --readout --engine --timeout --max-memory "
    "--sample --explain-choice --layers --activation --netlist",
    "count": "--model --config --safetensors --gguf --parameters --training --context --batch",
    "quantize": "--to --task --bits --method --scale --per --asymmetric --limit --timeout --table",
    "repair": "--task --bits --inputs --outputs --parameter --to --readout",
    "show": "--task --bits --inputs --outputs --input --readout",
    "run": "--bits --inputs --outputs --readout --task",
    "add": "--net --task",
    "check": "--task --timeout",
    "grade": "--task --rule --bits --inputs --outputs --readout --layers --activation --netlist "
    "--timeout --max-memory --jobs",
    "compare": "--task --bits --timeout",
    "explain": "--chain --readout --task --input",
    "tasks": "",
    "train": "--seed --member --hidden --lr --batch --data --optimizer --momentum --loss "
    "--activation --init --init-scale --stop-margin --keep --weight-decay",
    "nosuch": "--x",
}
"""Options by command; those of training come with few steps, so that one that is legal is short."""


USUAL: Final = {
    "build": "half-adder", "prove": "net.safetensors", "count": "net.safetensors",
    "quantize": "net.safetensors --to int4", "repair": "net.safetensors", "show": "net.safetensors",
    "run": "net.safetensors 1,1", "add": "7 8",
    "check": "net.safetensors net.cert", "grade": "handed --task half-adder",
    "compare": "net.safetensors net.safetensors",
    "explain": "net.safetensors", "train": "half-adder",
}  # fmt: skip
"""What stands first in most lines, so that what follows is looked at."""

OUTPUTS: Final = ("out", "out.png", "", ".", "nosuch/out", "net.safetensors/x")


def hostile_line(rng: Random) -> list[str]:
    """Return a command's arguments."""
    name = rng.choice(sorted(OPTIONS))
    options = [*OPTIONS[name].split(), "--json", "--nosuch", "-o"]
    groups = [[_value(rng)] for _ in range(rng.choice((0, 0, 0, 1, 2)))]
    groups += [
        _option(rng, option) for option in rng.choices(options, k=rng.choice((0, 1, 1, 2, 4)))
    ]
    rng.shuffle(groups)
    usual = USUAL.get(name, "").split() if rng.random() < 0.8 else []
    few = ["--steps", "2", "--samples", "4"] if name == "train" else []
    return [name, *usual, *(word for group in groups for word in group), *few]


def _option(rng: Random, option: str) -> list[str]:
    if option == "-o":
        return ["-o", rng.choice(OUTPUTS)]
    value = _value(rng)
    return rng.choice(([f"{option}={value}"], [option], [option, value], [option, value]))


def _value(rng: Random) -> str:
    text = rng.choice(rng.choice((WORDS, NUMBERS, NUMBERS, TEXTS)))
    if rng.random() < 0.02:
        return text * 20_000
    return text.replace("\0", "")
