"""Virtual environments that the bench makes for the peers, and keeps for the next run."""

import subprocess
import sys
from pathlib import Path

from bench.peering.trouble import Trouble

_MADE_OF = "made-of.txt"


def environment(folder: Path, requirements: tuple[str, ...]) -> Path:
    """Return the interpreter of an environment with these requirements, made if it is not there."""
    python, made_of = folder / "bin" / "python", folder / _MADE_OF
    wanted = "\n".join((sys.version, *requirements))
    if made_of.is_file() and made_of.read_text(encoding="utf-8") == wanted:
        return python
    _run(sys.executable, "-m", "venv", "--clear", str(folder))
    _run(str(python), "-m", "pip", "install", "--quiet", *requirements)
    made_of.write_text(wanted, encoding="utf-8")
    return python


def _run(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        raise Trouble(f"not installed: {said[-1] if said else ran.returncode}")
