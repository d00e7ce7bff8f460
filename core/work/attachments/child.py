"""Program that reads one file and ends: what breaks a parser breaks nothing but this process.

The file comes by standard input; a line of JSON goes out, behind it the text or the picture. It
knows no key, reaches no network, starts nothing and writes nothing.
"""

import json
import os
import sys
from contextlib import suppress
from typing import Any

_MEMORY_BYTES = 1 << 30
_PROCESSOR_S = 40
_REFUSED = (
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "pty.spawn",
    "socket.",
    "subprocess.",
    "urllib.",
)
_WRITING = frozenset("wax+")


def main() -> None:
    """Read standard input, and answer."""
    _limit()
    # It is looked for by the library for workbooks, and takes more memory than all else here.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    from core.archive.documents.found import TEXT_MOST, Found  # noqa: PLC0415
    from core.archive.documents.reading import read_file  # noqa: PLC0415
    from core.errors import InputError  # noqa: PLC0415
    from core.wire.web.washing import plain_words  # noqa: PLC0415

    content = sys.stdin.buffer.read()
    sys.addaudithook(_refuse)
    head: dict[str, Any]
    found = Found()
    try:
        found = read_file(content)
        head = {"media_type": found.media_type, "left_out": found.left_out}
        head["is_picture"] = bool(found.picture)
    except InputError as error:
        head = {"error": error.text_id, "facts": error.facts}
    except MemoryError:
        head = {"error": "error.file_heavy"}
    except Exception:
        head = {"error": "error.file_broken"}
    body = found.picture or plain_words(found.text, TEXT_MOST).encode("utf-8", "replace")
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + body)
    sys.stdout.buffer.flush()


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has none: there time alone ends it
        import resource  # noqa: PLC0415

        limits = {
            resource.RLIMIT_AS: _MEMORY_BYTES,
            resource.RLIMIT_CPU: _PROCESSOR_S,
            resource.RLIMIT_FSIZE: 0,
            resource.RLIMIT_CORE: 0,
        }
        for kind, most in limits.items():
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, (most, most))


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_REFUSED):
        raise PermissionError(event)
    if event != "open":
        return
    _, mode, flags = arguments
    writes = isinstance(mode, str) and _WRITING & set(mode)
    if writes or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
        raise PermissionError(event)


if __name__ == "__main__":
    main()
