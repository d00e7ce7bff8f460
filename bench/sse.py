"""Time core.wire.sse against the plainest reader: bytes.split at blank lines, then json.loads.

Run `python bench/sse.py` or `python -m bench.sse`. Both sides read the same DeepSeek-shaped stream
in the same chunks and parse its JSON; the plain reader keeps what follows the last blank line and
puts it before the next chunk. Rounds of both alternate, and the ratio is the median of those of
neighbouring rounds, which had the same weather. `uncut` is the plain reader on the whole stream at
once: what it costs before any cutting.
"""

import gc
import json
import statistics
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for the first way to run it

from core.wire.sse import SSEDecoder

EVENTS = 20_000
ROUNDS = 15
WORDS = ("春天", "的", "夜", "，墨", "色", "渐浓", "。", "江边", " Python", "\n\n", "灯火", "“是”")


def deepseek_events() -> list[bytes]:
    """Return the streamed chunks of one answer, reasoning first, as DeepSeek frames them."""
    events = []
    for number in range(EVENTS):
        text = WORDS[number % len(WORDS)]
        thinks = number < EVENTS // 4
        chunk = {
            "id": "930c60df-bf64-41c9-a88e-3ec75f81e00e",
            "object": "chat.completion.chunk",
            "created": 1763779200,
            "model": "deepseek-flash",
            "system_fingerprint": "fp_a49d71b8a1",
            "choices": [
                {
                    "index": 0,
                    "delta": {
                        "content": None if thinks else text,
                        "reasoning_content": text if thinks else None,
                    },
                    "logprobs": None,
                    "finish_reason": None,
                }
            ],
            "usage": None,
        }
        body = json.dumps(chunk, ensure_ascii=False, separators=(",", ":"))
        events.append(b"data: " + body.encode() + b"\n\n")
    return events


def cut(stream: bytes, size: int) -> list[bytes]:
    """Return the stream in chunks of `size` bytes."""
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def read_plainly(chunks: list[bytes]) -> int:
    """Return how many JSON bodies bytes.split finds; the baseline."""
    found = 0
    remainder = b""
    for chunk in chunks:
        *blocks, remainder = (remainder + chunk).split(b"\n\n")
        for block in blocks:
            json.loads(block[6:])
            found += 1
    return found


def read_plainly_whole(chunks: list[bytes]) -> int:
    """Return the same for chunks that are whole events: nothing remains between them."""
    found = 0
    for chunk in chunks:
        for block in chunk.split(b"\n\n"):
            if block:
                json.loads(block[6:])
                found += 1
    return found


def read_decoded(chunks: list[bytes]) -> int:
    """Return how many JSON bodies the decoder finds."""
    found = 0
    decoder = SSEDecoder()
    for chunk in chunks:
        for event in decoder.feed(chunk):
            json.loads(event.data)
            found += 1
    return found


def seconds(read: Callable[[list[bytes]], int], chunks: list[bytes]) -> float:
    """Return how long one reading took."""
    gc.collect()
    started = perf_counter()
    found = read(chunks)
    took = perf_counter() - started
    if found != EVENTS:
        raise SystemExit(f"{read.__name__} found {found} of {EVENTS} events")
    return took


def row(
    name: str,
    plain: Callable[[list[bytes]], int],
    plain_chunks: list[bytes],
    chunks: list[bytes],
    limit: float | None,
) -> str:
    """Measure one way to cut the stream and return its line of the table."""
    times: list[float] = []
    for _ in range(ROUNDS):
        times += (seconds(plain, plain_chunks), seconds(read_decoded, chunks))
    plain_times, decoded_times = times[::2], times[1::2]
    # Each round is paired with the one before as well as the one after it: a drift cancels out.
    ratios = [b / a if at % 2 == 0 else a / b for at, (a, b) in enumerate(pairwise(times))]
    ratio = statistics.median(ratios)
    best = min(decoded_times) / min(plain_times)
    verdict = "" if limit is None else f"{limit:>7.2f}  {'ok' if ratio <= limit else 'MISSED'}"
    per_event = 1e6 / EVENTS
    return (
        f"{name:<28}{statistics.median(plain_times) * per_event:>10.2f}"
        f"{statistics.median(decoded_times) * per_event:>10.2f}{ratio:>8.2f}{best:>10.2f}{verdict}"
    )


def main() -> None:
    events = deepseek_events()
    stream = b"".join(events)
    small = cut(stream, 7)
    print(f"{EVENTS} events, {len(stream) / EVENTS:.0f} bytes each, {ROUNDS} rounds; µs per event")
    print(f"{'chunks':<28}{'plain':>10}{'decoder':>10}{'ratio':>8}{'min/min':>10}{'limit':>7}")
    print(row("one event each", read_plainly_whole, events, events, 1.15))
    large = cut(stream, 16 * 1024)
    print(row("16 KiB", read_plainly, large, large, 1.15))
    print(row("7 bytes", read_plainly, small, small, 2.5))
    print(row("7 bytes, plain uncut", read_plainly, [stream], small, None))


if __name__ == "__main__":
    main()
