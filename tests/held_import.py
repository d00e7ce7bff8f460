"""An import in a process of its own that takes until it is let go, or fails as often as it is told.

The product knows nothing of it: Python runs `sitecustomize` of a folder in PYTHONPATH.
"""

from dataclasses import dataclass
from pathlib import Path

_CUSTOM = """
import importlib.abc, importlib.machinery, os, sys, time

class Held(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != {module!r}:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        # While it is executed, and not while it is found: that would hold up all imports.
        def exec_module(module):
            open(os.path.join({folder!r}, "reached"), "a").close()
            while not os.path.exists(os.path.join({folder!r}, "go")):
                time.sleep(0.01)
            if os.path.exists(os.path.join({folder!r}, "fail")):
                raise ImportError("/a/place/of/this/machine is broken")
            execute(module)

        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Held())
"""


@dataclass(frozen=True, slots=True)
class HeldImport:
    """One module whose import is held."""

    folder: Path

    @classmethod
    def of(cls, module: str, folder: Path) -> "HeldImport":
        """Hold `module`, by files in `folder`."""
        folder.mkdir()
        custom = _CUSTOM.format(module=module, folder=str(folder))
        (folder / "sitecustomize.py").write_text(custom, encoding="utf-8")
        return cls(folder)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the process whose import is held."""
        return {"PYTHONPATH": str(self.folder)}

    @property
    def is_reached(self) -> bool:
        """Whether the process has come to it."""
        return (self.folder / "reached").exists()

    def fail(self) -> None:
        """Have it fail from now on, once it is let go."""
        (self.folder / "fail").touch()

    def mend(self) -> None:
        """Have it succeed from now on."""
        (self.folder / "fail").unlink()

    def let_go(self) -> None:
        """Let it go on."""
        (self.folder / "go").touch()
