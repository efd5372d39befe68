"""The memory of keys and values that a decoder keeps of the tokens before.

Rule: a layer keeps, for each token that it can still see, one key and one value of every key-value
head; attention by a latent vector keeps that vector and one rotary key instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from adderlab.blocks import Block, Line, Result, Table, note_lines
from adderlab.blocks.numbers import counted
from adderlab.counting.architecture import Architecture
from adderlab.counting.sizes import binary_size, bytes_by_format, decimal_size
from adderlab.errors import OptionError

LARGEST_CONTEXT: Final = 1 << 40
CACHE_FORMATS: Final = ("fp32", "fp16", "bf16", "fp8-e4m3", "fp8-e5m2", "int8", "int4", "int2")
"""Formats in which caches are kept; scales of the integer ones are not included."""


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """What a cache is for.

    Attributes:
        context: tokens of one sequence.
        batch: sequences at once.
    """

    context: int
    batch: int = 1


def cache_options(context: int | None, batch: int | None) -> CacheOptions | None:
    """Return the options of a cache; ``None`` where no context is given.

    Raises:
        OptionError: a number is below 1 or absurdly large, or a batch stands without a context.
    """
    for name, value in (("context", context), ("batch", batch)):
        if value is not None and not 1 <= value <= LARGEST_CONTEXT:
            raise OptionError(f"got {value}", where=name, remedy="give 1 to 2^40")
    if context is None:
        if batch is not None:
            raise OptionError(
                "a batch alone says nothing of a cache", where="batch", remedy="give `context` too"
            )
        return None
    return CacheOptions(context, batch or 1)


@dataclass(frozen=True, slots=True, repr=False)
class KVCache(Result):
    """The keys and values that are kept of all sequences, when the context is full.

    Attributes:
        context: tokens of one sequence.
        batch: sequences at once.
        per_token: numbers a layer and token.
        layers: transformer blocks.
        window: tokens that a layer with a sliding window keeps.
        window_layers: how many layers have one.
        is_latent: whether a latent vector is kept in place of keys and values.
        rule: what a layer keeps of a token, as arithmetic.
        notes: further remarks, one sentence each.
    """

    context: int
    batch: int
    per_token: int
    layers: int
    window: int
    window_layers: int
    is_latent: bool
    rule: str
    notes: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """Tokens kept of one sequence, over all layers."""
        full = (self.layers - self.window_layers) * self.context
        return full + self.window_layers * min(self.window, self.context)

    @property
    def numbers(self) -> int:
        """All numbers that are kept."""
        return self.batch * self.tokens * self.per_token

    @property
    def bytes(self) -> dict[str, int]:
        """Bytes by format."""
        sizes = bytes_by_format(self.numbers)
        return {name: sizes[name] for name in CACHE_FORMATS}

    def to_dict(self) -> dict[str, Any]:
        return {
            "context": self.context,
            "batch": self.batch,
            "numbers": self.numbers,
            "per_token_and_layer": self.per_token,
            "window": self.window or None,
            "window_layers": self.window_layers,
            "latent": self.is_latent,
            "bytes": self.bytes,
            "notes": list(self.notes),
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return how the numbers come about, and their bytes by format."""
        full = self.layers - self.window_layers
        terms = [f"{full} layers x {self.context}"] if full else []
        if self.window_layers:
            seen = min(self.window, self.context)
            terms.append(f"{self.window_layers} layers with a window x {seen}")
        how = f"{self.batch} x ({' + '.join(terms)}) x {self.rule} = {self.numbers:,} numbers"
        table = Table(
            ("format", "bytes", "in powers of 10", "in powers of 2"),
            tuple(
                (name, f"{size:,}", decimal_size(size), binary_size(size))
                for name, size in self.bytes.items()
            ),
            left=("format",),
        )
        sequences = counted(self.batch, "sequence")
        return (
            Line(f"KV cache of {sequences} of {self.context:,} tokens", "strong"),
            Line(how),
            table,
            *note_lines(self.notes),
        )

    def __repr__(self) -> str:
        return f"KVCache: {self.numbers:,} numbers, {self.batch} x {self.context:,} tokens"


def kv_cache(architecture: Architecture, options: CacheOptions | None) -> KVCache | None:
    """Return the cache of a model; ``None`` without options.

    Raises:
        OptionError: the model keeps no cache, or has no positions for so long a context.

    References:
        Ainslie et al., "GQA" (2023), arXiv:2305.13245; DeepSeek-AI, "DeepSeek-V2" (2024), section
        2.1.4, arXiv:2405.04434; Beltagy et al., "Longformer" (2020), arXiv:2004.05150 (windows).
    """
    if options is None:
        return None
    if not architecture.is_decoder:
        raise OptionError(
            "an encoder keeps no cache: it sees all tokens at once",
            where="context",
            remedy="leave `context` out",
        )
    longest = architecture.longest
    if architecture.positions and options.context > architecture.positions:
        raise OptionError(
            f"got {options.context}; the model has {architecture.positions} positions",
            where="context",
            remedy=f"give at most {architecture.positions}",
        )
    notes = ()
    if longest is not None and options.context > longest:
        notes = (f"the configuration's longest context is {longest:,} tokens",)
    latent = architecture.latent
    if latent is not None:
        per_token = latent.kv_rank + latent.rope_width
        rule = f"(latent {latent.kv_rank} + rotary key {latent.rope_width})"
    else:
        per_token = 2 * architecture.kv_heads * architecture.head_width
        rule = f"2 x {architecture.kv_heads} heads x {architecture.head_width}"
    return KVCache(
        context=options.context,
        batch=options.batch,
        per_token=per_token,
        layers=architecture.layers,
        window=architecture.window,
        window_layers=architecture.window_layers,
        is_latent=latent is not None,
        rule=rule,
        notes=notes,
    )
