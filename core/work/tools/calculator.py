"""The calculator: an expression walked node by node, in decimals of bounded length. No eval."""

import ast
import math
import re
from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)

import msgspec

from core.work.tools.tool import NotRunError, Tool, ToolOutcome

_LONGEST = 500
_DIGITS, _ABOUT = 60, 30  # reckoned with, and shown of what is not exact
_EXPONENT_MOST, _POWER_MOST = 100_000, 999_999
_DESCRIPTION = (
    "Compute an arithmetic expression exactly. Use it for every calculation with more than a few "
    "digits. Knows + - * / // % ** ( ), pi, e, and abs, round, floor, ceil, min, max, sqrt, exp, "
    "ln, log10, sin, cos, tan (radians)."
)
_SIGNS = str.maketrans({"×": "*", "÷": "/", "−": "-", "（": "(", "）": ")", "，": ","})
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%(?!\s*[\d.(\w])")
_BETWEEN_THOUSANDS = re.compile(r"(?<![\d.,(])(\d{1,3}(?:,\d{3})+)(?![\d,])")


class Arguments(msgspec.Struct):
    """What a model gives."""

    expression: str


def _floored(context: Context, one: Decimal, other: Decimal) -> Decimal:
    return context.divide(one, other).to_integral_value(ROUND_FLOOR)


_BINARY: dict[type[ast.operator], Callable[[Context, Decimal, Decimal], Decimal]] = {
    ast.Add: lambda context, one, other: context.add(one, other),
    ast.Sub: lambda context, one, other: context.subtract(one, other),
    ast.Mult: lambda context, one, other: context.multiply(one, other),
    ast.Div: lambda context, one, other: context.divide(one, other),
    ast.FloorDiv: _floored,
    ast.Mod: lambda context, one, other: context.subtract(
        one, context.multiply(other, _floored(context, one, other))
    ),
}
# By the context: Decimal's own signs round as the thread's default one does.
_UNARY: dict[type[ast.unaryop], Callable[[Context, Decimal], Decimal]] = {
    ast.UAdd: lambda context, one: context.plus(one),
    ast.USub: lambda context, one: context.minus(one),
}
_NAMES = {
    "pi": Decimal("3.14159265358979323846264338327950288419716939937511"),
    "e": Decimal("2.71828182845904523536028747135266249775724709369996"),
}
_FLOATS: dict[str, Callable[[float], float]] = {"sin": math.sin, "cos": math.cos, "tan": math.tan}


def calculator() -> Tool:
    """Return the tool."""

    async def run(given: Arguments) -> ToolOutcome:
        return ToolOutcome(computed(given.expression))

    properties = {"expression": {"type": "string", "description": "Such as (1234.5 * 6) ** 2"}}
    return Tool("calculator", _DESCRIPTION, properties, run, Arguments)


def computed(expression: str) -> str:
    """Return the value of an expression; NotRunError says what is wrong with it."""
    if len(expression) > _LONGEST:
        raise NotRunError(f"Not computed: at most {_LONGEST} characters.")
    text = _BETWEEN_THOUSANDS.sub(lambda found: found[1].replace(",", ""), expression)
    text = _PERCENT.sub(r"(\1/100)", text.translate(_SIGNS).replace("^", "**"))
    traps = [InvalidOperation, DivisionByZero, Overflow]
    context = Context(prec=_DIGITS, Emax=_POWER_MOST, Emin=-_POWER_MOST, traps=traps)
    try:
        text = text.strip()
        value = context.plus(_value(ast.parse(text, mode="eval").body, text, context))
    except ZeroDivisionError as error:
        raise NotRunError("Not computed: a division by zero.") from error
    except (DecimalException, ArithmeticError) as error:
        raise NotRunError("Not computed: no number, or one too large.") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotRunError("Not computed: this is no arithmetic expression.") from error
    if not value.is_finite():
        raise NotRunError("Not computed: no number, or one too large.")
    if not context.flags[Inexact]:
        return _shown(value, _DIGITS)
    return f"≈ {_shown(value, _ABOUT)}"


def _value(node: ast.expr, text: str, context: Context) -> Decimal:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            if isinstance(number, int):
                return context.create_decimal(number)
            written = ast.get_source_segment(text, node) or str(number)
            return context.create_decimal(written)
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.UnaryOp(op=sign, operand=inner) if type(sign) in _UNARY:
            return _UNARY[type(sign)](context, _value(inner, text, context))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left, text, context), _value(right, text, context), context)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _BINARY[type(sign)](
                context, _value(left, text, context), _value(right, text, context)
            )
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _called(name, [_value(one, text, context) for one in arguments], context)
    raise NotRunError("Not computed: only numbers, operators and the functions that are named.")


def _power(base: Decimal, exponent: Decimal, context: Context) -> Decimal:
    if abs(exponent) > _EXPONENT_MOST:
        raise NotRunError("Not computed: this power is too large.")
    return context.power(base, exponent)


def _called(name: str, given: list[Decimal], context: Context) -> Decimal:
    match name, given:
        case (("min" | "max"), [_, *_]):
            return min(given) if name == "min" else max(given)
        case "abs", [one]:
            return context.abs(one)
        case "round", [one]:
            return one.to_integral_value()
        case "round", [one, places] if abs(places) <= _DIGITS and places == int(places):
            return one.quantize(Decimal(1).scaleb(-int(places)), context=Context(prec=2 * _DIGITS))
        case (("floor" | "ceil"), [one]):
            # Never by way of an int: a million digits of one take a minute, and the whole process.
            return one.to_integral_value(ROUND_FLOOR if name == "floor" else ROUND_CEILING)
        case "sqrt", [one]:
            return context.sqrt(one)
        case "exp", [one]:
            return context.exp(one)
        case "ln", [one]:
            return context.ln(one)
        case "log10", [one]:
            return context.log10(one)
        case (("sin" | "cos" | "tan"), [one]):
            context.flags[Inexact] = True
            return context.create_decimal(f"{_FLOATS[name](float(one)):.15g}")
    raise NotRunError(f"Not computed: there is no {name[:40]} of {len(given)} values.")


def _shown(value: Decimal, digits: int) -> str:
    """Return a number without zeros that say nothing; very large and small ones with a power."""
    if not value:
        return "0"
    value = value.normalize(Context(prec=digits, Emax=_POWER_MOST, Emin=-_POWER_MOST))
    is_plain = -20 <= value.adjusted() < _DIGITS
    return f"{value:f}" if is_plain else f"{value:e}"
