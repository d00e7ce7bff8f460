"""Every key, token and password among the settings is masked: found by its type, not listed."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeGuard, get_args, get_origin, get_type_hints

from core.settings import Secret, Settings
from core.settings.values import secrets_of

# `[auth]` as it stands, which Streamlit alone reads and no provider is ever told of.
NOT_SENT = {"Settings.sign_in"}


def is_settings_type(hint: Any) -> TypeGuard[type[Any]]:
    return isinstance(hint, type) and is_dataclass(hint)


def filled(kind: type[Any], found: dict[str, str]) -> Any:
    """Return settings of a type with a secret in each place for one; `found` says which where."""
    given: dict[str, Any] = {}
    hints = get_type_hints(kind)
    for field in fields(kind):
        hint, name = hints[field.name], f"{kind.__name__}.{field.name}"
        choices = get_args(hint) or (hint,)
        secret = f"a-secret-of-{name}-0123456789"
        if get_origin(hint) is Mapping:
            if choices[1] is Secret:
                given[field.name] = {"one": Secret(secret)}
                found[name] = secret
        elif Secret in choices:
            given[field.name] = Secret(secret)
            found[name] = secret
        elif hint is Path:
            given[field.name] = Path("data")
        elif (
            (inner := next((one for one in choices if is_settings_type(one)), None))
            and inner.__module__.startswith("core.settings")
            and inner.__name__.endswith("Settings")
        ):
            given[field.name] = filled(inner, found)
    return kind(**given)


def test_every_secret_of_the_settings_is_known_to_what_masks() -> None:
    found: dict[str, str] = {}
    settings = filled(Settings, found)
    known = set(secrets_of(settings))
    assert len(found) > 8
    assert sorted(name for name, secret in found.items() if secret not in known) == sorted(NOT_SENT)
