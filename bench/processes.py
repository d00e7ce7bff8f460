"""Two studios on one PostgreSQL behind Caddy: how late is text seen through the other one?

    python -m bench.processes [--answers 20] [--pooler]

Each answer is asked of one process and read there, and resumed at once through the other. Late is
what the second reader has of a character after the first one. Then answers that stand still are
stopped through a third process, and the time until their reader hears the end is taken. With
`--pooler` all go through PgBouncer in transaction mode, which delivers no notifications.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.moves import postgres
from core.access.owners import LOCAL_OWNER
from core.settings import ChatSettings, Secret, Settings
from core.work.studio import Studio
from tests.proxy_programs import Proxy, _folder, _running, caddy
from tests.running_app import free_port, running_app, wait_until_there
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, ending, event
from tests.waiting import until
from tests.web.events import opened
from tests.web.serving import CHAT_KEY

TOKEN = "token-of-the-bench-0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PIECES, PAUSE_S = 60, 0.05
PGBOUNCER = """[databases]
postgres = host={host} user=postgres dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = any
pool_mode = transaction
max_client_conn = 500
default_pool_size = 10
ignore_startup_parameters = options,extra_float_digits
unix_socket_dir =
"""


def plan(body: dict[str, Any]) -> Plan:
    """Write pieces at an even pace, or stand still behind the first."""
    stands = "stand still" in str(body["messages"])
    yield Step(0, STREAM_HEAD)
    yield Step(0, event(content="first "))
    for number in range(20_000 if stands else PIECES):
        yield Step(PAUSE_S, b": wait\n\n" if stands else event(content=f"piece {number} 片 "))
    yield Step(0, ending() + DONE)


@contextmanager
def two(database: str, folder: Path) -> Iterator[tuple[Proxy, list[str], Studio]]:
    """Run two processes behind Caddy, which sends each reader to the next one, and open a third."""
    with ExitStack() as stack:
        upstream = stack.enter_context(Upstream(plan))
        secrets = folder / "secrets.toml"
        secrets.write_text(f'INKLING_TOKENS = "bench:{TOKEN}"\n[access]\nbehind_proxy = true\n')
        environment = {
            "DATABASE_URL": database,
            "DEEPSEEK_API_KEY": CHAT_KEY,
            "DEEPSEEK_API_URL": upstream.url,
        }
        apps = [
            stack.enter_context(running_app(folder / "data", environment, secrets=secrets))
            for _ in range(2)
        ]
        for app in apps:
            wait_until_there(f"{app.url}/readyz", app)
        port = free_port()
        both = " ".join(app.url.removeprefix("http://") for app in apps)
        text = (
            f"http://127.0.0.1:{port} {{\n reverse_proxy {both} {{\n lb_policy round_robin\n}}\n}}"
        )
        proxy = stack.enter_context(caddy(text, port))
        settings = Settings(
            folder / "third",
            chat=ChatSettings(url=upstream.url, api_key=Secret(CHAT_KEY)),
            database_url=Secret(database),
        )
        studio = Studio.open(settings)
        stack.callback(studio.close)
        yield proxy, [str(app.log) for app in apps], studio


def late(url: str) -> list[float]:
    """Return how late each character came through the other process, in ms."""
    first: dict[int, float] = {}
    second: dict[int, float] = {}
    begun = threading.Event()
    answer = ""

    def read_first(client: httpx.Client) -> None:
        nonlocal answer
        with opened(client, "/stream", params={"question": "q"}, headers=BEARER) as (_, reading):
            for heard in reading:
                first.setdefault(len(heard.text), time.perf_counter())
                answer = heard.answer_id
                begun.set()

    with (
        httpx.Client(base_url=url, timeout=60) as one,
        httpx.Client(base_url=url, timeout=60) as two_,
    ):
        thread = threading.Thread(target=read_first, args=(one,))
        thread.start()
        assert begun.wait(30)
        back = BEARER | {"Last-Event-ID": f"{answer}.0"}
        with opened(two_, "/stream", params={"question": "q"}, headers=back) as (_, reading):
            for heard in reading:
                second.setdefault(len(heard.text), time.perf_counter())
        thread.join()
    found = []
    for length, at in first.items():
        seen = [when for other, when in second.items() if other >= length]
        if length > 60:  # what was there before the second reader came is no delay
            found.append((min(seen) - at) * 1000)
    return found


def stopped(url: str, studio: Studio) -> float:
    """Return the ms from a stop through a third process to the end at the reader's."""
    with httpx.Client(base_url=url, timeout=60) as client:
        asked = {"question": "stand still"}
        with opened(client, "/stream", params=asked, headers=BEARER) as (_, reading):
            for heard in reading:
                if heard.text:
                    break
            until(lambda: studio.store.messages.get(LOCAL_OWNER, heard.answer_id), "a row")
            begun = time.perf_counter()
            studio.answers.stop(LOCAL_OWNER, heard.answer_id)
            for _ in reading:
                pass
            return (time.perf_counter() - begun) * 1000


@contextmanager
def pooled(uri: str) -> Iterator[str]:
    """Run PgBouncer in transaction mode before a server that listens on a socket file."""
    host = httpx.URL(uri).params["host"]
    owner = Path(host).owner()  # whom its folder lets in
    port = free_port()
    with _folder(owner) as folder:
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(PGBOUNCER.format(host=host, port=port))
        command = ["/usr/sbin/pgbouncer", str(configuration)]
        with _running(command, Proxy(port, folder), owner):
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"


def main() -> None:
    """Measure, and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=20)
    parser.add_argument("--pooler", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inkling-two-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        uri = stack.enter_context(postgres(name))
        database = stack.enter_context(pooled(uri)) if asked.pooler else uri
        proxy, _, studio = stack.enter_context(two(database, folder))
        wanted = "undelivered" if asked.pooler else "live"
        until(lambda: studio.answers.relay.state == wanted, f"notifications are {wanted}")
        print(f"notifications: {studio.answers.relay.state}")
        # One after the other: only so round robin sends the second reader to the other process.
        found = [ms for _ in range(asked.answers) for ms in late(proxy.url)]
        cuts = statistics.quantiles(found, n=100)
        print(f"text seen through the other: median {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, "
              f"most {max(found):.0f} ms ({len(found)} places)")  # fmt: skip
        ends = [stopped(proxy.url, studio) for _ in range(10)]
        print(f"stop: median {statistics.median(ends):.0f} ms, most {max(ends):.0f} ms")


if __name__ == "__main__":
    main()
