"""The calculator: exact where it can be, bounded always, and nothing but arithmetic."""

import contextlib

import pytest

from core.work.tools.calculator import computed
from core.work.tools.tool import NotRunError


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("6*7", "42"),
        ("0.1+0.2", "0.3"),
        ("1,234,567.5 * 2", "2469135"),
        ("max(1,200,3)", "200"),
        ("2^10", "1024"),
        ("2**-2", "0.25"),
        ("（3+4）×5", "35"),
        ("(3+4)×5÷7−1", "4"),
        ("200*15%", "30"),
        ("17 % 5", "2"),
        ("-17 % 5", "3"),
        ("-7 // 2", "-4"),
        ("10/4", "2.5"),
        ("sqrt(2)**2", "≈ 2"),
        ("round(2.675, 2)", "2.68"),
        ("floor(-1.5) + ceil(1.2)", "0"),
        ("123456789012345678901234567890 + 1", "123456789012345678901234567891"),
        ("1/3", "≈ 0.333333333333333333333333333333"),
        ("2**1000", "≈ 1.07150860718626732094842504906e+301"),
        ("--5", "5"),
        ("3.14159265358979323846 * 1", "3.14159265358979323846"),
        ("1e3 + 1", "1001"),
        ("-(2**100)", "-1267650600228229401496703205376"),
        ("+(2**100)", "1267650600228229401496703205376"),
        ("abs(-(2**100))", "1267650600228229401496703205376"),
        ("floor(1e999)", "1e+999"),
        ("ceil(-7.5)", "-7"),
        ("round(-(2**100) + 0.5)", "-1267650600228229401496703205376"),
    ],
)
def test_values(expression: str, value: str) -> None:
    assert computed(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "1/0",
        "0**-1",
        "9**9**9**9",
        "10**1000000",
        "(-1)**0.5",
        "sqrt(-1)",
        "sin(1e400)",
        "1e999999999",
        "__import__('os').system('id')",
        "().__class__",
        "open('/etc/passwd')",
        "[x for x in range(9)]",
        "lambda: 1",
        "a",
        "'a'*9",
        "True + 1",
        "1 if 1 else 2",
        "1 < 2",
        "f'{1}'",
        "abs(1, 2)",
        "max()",
        "round(1, 1e9)",
        "min(*[1,2])",
        "(" * 300 + "1" + ")" * 300,
        "-" * 499 + "1",
        "1+" * 240 + "1",
        "1" * 501,
        "1\x002",
        "1; 2",
        "pi()",
    ],
)
def test_what_is_no_arithmetic_or_too_much_is_refused_at_once(expression: str) -> None:
    if expression.startswith(("--", "1+")):  # long, and arithmetic
        assert computed(expression)
        return
    with pytest.raises(NotRunError):
        computed(expression)


_EXTREMES = ("1e999999", "-1e999999", "1e-999999", "9" * 60, "10**99999", "0", "0.1")
_FUNCTIONS = ("abs", "round", "floor", "ceil", "sqrt", "exp", "ln", "log10", "sin", "cos", "tan")
_FORMS = (
    *(f"{name}({{0}})" for name in _FUNCTIONS),
    *("round({1}, {0})", "min({0}, {1})", "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / {1}"),
    *("{0} // {1}", "{0} % {1}", "({0}) ** ({1})", "-({0})", "({0})%"),
)


@pytest.mark.timeout(30)  # by way of an int, one of them took a minute, and held up every thread
@pytest.mark.parametrize("form", _FORMS)
def test_no_size_of_a_number_takes_long(form: str) -> None:
    for one in _EXTREMES:
        for other in _EXTREMES:
            with contextlib.suppress(NotRunError):
                assert len(computed(form.format(one, other))) < 100
