"""Where settings are looked up, and what of it cannot be used."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from dotenv import dotenv_values

from core.errors import ConfigurationError
from core.settings import parsers

ENVIRONMENT = "the environment"
SECRETS_FILE = ".streamlit/secrets.toml"
DOTENV_FILES = (".env.local", ".env")

_Value = TypeVar("_Value")


class Sources:
    """The environment, the secrets and the dotenv files of one folder, strongest first.

    What cannot be used is refused: it becomes one of `problems`, and counts as not set.
    """

    def __init__(
        self, root: Path, environment: Mapping[str, str], secrets: Mapping[str, Any] | None
    ) -> None:
        self.problems: list[ConfigurationError] = []
        self.secrets = self._secrets_file(root) if secrets is None else secrets
        # Streamlit copies top-level secrets into os.environ; those are the file's still.
        own = {
            name: value
            for name, value in environment.items()
            if name not in self.secrets or str(self.secrets[name]) != value
        }
        self._layers: list[tuple[str, Mapping[str, Any]]] = [
            (ENVIRONMENT, own),
            (SECRETS_FILE, self.secrets),
        ]
        for name in DOTENV_FILES:
            try:
                self._layers.append((name, dotenv_values(root / name, interpolate=False)))
            except (OSError, UnicodeDecodeError):
                self.refuse(name, name, "a readable UTF-8 text file", "text_file")

    def read(self, names: Iterable[str], parse: Callable[[str], _Value]) -> _Value | None:
        """Return the first value set under one of `names`, parsed; None when absent or unusable."""
        found = self.find(tuple(names))
        return None if found is None else self.parsed(*found, parse)

    def find(self, names: tuple[str, ...]) -> tuple[str, str, Any] | None:
        """Return the first value set under one of `names` as it stands, with name and source."""
        for source, values in self._layers:
            for name in names:
                value = values.get(name)
                if value is None or (isinstance(value, str) and not parsers.strip(value)):
                    continue
                return name, source, value
        return None

    def source_of(self, names: Iterable[str]) -> str | None:
        """Say where the value of `names` came from; None where none of them is set."""
        found = self.find(tuple(names))
        return found[1] if found else None

    def parsed(
        self, name: str, source: str, value: Any, parse: Callable[[str], _Value]
    ) -> _Value | None:
        """Return one value parsed, or None when it is refused."""
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise parsers.UnusableError("text", 'text in quotes, such as NAME = "value"')
            return parse(parsers.strip(str(value)))
        except parsers.UnusableError as error:
            self.refuse(name, source, error.expected, error.kind)
            return None

    def refuse(self, key: str, source: str, expected: str, kind: str) -> None:
        """Note that what `source` holds under `key` is not of its kind."""
        self.problems.append(
            ConfigurationError(
                key, source, f"expected {expected}", text_id=f"error.configuration_{kind}"
            )
        )

    def _secrets_file(self, root: Path) -> Mapping[str, Any]:
        try:
            return tomllib.loads((root / SECRETS_FILE).read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError):
            self.refuse(SECRETS_FILE, SECRETS_FILE, "a readable UTF-8 text file", "text_file")
        except tomllib.TOMLDecodeError as error:
            # tomllib's message may quote a character of the file, and that may belong to a key.
            line = getattr(error, "lineno", None) or _line_in(str(error))
            self.problems.append(
                ConfigurationError(
                    SECRETS_FILE,
                    SECRETS_FILE,
                    f'valid TOML, values in quotes: NAME = "value" (see line {line})',
                    text_id="error.configuration_toml",
                    facts={"line": line},
                )
            )
        return {}


def _line_in(message: str) -> str:
    return message.rpartition("at line ")[2].partition(",")[0] if "at line " in message else "?"
