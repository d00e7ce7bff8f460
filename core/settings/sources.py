"""Where settings are looked up, and what of it cannot be used."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import ConfigurationError
from core.settings import parsers
from core.settings.files import UnreadableError, names_within, parse_dotenv, parse_toml, read_text
from core.settings.near import BEHIND_PROXY, near_misses
from core.settings.table import Setting, Value

ENVIRONMENT = "the environment"
SECRETS_FILE = ".streamlit/secrets.toml"
DOTENV_FILES = (".env.local", ".env")

_BEHIND_PROXY = re.compile(
    r"(?m)^[ \t]*(?:access[ \t]*\.[ \t]*)?behind_proxy[ \t]*=(?![ \t]*false\b)"
)


class Sources:
    """The environment, the secrets and the dotenv files of one folder, strongest first.

    What cannot be used is refused: it becomes one of `problems`, and counts as not set.
    """

    def __init__(
        self,
        root: Path,
        environment: Mapping[str, str],
        secrets: Mapping[str, Any] | None,
        *,
        files: Sequence[Path] | None = None,
        names: Iterable[str] = (),
    ) -> None:
        self.problems: list[ConfigurationError] = []
        names = tuple(names)
        # A file that is lost to a mistake may have said so: who may spend must not hang on a comma.
        self.may_be_behind_proxy = False
        tables = [(SECRETS_FILE, secrets)] if secrets is not None else self._tables(root, files)
        # Of several files the later ones win, as Streamlit has it.
        self.secrets = {key: value for _, table in tables for key, value in table.items()}
        for source, table in tables:
            self._report_misplaced(source, table, names)
            self._report_near_misses(source, table, names, has_sections=True)
        # Streamlit copies top-level secrets into os.environ; those are the file's still.
        own = {
            name: value
            for name, value in environment.items()
            if name not in self.secrets or str(self.secrets[name]) != value
        }
        self._layers: list[tuple[str, Mapping[str, Any]]] = [(ENVIRONMENT, own), *reversed(tables)]
        for name in DOTENV_FILES:
            values, line = parse_dotenv(self._text(root / name, name))
            if line is not None:
                self._refuse_line(name, line, "dotenv")
            self._report_near_misses(name, values, names, has_sections=False)
            self._layers.append((name, values))

    def read(
        self, setting: Setting[Value], parse: Callable[[str], Value] | None = None
    ) -> Value | None:
        """Return the first value set under one of its names; None when absent or unusable."""
        found = self.find(setting.names)
        return None if found is None else self.parsed(*found, parse or setting.parse)

    def find(self, names: tuple[str, ...]) -> tuple[str, str, Any] | None:
        """Return the first value set under one of `names` as it stands, with name and source."""
        for source, values in self._layers:
            for name in names:
                value = values.get(name)
                if value is None or (isinstance(value, str) and not parsers.strip(value)):
                    continue
                return name, source, value
        return None

    def source_of(self, setting: Setting[Any]) -> str | None:
        """Say where the value of a setting came from; None where it is not set."""
        found = self.find(setting.names)
        return found[1] if found else None

    def parsed(
        self, name: str, source: str, value: Any, parse: Callable[[str], Value]
    ) -> Value | None:
        """Return one value parsed, or None when it is refused."""
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise parsers.UnusableError("text")
            return parse(parsers.strip(str(value)))
        except parsers.UnusableError as error:
            self.refuse(name, source, error.kind)
            return None

    def refuse(self, key: str, source: str, kind: str) -> None:
        """Note that what `source` holds under `key` is not of its kind."""
        self.problems.append(ConfigurationError(key, source, f"error.configuration_{kind}"))

    def _tables(
        self, root: Path, files: Sequence[Path] | None
    ) -> list[tuple[str, Mapping[str, Any]]]:
        tables: list[tuple[str, Mapping[str, Any]]] = []
        for path in (root / SECRETS_FILE,) if files is None else files:
            source = _name_of(path, root)
            text = self._text(path, source)
            table, line = parse_toml(text)
            if line is not None:
                self.may_be_behind_proxy |= _BEHIND_PROXY.search(text) is not None
                self._refuse_line(source, line)
            tables.append((source, table))
        return tables

    def _text(self, path: Path, source: str) -> str:
        try:
            found = read_text(path)
        except UnreadableError as error:
            self.refuse(source, source, error.kind)
            return ""
        if found is None:
            return ""
        if found.is_guessed:
            self.refuse(source, source, "encoding")
        return found.text

    def _refuse_line(self, source: str, line: str, kind: str = "toml") -> None:
        self.problems.append(
            ConfigurationError(source, source, f"error.configuration_{kind}", facts={"line": line})
        )

    def _report_near_misses(
        self, source: str, table: Mapping[str, Any], names: Iterable[str], *, has_sections: bool
    ) -> None:
        if not names:
            return
        for name, meant, value in near_misses(table, names, has_sections=has_sections):
            if meant == BEHIND_PROXY and value is not False:
                self.may_be_behind_proxy = True
            self.problems.append(
                ConfigurationError(
                    name, source, "error.configuration_near", facts={"name": name, "meant": meant}
                )
            )

    def _report_misplaced(
        self, source: str, table: Mapping[str, Any], names: Iterable[str]
    ) -> None:
        for section, name, _ in names_within(table, names):
            self.problems.append(
                ConfigurationError(
                    f"[{section}] {name}",
                    source,
                    "error.configuration_misplaced",
                    facts={"name": name, "section": section},
                )
            )


def _name_of(path: Path, root: Path) -> str:
    """Return a file's name as people know it: below the app, below their home, or as it is."""
    for base, prefix in ((root, ""), (Path.home(), "~/")):
        if path.is_relative_to(base):
            return prefix + path.relative_to(base).as_posix()
    return str(path)
