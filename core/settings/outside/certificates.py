"""SSL_CERT_FILE and SSL_CERT_DIR: whose certificates are believed, tried before anyone is asked."""

import functools
import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import certifi

from core.errors import ConfigurationError
from core.settings.parsers import strip

CERTIFICATE_KEYS = ("SSL_CERT_FILE", "SSL_CERT_DIR")

Fault = Literal["missing", "folder", "no_folder", "unreadable", "empty"]

# How OpenSSL looks certificates up in a folder (`openssl rehash`).
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")
_SHOWN = 200


class _FaultError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Certificates:
    """A file of certificates, or folders of them, which were there and could be read."""

    file: str | None = None
    folders: str | None = None

    def context(self) -> ssl.SSLContext:
        """Return a context that believes these alone, the same one while the file is the same."""
        if self.file is None:
            return _context(None, self.folders)  # OpenSSL reads these one by one, when needed
        return _context_of_file(self.file, _state(self.file))


def default_context() -> ssl.SSLContext:
    """Return a context with httpx's own certificates, and nothing from the environment."""
    return Certificates(file=certifi.where()).context()


def read_certificates(
    found: tuple[str, str, Any] | None,
) -> Certificates | ConfigurationError | None:
    """Return what the variable names, or why that cannot be used; None where it is not set."""
    if found is None:
        return None
    key, source, value = found
    path = strip(str(value))
    try:
        return _folders(path) if key == "SSL_CERT_DIR" else _file(path)
    except _FaultError as error:
        shown = path.encode("utf-8", "replace").decode()[:_SHOWN]
        shown = "".join(sign if sign.isprintable() else "?" for sign in shown)
        return ConfigurationError(
            key,
            source,
            "error.configuration_certificates",
            facts={"value": shown, "fault": error.fault},
        )


def _file(path: str) -> Certificates:
    certificates = Certificates(file=path)
    try:
        if Path(path).is_dir():
            raise _FaultError("folder")
        certificates.context()
    except FileNotFoundError:
        raise _FaultError("missing") from None
    except ssl.SSLError:  # an OSError too
        raise _FaultError("empty") from None
    except (OSError, ValueError):
        raise _FaultError("unreadable") from None
    return certificates


def _folders(paths: str) -> Certificates:
    folders = [path for path in paths.split(os.pathsep) if path and Path(path).exists()]
    if not folders:
        raise _FaultError("missing")
    if not any(Path(path).is_dir() for path in folders):
        raise _FaultError("no_folder")
    try:
        names = [name for path in folders if Path(path).is_dir() for name in os.listdir(path)]
        certificates = Certificates(folders=paths)
        certificates.context()
    except (OSError, ValueError):
        raise _FaultError("unreadable") from None
    if not any(_HASHED.fullmatch(name) for name in names):
        raise _FaultError("empty")  # every server would be refused, without a word why
    return certificates


def _state(file: str) -> tuple[int, ...]:
    status = os.stat(file)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@functools.lru_cache(maxsize=4)
def _context_of_file(file: str, _state: tuple[int, ...]) -> ssl.SSLContext:
    """Return one context for all clients: reading a file of 140 roots takes 30 ms."""
    return _context(file, None)


def _context(file: str | None, folders: str | None) -> ssl.SSLContext:
    # Not ssl.create_default_context: it obeys SSLKEYLOGFILE, and fails where that is no file.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file, folders)
    return context
