"""What a page of AppTest shows, by kind and by key: AppTest tells only that it is something."""

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.waiting import until

_WITH_WORDS = (
    "markdown",
    "caption",
    "info",
    "warning",
    "error",
    "title",
    "subheader",
    "text",
    "code",
)


def shown(app: AppTest, *kinds: str) -> list[Any]:
    """Return the page's elements of these kinds, kind after kind."""
    return [element for kind in kinds for element in app.get(kind)]


def keyed(app: AppTest, key: str) -> Any:
    """Return the page's element of that key."""
    return app.get_by_key(key)


def run_until(app: AppTest, fact: Callable[[], Any], what: str) -> None:
    """Run the app again until `fact` is true: AppTest has no clock for what looks by itself."""

    def is_so() -> bool:
        app.run()
        return bool(fact())

    until(is_so, what)


def words(app: AppTest) -> str:
    """Return all text the page shows."""
    said = [str(element.value) for element in shown(app, *_WITH_WORDS)]
    return "\n".join([*said, *(one.label for one in app.expander)])
