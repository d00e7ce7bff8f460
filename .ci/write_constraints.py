"""Writes constraints.txt: the exact versions that stand in this environment.

Only what requirements-dev.txt leads to is named, so that an environment with more in it gives the
same file. Run it in a fresh environment after the tests have passed there:

    .venv/bin/python .ci/write_constraints.py
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
HEAD = """\
# The exact versions that the tests last passed with, for .ci/run; written by
# .ci/write_constraints.py. requirements.txt keeps ranges; to hold an installation to these:
# pip install -c constraints.txt -r requirements.txt
"""


def requirements(file: Path) -> list[Requirement]:
    """Return what a file of requirements asks for, and the files it leads to."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        words = line.partition(" #")[0].strip()
        if words.startswith("-r "):
            found += requirements(file.parent / words[3:].strip())
        elif words and not words.startswith("#"):
            found.append(Requirement(words))
    return found


def closure(wanted: list[Requirement]) -> dict[str, str]:
    """Return name and version of all that is installed for `wanted`."""
    versions: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(one, frozenset[str]()) for one in wanted]
    while waiting:
        one, extras_of_parent = waiting.pop()
        fits = [{"extra": extra} for extra in extras_of_parent] or [{"extra": ""}]
        if one.marker is not None and not any(one.marker.evaluate(fit) for fit in fits):
            continue
        name, extras = canonicalize_name(one.name), frozenset(one.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        versions[name] = found.version
        waiting += [(Requirement(line), extras) for line in found.requires or ()]
    return versions


if __name__ == "__main__":
    pins = closure(requirements(ROOT / "requirements-dev.txt"))
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items())]
    (ROOT / "constraints.txt").write_text(HEAD + "".join(lines), encoding="utf-8")
