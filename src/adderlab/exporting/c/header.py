"""A network as one C99 header: constant tables and static inline functions, with no allocation.

Rule: nothing but what the C standard defines is relied on, for any width of ``int``; the one
exception is float arithmetic, which must be that of IEEE 754, and what would not be is refused when
the header is compiled.
"""

from __future__ import annotations

from typing import Final

from adderlab.errors import NetworkError
from adderlab.exporting.c import functions as texts
from adderlab.exporting.c.floats import float_plan
from adderlab.exporting.c.names import base_name
from adderlab.exporting.c.plan import Plan
from adderlab.exporting.c.tables import float_literal
from adderlab.exporting.c.whole import whole_plan
from adderlab.exporting.c.words import fits, wiring_function, words_function, words_text
from adderlab.exporting.subject import Files, Subject, in_comment
from adderlab.formats import FORMATS
from adderlab.nets import Network
from adderlab.nets.tensors import Scaled

FLOAT_CHECKS: Final = """\
#if FLT_RADIX != 2 || {prefix}_MANT_DIG != {digits}
#error "{type} has other than {digits} bits, so its sums would be others"
#endif
#if FLT_EVAL_METHOD != 0
#error "sums would be kept wider than {type}: on x86 compile with -msse2 -mfpmath=sse"
#endif
#ifdef __FAST_MATH__
#error "-ffast-math changes the order of sums: compile without it"
#endif

/* No product is fused with a sum. */
#if defined(__GNUC__) && !defined(__clang__)
#define {mark} __attribute__((optimize("fp-contract=off")))
#else
#define {mark}
#pragma STDC FP_CONTRACT OFF
#endif
"""


def plan_of(net: Network, base: str) -> Plan:
    """Return how a network is computed: in whole numbers where its format has these and they fit.

    Args:
        net: any network.
        base: what the header's functions are called.

    Raises:
        NetworkError: no type of C holds its numbers or its sums.
    """
    is_straight = all(layer.activation.is_exact for layer in net.layers)
    kind = FORMATS[net.format].kind
    if kind == "float" or not is_straight:
        return float_plan(net, base)
    try:
        return whole_plan(net, base)
    except NetworkError as error:
        if kind == "wide" or not has_scales(net):
            raise
        try:
            return float_plan(net, base)
        except NetworkError:
            raise error from None


def has_scales(net: Network) -> bool:
    """Return whether the arithmetic of an integer format is that of floats between its scales."""
    return any(isinstance(tensor, Scaled) for _, tensor in net.tensors()) or any(
        not number.is_integer()
        for layer in net.layers
        for numbers in layer.activation.constants.values()
        for number in numbers
    )


def write_c(subject: Subject) -> Files:
    """Return the header of a network, or of a cell with its wiring.

    Raises:
        NetworkError: no type of C holds its numbers or its sums.
    """
    base = base_name(subject.name)
    plan = plan_of(subject.network, base)
    return {"": "\n".join(_lines(subject, plan, base)) + "\n"}


def _lines(subject: Subject, plan: Plan, base: str) -> list[str]:
    upper = base.upper()
    guard = f"ADDERLAB_{upper}_H"
    mark = f"{upper}_FLOAT " if plan.is_float else ""
    includes = ["<stdint.h>"]
    if subject.wiring is not None:
        includes.insert(0, "<stddef.h>")
    if plan.is_float:
        includes.insert(0, "<float.h>")
    if any(curve.needs_library for curve in plan.curves):
        includes.insert(1, "<math.h>")
    lines = [
        *_heading(subject, plan, base),
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        *(f"#include {name}" for name in includes),
        "",
    ]
    if plan.is_float:
        prefix, digits = ("FLT", 24) if plan.raw_type == "float" else ("DBL", 53)
        checks = FLOAT_CHECKS.format(
            type=plan.raw_type, mark=mark.strip(), prefix=prefix, digits=digits
        )
        lines.append(checks)
    lines += [
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
        f"enum {{ {upper}_INPUTS = {plan.n_in}, {upper}_OUTPUTS = {plan.n_out} }};",
        "",
        *texts.unpacking(plan, base),
        *texts.curve_functions(plan, base, mark),
    ]
    for layer in plan.layers:
        lines += texts.layer_text(layer, base, mark)
    lines += [
        *_raw_comment(subject, plan),
        *texts.raw_function(plan, base, mark),
        *_bits_function(plan, base, mark),
    ]
    task, wiring = subject.task, subject.wiring
    if fits(task):
        name = base if wiring is None else f"{base}_cell"
        lines += words_function(task, base, name, may_be_no_bit=plan.threshold is None)
    if wiring is not None:
        lines += wiring_function(wiring, base)
    if plan.is_float:
        lines += [f"#undef {mark.strip()}", ""]
    return [*lines, "#ifdef __cplusplus", "}", "#endif", "", f"#endif /* {guard} */"]


def _heading(subject: Subject, plan: Plan, base: str) -> list[str]:
    """Return the comment at the top: what it is, where it comes from, what it takes."""
    task = subject.task if subject.wiring is None else subject.wiring.cell
    buffers = texts.buffers_of(plan)
    text = [
        f"{base}: {subject.origin.task}, a network of {subject.network.shape}",
        "",
        *subject.origin.lines(),
        "",
        f"Words: {words_text(task)}.",
        *plan.about,
        f"Bytes: {plan.table_bytes} of tables, {buffers.size_bytes} of stack for layers' values.",
        "C99 and C++; no allocation, no state.",
    ]
    return [
        "/*",
        *(f" * {in_comment(line)}".rstrip() for line in text),
        " */",
        "",
    ]


def _raw_comment(subject: Subject, plan: Plan) -> list[str]:
    """Return what stands above the function of raw outputs."""
    unit = f", in units of 2^{plan.exponent}" if plan.exponent else ""
    inputs, outputs = subject.task.input_bits, subject.task.output_bits
    return [
        f"/* Raw outputs of input bits{unit}. Both in the network's order:",
        f"   {in_comment(_listed(inputs, 'x'))}",
        f"   {in_comment(_listed(outputs, 'y'))} */",
    ]


def _listed(bits: tuple[str, ...], array: str) -> str:
    shown = bits if len(bits) <= 16 else (*bits[:8], "...", *bits[-2:])
    return f"{array} = {', '.join(shown)}"


def _bits_function(plan: Plan, base: str, mark: str) -> list[str]:
    """Return the function from input bits to output bits."""
    count = "uint_fast16_t" if plan.n_out < texts.SMALL else "uint_fast32_t"
    if plan.threshold is not None:
        sign = plan.convention
        about = [
            f"/* Output bits of input bits: 1 where the raw output is {sign} the threshold. */"
        ]
        about.append(plan.threshold.text(base).replace("[1]", "").replace("{", "").replace("}", ""))
        value = f"raw[i] {sign} {base}_threshold"
    else:
        raw_of_1 = plan.raw_of_1
        if plan.is_float:
            raw_of_1, zero = float_literal(1.0, plan.raw_type), float_literal(0.0, plan.raw_type)
        else:
            zero = "0"
        about = [
            "/* Output bits of input bits: a raw output that is 0 or 1 as it stands; 2 where it is",
            "   neither. */",
        ]
        value = f"raw[i] == {zero} ? 0 : 2"
        if raw_of_1 is not None:
            value = f"raw[i] == {raw_of_1} ? 1 : {value}"
    parameters = f"const uint8_t x[{plan.n_in}], uint8_t y[{plan.n_out}]"
    return [
        *about,
        f"{mark}static inline void {base}_bits({parameters}) {{",
        f"  {plan.raw_type} raw[{plan.n_out}];",
        f"  {base}_raw(x, raw);",
        f"  for ({count} i = 0; i < {plan.n_out}; i++)",
        f"    y[i] = (uint8_t)({value});",
        "}",
        "",
    ]
