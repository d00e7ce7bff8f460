"""`Host` and other addresses taken apart: which are names of this machine."""

from urllib.parse import urlsplit

from core.access.network.addresses import is_loopback, is_private


def can_be_this_machine(host: str) -> bool:
    """Tell whether a `Host` may be a name of this machine, and not one that a proxy answers to."""
    name = without_port(host.strip().lower()).rstrip(".")
    if is_private(name.removeprefix("[").removesuffix("]")):
        return True
    labels = name.split(".")
    if not all(label.replace("-", "").replace("_", "").isalnum() for label in labels):
        return False
    return len(labels) == 1 or name.endswith((".local", ".lan", ".home.arpa", ".localhost"))


def split_address(url: str) -> tuple[str, str, str] | None:
    """Return an address's scheme, host name and host with port; None where it has none."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return None
    if not parts.scheme or not host or "@" in parts.netloc:
        return None
    return parts.scheme, host, parts.netloc


def is_loopback_host(host: str) -> bool:
    """Tell whether a `Host` is this machine by its own name for itself."""
    name = without_port(host.strip().lower())
    if name.startswith("[") and name.endswith("]"):
        return is_loopback(name[1:-1])
    return name == "localhost" or (":" not in name and is_loopback(name))


def without_port(host: str) -> str:
    """Return a `Host` without its port."""
    if host.startswith("["):
        name, _, port = host.rpartition("]")
        return f"{name}]" if not port or (port[0] == ":" and port[1:].isdigit()) else host
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host
