"""Run a practice server by itself, for people and for any client: `--help` tells the options."""

import argparse
import os
import signal
import sys
import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from core.errors import AppError
from core.practice.server import PracticeServer
from core.practice.settings import PracticeSettings
from core.settings import parsers

_EXAMPLES = """\
练习服务 practice server: {origin}   (Ctrl-C stops it)

DeepSeek  base URL {origin}   (also /v1 and /beta)
  curl -N {chat_url} -H 'Authorization: Bearer {chat_key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"model":"deepseek-flash","stream":true,"messages":[{{"role":"user","content":"你好"}}]}}'

Kling     base URL {origin}
  curl {origin}/v1/images/generations -H 'Authorization: Bearer {kling_api_key}' \\
    -d '{{"model_name":"kling-v3","prompt":"雪夜山中的小城","n":1}}'
  curl {origin}/v1/images/generations/TASK_ID -H 'Authorization: Bearer {kling_api_key}'

Counters  {origin}/practice/counters
Charges   {origin}/practice/book
Faults    ask for "练习错误" or "practice errors"
"""


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted."""
    asked = _parser().parse_args(arguments)
    settings = PracticeSettings()
    given = {
        "chat_key": asked.chat_key,
        "kling_api_key": asked.kling_api_key,
        "kling_cash_key": asked.kling_cash_key,
        "access_key": asked.access_key,
        "secret_key": asked.secret_key,
        "delta_interval_s": asked.delta_interval_ms / 1000,
    }
    settings = replace(settings, **given)
    server = PracticeServer(
        port=asked.port, journal=asked.journal, settings=settings, clock=asked.clock
    )
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    try:
        server.start()
    except AppError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(
        _EXAMPLES.format(
            origin=server.origin,
            chat_url=server.chat_url,
            chat_key=settings.chat_key,
            kling_api_key=settings.kling_api_key,
        )
    )
    sys.stdout.flush()
    stopped.wait()
    server.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = PracticeSettings()
    parser = argparse.ArgumentParser(
        prog="python -m core.practice",
        description="DeepSeek's chat API and Kling's image API on loopback, for practice.",
    )
    parser.add_argument("--port", type=int, default=8700, help="0 takes any free port")
    parser.add_argument("--journal", type=Path, help="file that keeps picture tasks")
    parser.add_argument("--chat-key", default=defaults.chat_key)
    parser.add_argument("--kling-api-key", default=defaults.kling_api_key)
    parser.add_argument(
        "--kling-cash-key", default=defaults.kling_cash_key, help="one that pays from the balance"
    )
    parser.add_argument("--access-key", default=defaults.access_key)
    parser.add_argument("--secret-key", default=defaults.secret_key)
    parser.add_argument("--delta-interval-ms", type=float, default=defaults.delta_interval_s * 1000)
    parser.add_argument(
        "--clock",
        type=_moment,
        default=os.environ.get("INKLING_PRACTICE_CLOCK") or None,
        help="an ISO moment at which its clock starts, by Beijing's time unless it says another",
    )
    return parser


def _moment(text: str) -> datetime:
    try:
        return parsers.moment(parsers.strip(text))
    except parsers.UnusableError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO moment") from error


if __name__ == "__main__":
    sys.exit(main())
