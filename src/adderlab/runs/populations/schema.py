"""The schema of ``run.json``: what is read of it must be there, of its type and within its range.

Rule: a record that passes can be shown without a surprise, whoever wrote it. Its own keys are
checked whenever a folder is opened, those of a population's result before they are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, StringConstraints(max_length=1000)]
Hex = Annotated[str, StringConstraints(pattern=r"^#?[0-9a-f]{1,64}$")]
Checksum = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Levels = Annotated[str, StringConstraints(pattern=r"^(0|1|0\.[0-9]{1,6})$")]


class Entry(BaseModel):
    """An object of known keys, with values of just their types."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class FileEntry(Entry):
    """A file of the run's folder, with its size and checksum."""

    file: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z]+$")]
    bytes: Count
    blake2b: Checksum


class FigureEntry(FileEntry):
    """A figure."""

    file: Annotated[str, StringConstraints(pattern=r"^figures/[A-Za-z0-9_-]+\.(svg|png)$")]


class BlockEntry(FileEntry):
    """A finished block; of a population with its members and the seconds that it took."""

    file: Annotated[str, StringConstraints(pattern=r"^blocks/[0-9]{6,9}\.[a-z]+$")]
    block: Count
    first: Count = 0
    members: Count = 0
    seconds: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _check_number(self) -> Self:
        if not self.file.startswith(f"blocks/{self.block:06}."):
            raise ValueError(f"the file of block {self.block} has another number")
        return self


class Record(BaseModel):
    """A record's own keys; those of the result stand beside them."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)

    schema_: Annotated[Literal[1], Field(alias="schema")]
    finished: bool
    identity: dict[str, Any]
    machine: dict[str, Any]
    blocks: list[BlockEntry]
    files: list[FileEntry]
    figures: list[FigureEntry]
    sha256: Hex

    @model_validator(mode="after")
    def _check_numbers(self) -> Self:
        if len({entry.block for entry in self.blocks}) < len(self.blocks):
            raise ValueError("a block is entered twice")
        return self


class RateEntry(Entry):
    """A success rate."""

    count: Count
    of: Count
    share: Share | None
    interval: Annotated[list[Share], Field(min_length=2, max_length=2)]

    @model_validator(mode="after")
    def _check_count(self) -> Self:
        if self.count > self.of:
            raise ValueError(f"{self.count} of {self.of} is no rate")
        return self


class WidthEntry(RateEntry):
    """A success rate at a number of hidden units."""

    hidden: Annotated[int, Field(ge=1, lt=1 << 31)]


class LrEntry(RateEntry):
    """A success rate at a learning rate."""

    lr: Annotated[float, Field(gt=0)]


class TrialEntry(Entry):
    """What came of changing one thing alone."""

    change: Text
    mended: RateEntry
    control: Text
    control_mended: RateEntry


class SymptomEntry(Entry):
    """A symptom of failures."""

    cause: Text
    text: Text
    count: Count
    share: Share
    among_successes: Share | None
    is_cause: bool | None
    trial: TrialEntry | None


class FailureEntry(Entry):
    """A kind of failure."""

    table: list[Count]
    code: Hex | None
    count: Count
    share: Share
    member: Count
    pattern: Annotated[str, StringConstraints(pattern=r"^[01 |]*$|^#[0-9a-f]{16}$")] | None
    causes: list[SymptomEntry]


class SolutionEntry(Entry):
    """A class of solutions."""

    class_: Annotated[Text, Field(alias="class")]
    code: Hex
    count: Count
    share: Share
    member: Count


class SolutionsEntry(Entry):
    """How many different solutions there are."""

    patterns: Count
    classes: Count
    commonest: list[SolutionEntry]


class HelpEntry(Entry):
    """A change with its rate."""

    change: Text
    option: Text
    successes: Count
    networks: Count
    rate: Share | None
    interval: Annotated[list[Share], Field(min_length=2, max_length=2)]
    unchanged: RateEntry
    is_better: bool

    @model_validator(mode="after")
    def _check_successes(self) -> Self:
        if self.successes > self.networks:
            raise ValueError(f"{self.successes} of {self.networks} is no rate")
        return self


class LossesEntry(Entry):
    """The quantiles of the losses."""

    steps: list[Count]
    quantiles: dict[Levels, list[Annotated[float, Field(ge=0)] | None]]

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if any(len(losses) != len(self.steps) for losses in self.quantiles.values()):
            raise ValueError("there is not one loss for each step")
        return self


class BestEntry(Entry):
    """The best member."""

    member: Count
    seed: Count
    margin: float
    verdict: Literal["proved", "refuted", "unknown"] | None
    file: Literal["best.safetensors"] | None


class ResultEntry(Entry):
    """The result of a population."""

    task: Annotated[str, StringConstraints(max_length=10_000)]
    settings: dict[str, Any]
    networks: Count
    successes: Count
    success_rate: Share
    interval: Annotated[list[Share], Field(min_length=2, max_length=2)]
    seconds: Annotated[float, Field(ge=0)]
    path: Text
    why: Text
    failures: list[FailureEntry]
    failure_tables: Count
    diverged: Count
    causes: list[SymptomEntry]
    successes_by_step: list[Annotated[list[Count], Field(min_length=2, max_length=2)]]
    losses: LossesEntry
    solutions: SolutionsEntry
    helps: list[HelpEntry]
    by_hidden: list[WidthEntry]
    by_lr: list[LrEntry]
    best: BestEntry | None
    keep: Text


RECORD: Final = TypeAdapter(Record)
RESULT: Final = TypeAdapter(ResultEntry)


def fault_of(schema: TypeAdapter[Any], entries: Mapping[str, Any]) -> str:
    """Return what is wrong with the entries, and where; empty where nothing is."""
    try:
        _ = schema.validate_python(entries)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part)[:40] for part in fault["loc"][:8])
        reason = fault["msg"].removeprefix("Value error, ")
        return f"{place}: {reason}" if place else reason
    return ""
