"""What a transformer's hyper-parameters make of its parameters, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from adderlab.counting.parts import Part, Stack, Term

QKNorm = Literal["", "head", "whole"]
"""Norms on queries and keys: none, shared by all heads, or of all heads together."""


@dataclass(frozen=True, slots=True)
class Latent:
    """Attention whose keys and values are made of one short vector, as DeepSeek's.

    Attributes:
        query_rank: width that queries are made of; 0 where they are made of the stream itself.
        kv_rank: width that keys and values are made of; it is what the cache keeps.
        rope_width: channels a head with a rotary position; one such key is shared by all heads.
        plain_width: channels a head without a position.
        value_width: channels a head of the values.

    References:
        DeepSeek-AI, "DeepSeek-V2" (2024), section 2.1, arXiv:2405.04434.
    """

    query_rank: int
    kv_rank: int
    rope_width: int
    plain_width: int
    value_width: int


@dataclass(frozen=True, slots=True)
class Architecture:
    """The hyper-parameters of a transformer.

    Attributes:
        layers: transformer blocks.
        width: of the residual stream.
        heads: of queries.
        kv_heads: of keys and values.
        head_width: channels a head.
        mlp: hidden width of the MLP (of one expert).
        vocabulary: tokens.
        positions: learned position embeddings; 0 for rotary ones, which have no weights.
        segments: learned embeddings of token types.
        gated: whether the MLP has a third matrix, the gate.
        norms: norms a layer.
        has_norm_weights: whether norms have weights at all.
        has_layer_norm: norms with scale and shift; otherwise scale alone.
        has_embedding_norm: whether the embedding is followed by a norm.
        has_last_norm: whether there is a norm after the layers.
        qk_norm: norms on queries and keys.
        qkv_bias: biases on queries, keys and values.
        output_bias: a bias on the attention's output.
        mlp_bias: biases in the MLP.
        router_bias: a bias on the router.
        has_sinks: whether each head has a number that its attention may go to.
        latent: where keys and values are compressed, their sizes.
        tied: whether the output head is the embedding.
        has_head: whether there is an output head.
        head_bias: a bias on the output head.
        has_pooler: whether the first token passes through one more layer.
        experts: MLPs a layer.
        experts_used: how many of them one token passes through.
        dense_layers: layers with one plain MLP in place of experts.
        dense_mlp: hidden width of that MLP.
        shared_mlp: hidden width of the experts that every token passes through; 0 without.
        has_shared_gate: whether these are weighted by a gate of their own.
        window: of layers with sliding windows, the tokens that are seen.
        window_layers: how many layers have a window.
        longest: tokens of the longest input, where that is known.
        is_decoder: whether it writes token after token, with a cache.
    """

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_width: int
    mlp: int
    vocabulary: int
    positions: int = 0
    segments: int = 0
    gated: bool = True
    norms: int = 2
    has_norm_weights: bool = True
    has_layer_norm: bool = False
    has_embedding_norm: bool = False
    has_last_norm: bool = True
    qk_norm: QKNorm = ""
    qkv_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False
    router_bias: bool = False
    has_sinks: bool = False
    latent: Latent | None = None
    tied: bool = False
    has_head: bool = True
    head_bias: bool = False
    has_pooler: bool = False
    experts: int = 1
    experts_used: int = 1
    dense_layers: int = 0
    dense_mlp: int = 0
    shared_mlp: int = 0
    has_shared_gate: bool = False
    window: int = 0
    window_layers: int = 0
    longest: int | None = None
    is_decoder: bool = True

    def parts(self) -> tuple[Part, ...]:
        """Return the parts: embedding, attention, MLP, norm, and the output head or pooler."""
        tables = (
            ("tokens", self.vocabulary),
            ("positions", self.positions),
            ("segments", self.segments),
        )
        embedding = tuple(
            Term(name, (size, self.width), is_looked_up=True, is_kept=name != "tokens")
            for name, size in tables
            if size
        )
        values = self.latent.value_width if self.latent is not None else self.head_width
        own = Part(
            "attention",
            (Stack(self._attention(), self.layers),),
            more_macs=self.layers * self.heads * (self._head_width + values),
        )
        return (
            Part("embedding", (Stack(embedding),)),
            own,
            Part("MLP", tuple(self._mlps())),
            Part("norm", tuple(self._norms())),
            *self._ends(),
        )

    @property
    def _head_width(self) -> int:
        """Channels of one query."""
        if self.latent is None:
            return self.head_width
        return self.latent.plain_width + self.latent.rope_width

    def _ends(self) -> Iterator[Part]:
        head = Term("", (self.width, self.vocabulary))
        bias = (Term("bias", (self.vocabulary,), is_bias=True),) if self.head_bias else ()
        if self.has_head and self.tied:
            yield Part("output head", (Stack(bias),) if bias else (), shared=(head,))
        elif self.has_head:
            yield Part("output head", (Stack((head, *bias)),))
        if self.has_pooler:
            terms = (
                Term("", (self.width, self.width)),
                Term("bias", (self.width,), is_bias=True),
            )
            yield Part("pooler", (Stack(terms),))

    def _attention(self) -> tuple[Term, ...]:
        if self.latent is not None:
            return tuple(self._latent_attention(self.latent))
        queries, keys = self.heads * self.head_width, self.kv_heads * self.head_width
        terms = [
            Term("q", (self.width, queries)),
            Term("k", (self.width, keys)),
            Term("v", (self.width, keys)),
            Term("o", (queries, self.width)),
        ]
        if self.qkv_bias:
            terms.append(Term("q, k, v biases", (queries + 2 * keys,), is_bias=True))
        if self.output_bias:
            terms.append(Term("o bias", (self.width,), is_bias=True))
        if self.has_sinks:
            terms.append(Term("sinks", (self.heads,)))
        if self.qk_norm == "head":
            terms.append(Term("q, k norms", (self.head_width,), copies=2))
        if self.qk_norm == "whole":
            terms.append(Term("q, k norms", (queries + keys,)))
        return tuple(terms)

    def _latent_attention(self, latent: Latent) -> Iterator[Term]:
        queries = self.heads * self._head_width
        short = latent.kv_rank + latent.rope_width
        if latent.query_rank:
            yield Term("q down", (self.width, latent.query_rank))
            yield Term("q norm", (latent.query_rank,))
        yield Term("q", (latent.query_rank or self.width, queries))
        yield Term("k, v down", (self.width, short))
        yield Term("k, v norm", (latent.kv_rank,))
        heads_out = self.heads * (latent.plain_width + latent.value_width)
        yield Term("k, v", (latent.kv_rank, heads_out))
        yield Term("o", (self.heads * latent.value_width, self.width))
        if self.output_bias:
            sizes = latent.query_rank + short + self.width
            yield Term("biases", (sizes,), is_bias=True)

    def _mlps(self) -> Iterator[Stack]:
        """Yield the layers with a plain MLP, then those with experts."""
        dense = self.layers if self.experts == 1 else self.dense_layers
        if dense:
            yield Stack(self._mlp(self.mlp if self.experts == 1 else self.dense_mlp), dense)
        if self.layers > dense:
            terms = [
                Term("router", (self.width, self.experts), is_kept=True),
                *self._mlp(self.mlp, copies=self.experts, used=self.experts_used),
            ]
            if self.router_bias:
                terms.append(Term("router bias", (self.experts,), is_bias=True))
            if self.shared_mlp:
                terms += self._mlp(self.shared_mlp, prefix="shared ")
            if self.has_shared_gate:
                terms.append(Term("shared router", (self.width, 1), is_kept=True))
            yield Stack(tuple(terms), self.layers - dense)

    def _mlp(
        self, hidden: int, *, copies: int = 1, used: int | None = None, prefix: str = ""
    ) -> tuple[Term, ...]:
        """Return the matrices and biases of MLPs with that hidden width."""
        label = "experts" if copies > 1 else ""
        up, down = (self.width, hidden), (hidden, self.width)
        shapes = {"gate": up} if self.gated else {}
        shapes |= {"up": up, "down": down}
        terms = [Term(prefix + name, shape, copies, used, label) for name, shape in shapes.items()]
        if self.mlp_bias:
            size = (len(shapes) - 1) * hidden + self.width
            terms.append(Term("biases", (size,), copies, used, label, is_bias=True))
        return tuple(terms)

    def _norms(self) -> Iterator[Stack]:
        if not self.has_norm_weights:
            return
        if self.norms:
            yield Stack((self._norm(self.norms),), self.layers)
        if self.has_embedding_norm:
            yield Stack((self._norm(1, "of the embedding"),))
        if self.has_last_norm:
            yield Stack((self._norm(1, "last"),))

    def _norm(self, count: int, name: str = "") -> Term:
        vectors = count * (2 if self.has_layer_norm else 1)
        kind = "scales and shifts" if self.has_layer_norm else "scales"
        return Term(name or kind, (self.width,), copies=vectors)
