"""constraints.txt pins all that the requirements lead to first, within their ranges."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)


def requirements() -> list[Requirement]:
    lines = [
        line.partition(" #")[0].strip()
        for file in ("requirements.txt", "requirements-dev.txt")
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines()
    ]
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]


@pytest.mark.parametrize("one", requirements(), ids=lambda one: one.name)
def test_every_requirement_is_a_range_and_its_pin_lies_within(one: Requirement) -> None:
    assert not any(part.operator == "==" for part in one.specifier)
    assert one.specifier.contains(PINS[canonicalize_name(one.name)])


def test_pins_hold_for_every_python_we_run_on() -> None:
    for name, version in PINS.items():
        assert name == canonicalize_name(name)
        assert re.fullmatch(r"[\w.]+", version), f"{name}: no marker, no address, no local build"


def test_the_check_installs_the_pins_and_tells_when_it_cannot() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "pip install -q -c constraints.txt -r requirements-dev.txt" in script
    assert "\n  .venv/bin/pip install -q -r requirements-dev.txt\n" in script
