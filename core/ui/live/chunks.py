"""Chunks for `st.write_stream`, in a shape at which Streamlit 1.67 does not load pandas.

It asks whether what it was given is a data frame, and answers at once for a tuple only; for a
generator it loads pandas and pyarrow first: 77 MB, and half a second before the first answer.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Self


class Chunks(tuple[Any, ...]):
    """A stream that is a tuple by its type: iterating yields the chunks as they come, once."""

    _chunks: Iterable[Any]

    def __new__(cls, chunks: Iterable[Any]) -> Self:
        """Return a stream of these chunks."""
        made = super().__new__(cls)
        made._chunks = chunks
        return made

    def __iter__(self) -> Iterator[Any]:
        """Yield the chunks as they come."""
        return iter(self._chunks)
