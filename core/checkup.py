"""Check-up command line: `python -m core.checkup`, what is wrong and what to do, free of charge.

It reads the same settings as the app, and may run beside it. `--through URL` also asks the studio
that runs there, through whatever stands before it. It ends with 1 where something is broken.
"""

import argparse
import asyncio
import locale
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec

from core.settings import Settings
from core.settings.values import secrets_of
from core.texts.catalogue import LANGUAGES, Language, language_of
from core.ui.start.configuration import app_settings
from core.wire.json_text import write_json
from core.wire.masking.secrets import known_secrets
from core.work.checkup.asked import Asked
from core.work.checkup.finding import Finding
from core.work.checkup.front import look_at_front
from core.work.checkup.report import as_objects, as_text
from core.work.checkup.run import run_checkup

_FRONT_TIMEOUT_S = 20.0


def main(arguments: list[str] | None = None) -> int:
    """Run the check-up and print what it found; 1 where something is broken."""
    asked = _parser().parse_args(arguments)
    settings = app_settings()
    known_secrets.replace([*secrets_of(settings), *filter(None, [asked.token])])
    findings = asyncio.run(_all(settings, asked.through, asked.token))
    language: Language = asked.language
    if asked.json:
        told = write_json(msgspec.to_builtins(as_objects(findings, language)))
        sys.stdout.write(msgspec.json.format(told, indent=1).decode() + "\n")
    else:
        sys.stdout.write(as_text(findings, language, datetime.now(UTC)))
    return int(any(one.level == "fault" for one in findings))


async def _all(settings: Settings, through: str | None, token: str) -> list[Finding]:
    asked = Asked(settings, environment=os.environ)
    rooms: list[AsyncIterator[Finding]] = [run_checkup(asked)]
    if through:
        rooms.append(look_at_front(through, token=token, timeout_s=_FRONT_TIMEOUT_S))
    return [one for room in rooms async for one in room]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.checkup", description=__doc__)
    own = language_of((locale.getlocale()[0] or "").replace("_", "-"))
    parser.add_argument("--language", choices=LANGUAGES, default=own)
    parser.add_argument("--json", action="store_true", help="findings as JSON")
    parser.add_argument("--through", metavar="URL", help="where browsers reach the studio")
    parser.add_argument("--token", default="", help="an access token, for --through")
    return parser


if __name__ == "__main__":
    sys.exit(main())
