"""What a transformer's hyper-parameters make of its parameters, part by part.

Rule: a part is a list of matrices and vectors; its sum and the arithmetic that is shown come
from that one list, so what is printed is what was computed. A weight that is used twice (the
embedding as output head) is counted once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

MAC_RULE: Final = (
    "one token, context 1: every matrix once (the embedding is a look-up, no MAC), two MACs a "
    "head and channel for the attention itself; FLOPs = 2 MACs + 1 per bias"
)


@dataclass(frozen=True, slots=True)
class Term:
    """A matrix or vector of a part, and how often it is there.

    Attributes:
        name: ``q``, ``router``, ``bias``; may be empty.
        shape: two sizes for a matrix, one for a vector.
        copies: how many there are: experts, norms.
        used: how many of the copies one token passes through.
        copy_name: what the copies are called: ``experts``.
        is_bias: whether it is added rather than multiplied with.
        is_looked_up: whether one row is taken instead of a product.
    """

    name: str
    shape: tuple[int, ...]
    copies: int = 1
    used: int | None = None
    copy_name: str = ""
    is_bias: bool = False
    is_looked_up: bool = False

    @property
    def parameters(self) -> int:
        """Numbers in all copies."""
        return math.prod(self.shape) * self.copies

    @property
    def active(self) -> int:
        """Numbers in the copies that one token passes through."""
        return math.prod(self.shape) * (self.copies if self.used is None else self.used)

    @property
    def macs(self) -> int:
        """Multiply-adds for one token."""
        is_product = len(self.shape) == 2 and not self.is_looked_up
        return self.active if is_product else 0

    def __str__(self) -> str:
        copies = f"{self.copies} {self.copy_name}".rstrip() + " x " if self.copies > 1 else ""
        return f"{self.name} ".lstrip() + copies + " x ".join(map(str, self.shape))


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a model: its terms, and how many layers have them.

    Attributes:
        name: ``embedding``, ``attention``, ``MLP``, ``norm`` or ``output head``.
        terms: the matrices and vectors of one layer.
        layers: how many layers have them; 1 for parts outside the layers.
        extra: terms outside the layers that belong to this part, as the last norm does.
        more_macs: multiply-adds a layer that no parameter takes part in.
        shared: terms whose weights are counted elsewhere, used once more.
    """

    name: str
    terms: tuple[Term, ...]
    layers: int = 1
    extra: tuple[Term, ...] = ()
    more_macs: int = 0
    shared: tuple[Term, ...] = ()

    def _sum(self, what: str) -> int:
        inside = sum(getattr(term, what) for term in self.terms)
        return self.layers * inside + sum(getattr(term, what) for term in self.extra)

    @property
    def parameters(self) -> int:
        """All numbers of the part."""
        return self._sum("parameters")

    @property
    def active(self) -> int:
        """The numbers that one token passes through."""
        return self._sum("active")

    @property
    def macs(self) -> int:
        """Multiply-adds for one token at context 1."""
        shared = sum(term.macs for term in self.shared)
        return self._sum("macs") + self.layers * self.more_macs + shared

    @property
    def biases(self) -> int:
        """Additions of a bias for one token."""
        inside = sum(term.active for term in self.terms if term.is_bias)
        return self.layers * inside

    @property
    def arithmetic(self) -> str:
        """How the parameters add up: ``32 layers x (q 4096 x 4096 + …)``."""
        if not self.terms and not self.extra:
            return "0 (the embedding's weights, counted there)"
        inside = " + ".join(map(str, self.terms))
        text = f"{self.layers} layers x ({inside})" if self.layers > 1 else inside
        return " + ".join([text, *map(str, self.extra)])


@dataclass(frozen=True, slots=True)
class Architecture:
    """The hyper-parameters of a decoder-only transformer.

    Attributes:
        layers: transformer blocks.
        width: of the residual stream.
        heads: of queries.
        kv_heads: of keys and values.
        head_width: channels a head.
        mlp: hidden width of the MLP (of one expert).
        vocabulary: tokens.
        positions: learned position embeddings; 0 for rotary ones, which have no weights.
        gated: whether the MLP has a third matrix, the gate.
        has_layer_norm: norms with scale and shift; otherwise scale alone.
        qkv_bias: biases on queries, keys and values.
        output_bias: a bias on the attention's output.
        mlp_bias: biases in the MLP.
        tied: whether the output head is the embedding.
        experts: MLPs a layer.
        experts_used: how many of them one token passes through.
    """

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_width: int
    mlp: int
    vocabulary: int
    positions: int = 0
    gated: bool = True
    has_layer_norm: bool = False
    qkv_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False
    tied: bool = False
    experts: int = 1
    experts_used: int = 1

    def parts(self) -> tuple[Part, ...]:
        """Return the parts: embedding, attention, MLP, norm, output head."""
        table = Term("tokens", (self.vocabulary, self.width), is_looked_up=True)
        places = Term("positions", (self.positions, self.width), is_looked_up=True)
        head = Term("", (self.width, self.vocabulary))
        return (
            Part("embedding", (table, places) if self.positions else (table,)),
            Part(
                "attention",
                self._attention(),
                self.layers,
                more_macs=2 * self.heads * self.head_width,
            ),
            Part("MLP", self._mlp(), self.layers),
            Part("norm", (self._norm(2),), self.layers, extra=(self._norm(1),)),
            Part("output head", (), shared=(head,)) if self.tied else Part("output head", (head,)),
        )

    def _attention(self) -> tuple[Term, ...]:
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
        return tuple(terms)

    def _mlp(self) -> tuple[Term, ...]:
        many = self.experts > 1
        used = self.experts_used if many else None
        label = "experts" if many else ""
        names = ("gate", "up", "down") if self.gated else ("up", "down")
        shapes = {
            "gate": (self.width, self.mlp),
            "up": (self.width, self.mlp),
            "down": (self.mlp, self.width),
        }
        terms = [Term(name, shapes[name], self.experts, used, label) for name in names]
        if many:
            terms.insert(0, Term("router", (self.width, self.experts)))
        if self.mlp_bias:
            sizes = (self.mlp,) * (len(names) - 1) + (self.width,)
            terms.append(Term("biases", (sum(sizes),), is_bias=True))
        return tuple(terms)

    def _norm(self, count: int) -> Term:
        vectors = count * (2 if self.has_layer_norm else 1)
        name = "scales and shifts" if self.has_layer_norm else "scales"
        return Term(name if count > 1 else "last", (self.width,), copies=vectors)
