"""Does early what the first page view would otherwise wait for."""

from importlib import import_module


def warm_up() -> None:
    """Import what st.write_stream imports at its first call: pandas and pyarrow, half a second."""
    for name in ("pandas", "pyarrow"):
        import_module(name)
