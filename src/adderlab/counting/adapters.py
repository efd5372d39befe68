"""Low-rank adapters: what ``adapter_config.json`` says, held against the tensors beside it.

References:
    Hu et al., "LoRA" (2021), arXiv:2106.09685: W + (alpha / r) B A, with A (r, in), B (out, r).
    https://huggingface.co/docs/peft, ``LoraConfig``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from adderlab.blocks import Line
from adderlab.counting.config_keys import LARGEST_CONFIG_BYTES, read_json
from adderlab.errors import NetworkFileError, OptionError
from adderlab.nets.header import StoredTensor

NAME: Final = "adapter_config.json"
FACTOR: Final = re.compile(r"^(?P<module>.+)\.lora_(?:embedding_)?(?P<side>[AB])(?:\.[^.]+)*$")


TENSORS: Final = "adapter_model.safetensors"


def adapter_tensors(config: Path) -> Path | None:
    """Return the tensors beside an adapter's configuration; ``None`` where it is none.

    Raises:
        OptionError: the configuration can't be read, or its tensors are not beside it.
    """
    entries = read_json(config, LARGEST_CONFIG_BYTES)
    if not isinstance(entries, dict) or not isinstance(entries.get("peft_type"), str):
        return None
    path = config.parent / TENSORS
    if not path.is_file():
        base = entries.get("base_model_name_or_path")
        raise OptionError(
            "an adapter's configuration: its rank alone does not say how many matrices of which "
            f"sizes {base[:60] if isinstance(base, str) else 'its base model'} has",
            where=str(config),
            remedy=f"put {TENSORS} beside it",
        )
    return path


def read_adapter(folder: Path, tensors: Sequence[StoredTensor]) -> dict[str, Any] | None:
    """Return what is known of an adapter: its rank, its modules, the model that it is for.

    Args:
        folder: of the weight files.
        tensors: of the adapter.

    Returns:
        ``None`` where the tensors are no factors of an adapter.

    Raises:
        NetworkFileError: two factors don't fit, or their rank is none of the configuration's.
        OptionError: the configuration can't be read.
    """
    pairs: dict[str, dict[str, StoredTensor]] = {}
    for tensor in tensors:
        match = FACTOR.match(tensor.name)
        if match is not None and len(tensor.shape) >= 2:
            pairs.setdefault(match["module"], {})[match["side"]] = tensor
    if not pairs:
        return None
    path = folder / NAME
    entries = read_json(path, LARGEST_CONFIG_BYTES) if path.is_file() else {}
    entries = entries if isinstance(entries, dict) else {}
    ranks = _ranks(pairs, str(folder))
    configured, alpha = entries.get("r"), entries.get("lora_alpha")
    base = entries.get("base_model_name_or_path")
    patterns = entries.get("rank_pattern")
    has_pattern = isinstance(patterns, dict) and bool(patterns)
    if type(configured) is int and not has_pattern and ranks != {configured}:
        raise NetworkFileError(
            f"r is {configured}, the tensors have rank {', '.join(map(str, sorted(ranks)))}",
            where=str(path),
            remedy="put the configuration beside the adapter that it belongs to",
        )
    covered = sum(_matrix_size(sides) for sides in pairs.values())
    modules = sorted({module.rpartition(".")[2] for module in pairs})
    return {
        "kind": "LoRA",
        "ranks": sorted(ranks),
        "alpha": alpha if type(alpha) in (int, float) else None,
        "modules": modules,
        "matrices": len(pairs),
        "covered_parameters": covered,
        "base_model": base if isinstance(base, str) else None,
    }


def adapter_lines(adapter: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what an adapter is, and what it is for."""
    ranks = " and ".join(map(str, adapter["ranks"]))
    alpha = f", alpha {adapter['alpha']}" if adapter["alpha"] is not None else ""
    yield Line(
        f"{adapter['kind']} adapter of rank {ranks}{alpha} on {adapter['matrices']} matrices "
        f"({', '.join(adapter['modules'])[:200]}) of {adapter['covered_parameters']:,} parameters"
    )
    if adapter["base_model"]:
        yield Line(f"for {str(adapter['base_model'])[:80]}, whose parameters stay frozen")


def _ranks(pairs: dict[str, dict[str, StoredTensor]], where: str) -> set[int]:
    ranks: set[int] = set()
    for module, sides in pairs.items():
        if set(sides) != {"A", "B"}:
            raise NetworkFileError(
                f"{module[-60:]} has lora_{next(iter(sides))} alone",
                where=where,
                remedy="download the adapter again",
            )
        rank_in, rank_out = sides["A"].shape[0], sides["B"].shape[1]
        if rank_in != rank_out:
            raise NetworkFileError(
                f"lora_A of {module[-60:]} has rank {rank_in}, its lora_B {rank_out}",
                where=where,
                remedy="download the adapter again",
            )
        ranks.add(rank_in)
    return ranks


def _matrix_size(sides: dict[str, StoredTensor]) -> int:
    """Return the numbers of the matrix that a pair of factors is added to."""
    return sides["A"].parameters // max(sides["A"].shape[0], 1) * sides["B"].shape[0]
