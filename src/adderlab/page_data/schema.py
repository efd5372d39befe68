"""What a page may say: networks, tasks and messages as objects of known keys, types and sizes.

Rule: what passes is within the page's limits, so that nothing behind it can be made to take much
memory or time by what a message says. Numbers are finite doubles.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

MOST_INPUTS: Final = 12
MOST_UNITS: Final = 32
MOST_LAYERS: Final = 8
MOST_OUTPUTS: Final = 12
MOST_ROWS: Final = 64

MOST_FILE_BYTES: Final = 1 << 20
"""Of a file that is dropped on the page."""

MOST_KEYS: Final = 24
"""Keys of an object, beyond which it is refused before any of them is looked at."""

Number = Annotated[float, Field(allow_inf_nan=False)]
Bit: TypeAlias = Literal[0, 1]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")]
Value = Annotated[int, Field(ge=0, lt=1 << MOST_INPUTS)]
Words = Annotated[dict[Name, Value], Field(min_length=1, max_length=MOST_INPUTS)]
Width = Annotated[int, Field(ge=1, le=MOST_INPUTS)]
Word = Annotated[  # JSON has lists alone
    tuple[Name, Width],
    BeforeValidator(lambda word: tuple(word) if isinstance(word, list) else word),
]
Widths = Annotated[list[Word], Field(min_length=1, max_length=MOST_INPUTS)]


class Entry(BaseModel):
    """An object of known keys, with values of just their types."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, entries: Any) -> Any:
        if isinstance(entries, dict) and len(entries) > MOST_KEYS:
            raise ValueError(f"{len(entries)} keys")
        return entries


Units = Annotated[list[Number], Field(min_length=1, max_length=MOST_UNITS)]


class LayerEntry(Entry):
    """One affine map with its activation; a scale is what whole numbers were multiplied with."""

    weight: Annotated[list[Units], Field(min_length=1, max_length=MOST_UNITS)]
    bias: Units | None
    activation: Literal["relu", "identity", "step", "leaky", "tanh"]
    convention: Literal[">", ">="] | None = None
    slope: Number | None = None
    weight_scale: Number | None = None
    bias_scale: Number | None = None

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        if self.bias is None and self.bias_scale is not None:
            raise ValueError("bias_scale goes with a bias")
        for option, kind in (("convention", "step"), ("slope", "leaky")):
            if (getattr(self, option) is None) == (self.activation == kind):
                raise ValueError(f"{option} goes with {kind}, and with it alone")
        return self


class ThresholdEntry(Entry):
    """Outputs are compared with a number."""

    kind: Literal["threshold"]
    threshold: Number
    convention: Literal[">", ">="]


class ExactEntry(Entry):
    """Outputs are 0 or 1 as they stand."""

    kind: Literal["exact"]


class NetworkEntry(Entry):
    """A network as the page has it."""

    layers: Annotated[list[LayerEntry], Field(min_length=1, max_length=MOST_LAYERS)]
    readout: Annotated[ThresholdEntry | ExactEntry, Field(discriminator="kind")]
    format: Annotated[str, StringConstraints(max_length=20)]


class RowEntry(Entry):
    """One input with what is expected; null where any value will do."""

    inputs: Annotated[list[Bit], Field(max_length=MOST_INPUTS)]
    expected: Annotated[list[Bit | None], Field(max_length=MOST_OUTPUTS)]
    words: Words
    result: Annotated[dict[Name, Value | None], Field(min_length=1, max_length=MOST_OUTPUTS)]


class TaskEntry(Entry):
    """A task as the page has it."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=5000)]
    inputs: Widths
    outputs: Widths
    input_names: Annotated[list[Name], Field(max_length=MOST_INPUTS)]
    output_names: Annotated[list[Name], Field(max_length=MOST_OUTPUTS)]
    rows: Annotated[list[RowEntry], Field(min_length=1, max_length=MOST_ROWS)]


def checked(schema: TypeAdapter[Any], value: Any) -> Any:
    """Return a value as an entry.

    Raises:
        ValueError: with the first fault and its place: ``layers.0.bias: …``.
    """
    try:
        return schema.validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part)[:40] for part in fault["loc"][:8])
        reason = fault["msg"].removeprefix("Value error, ")
        raise ValueError(f"{place}: {reason}" if place else reason) from None
