"""Small damage, drawn from a seeded generator: to bytes, to text, and to the values of JSON."""

from __future__ import annotations

import copy
import json
import struct
from random import Random
from typing import Any, Final

from attacks.guard import MARK

NUMBERS: Final = (0, 1, -1, 2, 3, 0.5, -0.0, 1e-320, 1e308, 2**31, 2**32, 2**63, -(2**63), 2**64,
                  10**30, True)  # fmt: skip

TEXTS: Final = (
    "", " ", "0", "-1", "nan", "inf", "1e999", "9" * 5000, "x" * 3000, "relu", "fp32", "int4",
    "half-adder", "adder:7200", "adder:1048577", "table:/etc/hosts", "../../outside", "/outside",
    "a\x00b", "\ud800", "\u202e\u0301", "\x1b[31m", "ａ＋ｂ", "🧮", "[red]", "%s{0}", "\n",
    "step(", f"__import__('os').system('{MARK}')",
)  # fmt: skip

PIECES: Final = (
    b"", b"\0", b"\xff", b"\n", b"\r\n", b",", b"\t", b";", b'"', b"{", b"}", b"[", b"]", b"-",
    b"1", b"e9", b"nan", b"1e999", b"\xef\xbb\xbf", b"\xff\xfe", b"\x80\x04", b"(", b")", b"((((",
    b"step(", b"relu", b"=", b"a", b"..", b"9" * 5000, "−≥·×".encode(), MARK.encode(),
)  # fmt: skip


def of_bytes(rng: Random, data: bytes) -> bytes:
    """Return bytes with one to three places damaged."""
    raw = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.randint(0, len(raw))
        end = min(len(raw), place + rng.choice((0, 1, 2, 8, 64)))
        match rng.randrange(6):
            case 0 if place < len(raw):
                raw[place] ^= 1 << rng.randrange(8)
            case 1:
                raw[place:end] = rng.choice(PIECES)
            case 2:
                raw[place:end] = rng.randbytes(end - place)
            case 3:
                del raw[place:]
            case 4:
                raw[place:place] = raw[place:end] * rng.randint(1, 5)
            case _:
                del raw[place:end]
    return bytes(raw)


def of_text(rng: Random, text: str) -> bytes:
    """Return text whose words are exchanged, repeated or damaged."""
    words = text.replace("\n", " \n ").split(" ")
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.randrange(len(words))
        match rng.randrange(4):
            case 0:
                words[place] = rng.choice(words)
            case 1:
                words.insert(place, rng.choice(words))
            case 2:
                words[place] = rng.choice((*TEXTS, *map(str, NUMBERS)))
            case _:
                del words[place]
                words = words or [""]
    raw = " ".join(words).encode(errors="surrogatepass")
    return of_bytes(rng, raw) if rng.random() < 0.3 else raw


def of_value(rng: Random, value: Any) -> Any:
    """Return a value as JSON has it with one to three entries changed, anywhere within."""
    result = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 2, 3))):
        holders = _places(result) if isinstance(result, dict | list) else []
        if not holders:
            return _other(rng, result)
        holder, key = rng.choice(holders)
        match rng.randrange(4):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[rng.choice(TEXTS)] = copy.deepcopy(holder[key])
            case 1:
                holder.insert(key, copy.deepcopy(holder[key]))
            case _:
                holder[key] = _other(rng, holder[key])
    return result


def of_json(rng: Random, value: Any) -> bytes:
    """Return the text of a value that was changed; sometimes no JSON, or with a key twice."""
    text = json.dumps(of_value(rng, value))
    if rng.random() < 0.1 and text.startswith('{"'):
        text = text[:-1] + "," + text[1:] if len(text) > 2 else text
    raw = text.encode()
    return of_bytes(rng, raw) if rng.random() < 0.2 else raw


def of_safetensors(rng: Random, data: bytes) -> bytes:
    """Return a safetensors file with its header, its record or its bytes changed."""
    if rng.random() < 0.3:
        return of_bytes(rng, data)
    (size,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    metadata = header.get("__metadata__", {})
    if "adderlab" in metadata and rng.random() < 0.6:
        metadata["adderlab"] = of_json(rng, json.loads(metadata["adderlab"])).decode(
            errors="replace"
        )
        raw = json.dumps(header).encode()
    else:
        raw = of_json(rng, header)
    if rng.random() < 0.1:
        body = of_bytes(rng, body)
    length = len(raw) if rng.random() < 0.95 else rng.choice((0, 1, len(raw) - 1, 2**40, 2**64 - 1))
    return struct.pack("<Q", length) + raw + body


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every entry's holder and key; without a call to itself, however deep it is."""
    places, left = [], [value]
    while left:
        holder = left.pop()
        keys = holder if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            places.append((holder, key))
            if isinstance(holder[key], dict | list):
                left.append(holder[key])
    return places


def _other(rng: Random, value: Any) -> Any:
    if isinstance(value, int | float) and rng.random() < 0.5:
        return value + rng.choice((-1, 1, 0.5, 2**20))
    match rng.randrange(8):
        case 0:
            return rng.choice(TEXTS)
        case 1:
            return None
        case 2:
            return [value] * rng.randint(0, 3)
        case 3:
            return {rng.choice(TEXTS): value}
        case 4:
            return rng.choice((float("nan"), float("inf")))
        case 5:
            for _ in range(rng.choice((2, 60, 120))):
                value = [value]
            return value
        case _:
            return rng.choice(NUMBERS)
