"""``adderlab count``: parameters, operations and bytes."""

from __future__ import annotations

import typer

from adderlab.cli.options import AsJson, NetPath

EXAMPLE = "Example: adderlab count lecture.safetensors"


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLE)(count)


def count(net: NetPath, *, as_json: AsJson = False) -> None:
    """Count parameters and bytes, layer by layer, with the arithmetic shown."""
    from adderlab.cli.output import Screen
    from adderlab.counting import count as count_network
    from adderlab.counting.network_count import RULE, bytes_by_format
    from adderlab.formats import FORMATS

    screen = Screen(as_json=as_json)
    found = count_network(net)
    own = found.format if found.format != "wide" else "fp32"
    screen.table(
        ("layer", "weights + biases", "parameters", f"bytes in {own}"),
        [
            *(
                (
                    layer.name,
                    layer.arithmetic.partition(" = ")[0],
                    layer.parameters,
                    bytes_by_format(layer.parameters)[own],
                )
                for layer in found.layers
            ),
            ("all", "", found.raw, found.bytes[own]),
        ],
        left=("layer",),
    )
    screen.say()
    screen.say(
        f"{found.raw} parameters, {found.nonzero} of them nonzero, {found.unique} different values"
    )
    screen.say(f"{found.macs} MACs, {found.flops} FLOPs ({RULE})")
    screen.say(f"{found.stored_bytes} bytes of tensors as stored, {found.file_bytes} in the file")
    screen.say()
    screen.table(
        ("format", "bits", "bytes", "how"),
        [
            (
                name,
                FORMATS[name].bits,
                size,
                f"{found.raw} * {FORMATS[name].bits} / 8"
                + ("" if found.raw * FORMATS[name].bits % 8 == 0 else ", rounded up"),
            )
            for name, size in found.bytes.items()
        ],
        left=("format", "how"),
    )
    screen.json(found.to_dict())
