"""Exports and imports beside the pages: signed links, pieces that are sent again, flat memory."""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from core.storage.store import Store
from core.storage.transfer.foreign.model import ImportProblem
from core.storage.transfer.imports import ImportResult
from core.work.transfer.tickets import LIFE_S, Tickets
from core.work.transfer.uploads import ABANDONED_S, DISK_RESERVE, Uploads
from tests.modules import ROOT
from tests.running_app import RunningApp, running_app, wait_until_there
from tests.unit.foreign.samples import SAMPLES
from tests.waiting import until
from tests.web.serving import Served, serving

MB = 1 << 20
EXPORT, IMPORT = "/transfer/export", "/transfer/import"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "data") as running:
        yield running


def conversation(number: int, messages: int, text: str) -> dict[str, Any]:
    at = datetime(2026, 11, 1, tzinfo=UTC).isoformat()
    ids = [f"c{number}m{index}" for index in range(messages)]
    return {
        "id": f"c{number}",
        "title": f"conversation {number}",
        "created_at": at,
        "updated_at": at,
        "head_id": ids[-1],
        "messages": [
            {
                "id": message_id,
                "parent_id": ids[index - 1] if index else None,
                "role": "assistant" if index % 2 else "user",
                "content": f"{message_id} {text}",
                "created_at": at,
            }
            for index, message_id in enumerate(ids)
        ],
    }


def export_of(conversations: list[dict[str, Any]]) -> bytes:
    head = {"format": "inkling-conversations", "version": 1, "exported_at": "x"}
    return json.dumps(head | {"conversations": conversations}, ensure_ascii=False).encode()


class Uploader:
    """What the pages' component does, in a few lines."""

    def __init__(self, http: httpx.Client, ticket: str, name: str = "f.json/1/2") -> None:
        self._http = http
        self._query = {"ticket": ticket, "file": name}

    def call(self, method: str, **options: Any) -> httpx.Response:
        query = {key: str(value) for key, value in options.pop("query", {}).items()}
        return self._http.request(method, IMPORT, params=self._query | query, **options)

    def put(self, data: bytes, place: int, total: int) -> httpx.Response:
        return self.call("PUT", query={"place": place, "total": total}, content=data)

    def send(self, data: bytes) -> None:
        for place in range(0, len(data), MB):
            reply = self.put(data[place : place + MB], place, len(data))
            assert reply.status_code == 200, reply.text

    def finish(self, total: int) -> dict[str, Any]:
        reply = self.call("POST", query={"total": total})
        assert reply.status_code == 202, reply.text
        while True:
            told: dict[str, Any] = self.call("GET").json()
            if told["phase"] != "importing":
                return told
            time.sleep(0.05)


def uploader(served: Served, owner: str = "local", name: str = "f.json/1/2") -> Uploader:
    ticket = served.studio.transfers.tickets.sign(owner, "import")
    return Uploader(served.http, ticket, name)


def test_what_was_exported_is_imported_by_another_person(served: Served) -> None:
    data = export_of([conversation(number, 4, "墨 😀") for number in range(3)])
    mine = uploader(served)
    mine.send(data)
    assert mine.finish(len(data))["phase"] == "done"
    state = served.studio.transfers.uploads.state("local", "f.json/1/2")
    told = ImportResult.from_facts(state.facts)
    assert told == ImportResult(added=3, skipped=0, messages_added=12)
    ticket = served.studio.transfers.tickets.sign("local", "export")
    reply = served.http.get(EXPORT, params={"ticket": ticket})
    assert reply.status_code == 200
    assert reply.headers["content-disposition"].startswith('attachment; filename="inkling-')
    assert reply.headers["cache-control"] == "no-store"
    assert served.http.head(EXPORT, params={"ticket": ticket}).status_code == 200
    theirs = uploader(served, "user:ann@example.com")
    theirs.send(reply.content)
    assert theirs.finish(len(reply.content))["phase"] == "done"
    store = served.studio.store
    for owner in ("local", "user:ann@example.com"):
        assert store.conversations.count(owner) == 3
        for shown in store.conversations.list(owner).items:
            assert len(store.messages.path(owner, shown.id)) == 4
    assert not list((served.studio.settings.data_dir / "uploads").glob("*.part"))


def test_another_chats_zip_comes_in_and_its_bad_entry_is_told(served: Served) -> None:
    sample = SAMPLES["chatgpt-zip"]
    data = sample.file([*sample.entries(), {"title": "Odd", "mapping": {}}])
    mine = uploader(served, name="export.zip/1/2")
    mine.send(data)
    assert mine.finish(len(data))["phase"] == "done"
    state = served.studio.transfers.uploads.state("local", "export.zip/1/2")
    told = ImportResult.from_facts(json.loads(json.dumps(state.facts)))
    assert (told.added, told.messages_added, told.failed) == (2, sample.messages, 1)
    assert told.problems == (ImportProblem(3, "Odd", "without messages"),)
    wrong = uploader(served, name="wrong.zip/1/2")
    wrong.send(data[:-9])
    assert "zip" in wrong.finish(len(data) - 9)["sentence"]


def test_everything_leaves_in_chatgpts_shape_too(served: Served) -> None:
    data = export_of([conversation(number, 4, "墨 😀") for number in range(3)])
    mine = uploader(served)
    mine.send(data)
    mine.finish(len(data))
    ticket = served.studio.transfers.tickets.sign("local", "export")
    reply = served.http.get(EXPORT, params={"ticket": ticket, "shape": "chatgpt"})
    assert reply.headers["content-disposition"].endswith('-chatgpt.json"')
    assert [len(one["mapping"]) for one in reply.json()] == [5, 5, 5]
    theirs = uploader(served, "user:ann@example.com")
    theirs.send(reply.content)
    assert theirs.finish(len(reply.content))["phase"] == "done"
    assert served.studio.store.conversations.count("user:ann@example.com") == 3


@pytest.mark.parametrize("change", ["none", "empty", "purpose", "owner", "mark", "late", "é"])
def test_a_link_that_is_not_signed_for_this_opens_nothing(
    served: Served, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = served.studio.transfers.tickets
    late = Tickets(served.studio.store.key_values, clock=lambda: time.time() - LIFE_S["import"] - 1)
    good = tickets.sign("local", "import")
    ticket = {
        "none": None,
        "empty": "",
        "purpose": tickets.sign("local", "export"),
        "owner": f"{tickets.sign('mallory', 'import').partition('.')[0]}.{good.partition('.')[2]}",
        "mark": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "late": late.sign("local", "import"),
        "é": "é.é",
    }[change]
    query = {"file": "f", "place": "0", "total": "1"} | (
        {} if ticket is None else {"ticket": ticket}
    )
    for method in ("GET", "PUT", "POST", "DELETE"):
        content = b"x" if method == "PUT" else None
        reply = served.http.request(method, IMPORT, params=query, content=content)
        assert reply.status_code == 403, method
    if change != "purpose":  # that one is for this
        assert served.http.get(EXPORT, params=query).status_code == 403
    assert not (served.studio.settings.data_dir / "uploads").exists()


def test_a_piece_is_taken_once_and_in_its_place(served: Served) -> None:
    mine = uploader(served)
    assert mine.put(b"0123", 0, 8).json() == {"received": 4}
    for place in (0, 3, 5, 8):
        reply = mine.put(b"4567", place, 8)
        assert (reply.status_code, reply.json()) == (409, {"received": 4})
    assert mine.put(b"45678", 4, 8).status_code == 409
    assert mine.call("POST", query={"total": 8}).status_code == 400
    assert mine.call("GET").json() == {"phase": "receiving", "received": 4}
    assert uploader(served, "other").call("GET").json()["received"] == 0
    assert mine.put(b"4567", 4, 8).json() == {"received": 8}
    assert mine.finish(8)["phase"] == "failed"
    assert served.studio.store.conversations.count("local") == 0
    assert mine.call("GET").json()["received"] == 0  # removed, but why it failed is known
    assert mine.call("DELETE").status_code == 204
    assert mine.call("GET").json() == {"phase": "receiving", "received": 0}


def test_what_is_too_large_is_refused_before_it_is_read(served: Served) -> None:
    mine = uploader(served)
    query = urlencode(mine._query | {"place": "0", "total": "9999999"})
    line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    line.putrequest("PUT", f"{IMPORT}?{query}")
    line.putheader("Content-Length", str(MB + 1))
    line.endheaders()  # and nothing of the body
    assert line.getresponse().status == 413
    line.close()
    for total in ("-1", "x", "", "9" * 20):
        assert mine.call("GET", query={"total": total}).status_code == 400
    reply = mine.call("GET", query={"total": 1 << 40})
    assert reply.status_code == 507
    assert mine.put(b"x", 0, 1 << 40).status_code == 507
    assert mine.call("GET").json()["received"] == 0


def made_older(path: Path, by_s: float) -> None:
    """Let a file look as if it had been changed so much earlier, by its file system's clock."""
    changed = path.stat().st_mtime - by_s
    os.utime(path, (changed, changed))


def test_an_import_that_is_alive_is_not_begun_again_when_clocks_jump(served: Served) -> None:
    data = export_of([conversation(1, 2, "x")])
    mine = uploader(served)
    mine.send(data)
    uploads = served.studio.transfers.uploads
    note = uploads.path("local", "f.json/1/2").with_suffix(".json")
    told = {"phase": "importing", "received": len(data), "share": 0.4}
    uploads.note("local", "f.json/1/2", "importing", {"share": 0.4})
    for jump_s in (-3 * 3600, 40 * 86_400):
        assert mine.call("GET").json() == told
        made_older(note, jump_s)
    assert mine.call("GET").json() == told
    uploads.sweep()
    assert mine.call("GET").json() == told


def test_an_upload_leaves_room_on_the_disk_and_is_swept(tmp_path: Path) -> None:
    free = DISK_RESERVE + 10
    uploads = Uploads(tmp_path / "uploads", free_bytes=lambda _: free)
    uploads.check_room("ada", "f", 10)
    with pytest.raises(Exception, match="full"):
        uploads.check_room("ada", "f", 11)
    uploads.receive("ada", "f", 0, 10, b"12345")
    uploads.check_room("ada", "f", 15)
    uploads.sweep()
    path = uploads.path("ada", "f")
    assert path.exists()
    made_older(path, ABANDONED_S + 1)
    uploads.sweep()
    assert path.exists(), "what changes while one looks on is in use, whatever clocks say"
    Uploads(tmp_path / "uploads").sweep()
    assert not path.exists()


def test_an_import_whose_process_died_is_begun_again(served: Served) -> None:
    data = export_of([conversation(1, 2, "x")])
    mine = uploader(served)
    mine.send(data)
    uploads = served.studio.transfers.uploads
    uploads.note("local", "f.json/1/2", "importing", {"share": 0.4})
    note = uploads.path("local", "f.json/1/2").with_suffix(".json")
    made_older(note, 60)
    assert mine.call("GET").json()["phase"] == "receiving"
    assert mine.finish(len(data))["phase"] == "done"


def test_an_export_that_fails_half_way_does_not_look_complete(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_owner: str, _shape: str) -> Iterator[bytes]:
        yield b"{" * (1 << 18)
        raise RuntimeError("no disk")

    monkeypatch.setattr(served.studio.store.exports, "pieces", broken)
    ticket = served.studio.transfers.tickets.sign("local", "export")
    with served.http.stream("GET", EXPORT, params={"ticket": ticket}) as reply:
        assert reply.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            reply.read()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_an_import_that_the_end_of_the_process_cut_off_goes_on(
    tmp_path: Path, large: Path, end: signal.Signals
) -> None:
    data = large.read_bytes()
    with running_app(tmp_path / "data") as app:
        wait_until_there(f"{app.url}/readyz", app)
        store = Store.open(tmp_path / "data" / "inkling.sqlite3")
        tickets = Tickets(store.key_values)
        with httpx.Client(base_url=app.url, timeout=60, trust_env=False) as http:
            mine = Uploader(http, tickets.sign("local", "import"))
            mine.send(data)
            assert mine.call("POST", query={"total": len(data)}).status_code == 202
        until(lambda: _written(store) > MESSAGES, "something of it is written down")
        with closing(sqlite3.connect(store.place, isolation_level=None, timeout=30)) as blocker:
            blocker.execute("BEGIN IMMEDIATE")  # no more of it, before the signal is there
            app.process.send_signal(end)
            blocker.execute("ROLLBACK")
        app.process.wait(60)
        assert 0 < _written(store) < CONVERSATIONS * MESSAGES
        assert store.conversations.count("local") == 0
    with running_app(tmp_path / "data") as app:
        wait_until_there(f"{app.url}/readyz", app)
        with httpx.Client(base_url=app.url, timeout=60, trust_env=False) as http:
            mine = Uploader(http, tickets.sign("local", "import"))
            until(lambda: mine.call("GET").json()["phase"] == "receiving", "it can be begun again")
            assert mine.finish(len(data))["phase"] == "done"
        assert store.conversations.count("local") == CONVERSATIONS
        assert _written(store) == CONVERSATIONS * MESSAGES
    store.close()


def _written(store: Store) -> int:
    """Count the messages, also of conversations that are not shown yet."""
    with closing(sqlite3.connect(store.place)) as connection:
        return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])


# -- memory, of real processes ---------------------------------------------------------------------

CONVERSATIONS, MESSAGES, TEXT = 100, 20, "水墨 ink " * 1_900  # about 40 MB
ROOM_MB = 50
STEADY_S = 2.0


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "export.json"
    data = export_of([conversation(number, MESSAGES, TEXT) for number in range(CONVERSATIONS)])
    assert len(data) > 35 * MB
    path.write_bytes(data)
    return path


def peak_mb(app: RunningApp) -> float:
    status = Path(f"/proc/{app.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def forget_peak(app: RunningApp) -> float:
    """Let the peak begin anew; return where it stands, which is what is used now."""
    Path(f"/proc/{app.process.pid}/clear_refs").write_text("5")
    return peak_mb(app)


def settled_mb(app: RunningApp) -> float:
    """Wait until what is done behind readiness is over; return what is used then."""
    since, used = time.monotonic(), forget_peak(app)
    while time.monotonic() - since < STEADY_S:
        time.sleep(0.1)
        if abs(peak_mb(app) - used) > 1:
            since, used = time.monotonic(), forget_peak(app)
    return used


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_server_stays_flat_whatever_the_size(tmp_path: Path, large: Path) -> None:
    with running_app(tmp_path / "data") as app:
        wait_until_there(f"{app.url}/readyz", app)
        store = Store.open(tmp_path / "data" / "inkling.sqlite3")
        tickets = Tickets(store.key_values)
        idle = settled_mb(app)
        data = large.read_bytes()
        with httpx.Client(base_url=app.url, timeout=60, trust_env=False) as http:
            for added in (CONVERSATIONS, 0):
                mine = Uploader(http, tickets.sign("local", "import"), f"f{added}")
                mine.send(data)
                assert mine.finish(len(data))["phase"] == "done"
                assert store.conversations.count("local") == CONVERSATIONS
                assert peak_mb(app) - idle < ROOM_MB
            size = 0
            query = {"ticket": tickets.sign("local", "export")}
            with http.stream("GET", EXPORT, params=query) as reply:
                for chunk in reply.iter_bytes():
                    size += len(chunk)
            assert size > len(data)
        assert peak_mb(app) - idle < ROOM_MB
        first = store.conversations.list("local").items[0]
        assert len(store.messages.path("local", first.id)) == MESSAGES
        store.close()


MEASURED = """
import resource, sys
from core.admin.command import main
idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
code = main(sys.argv[1:])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle) // 1024)
sys.exit(code)
"""


def admin(data_dir: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"INKLING_DATA_DIR": str(data_dir), "PATH": "/usr/bin", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", MEASURED, "--language", "en", *arguments],
        env=environment,
        cwd=data_dir.parent,
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes on Linux only")
def test_the_command_line_takes_any_size(tmp_path: Path, large: Path) -> None:
    data_dir, copy_of = tmp_path / "data", tmp_path / "copy.json"
    for added in (CONVERSATIONS, 0):
        ran = admin(data_dir, "import", str(large))
        assert ran.returncode == 0, ran.stderr
        told, used_mb = ran.stdout.splitlines()
        assert f"New conversations: {added};" in told
        assert int(used_mb) < ROOM_MB
    ran = admin(data_dir, "export", str(copy_of))
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout.splitlines()[-1]) < ROOM_MB
    ran = admin(tmp_path / "other", "import", str(copy_of), "--user", "Ann@example.com")
    assert f"messages added: {CONVERSATIONS * MESSAGES}." in ran.stdout
    assert not list(tmp_path.glob("*.part"))
    for wrong in (["import", str(tmp_path / "none")], ["export", str(tmp_path / "no" / "x")]):
        ran = admin(data_dir, *wrong)
        assert ran.returncode == 1
        assert "Traceback" not in ran.stderr
        assert ran.stderr.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes on Linux only")
def test_the_command_line_takes_other_chats_exports_and_names_what_it_cannot(
    tmp_path: Path,
) -> None:
    sample = SAMPLES["cherry-studio-zip"]
    path = tmp_path / "backup.zip"
    path.write_bytes(sample.file([*sample.entries(), {"id": "t9", "name": "Odd", "messages": []}]))
    ran = admin(tmp_path / "data", "import", str(path))
    assert ran.returncode == 1  # something of it could not be
    assert "New conversations: 2;" in ran.stdout
    out = tmp_path / "conversations.json"
    ran_out = admin(tmp_path / "data", "export", str(out), "--shape", "chatgpt")
    assert ran_out.returncode == 0, ran_out.stderr
    assert sorted(one["title"] for one in json.loads(out.read_bytes())) == ["", "Sea trip"]
    failed = "Conversations that could not be imported: 1\n- Number 3 (Odd): without messages\n"
    assert failed in ran.stdout
    path.write_text("[]")
    ran = admin(tmp_path / "data", "import", str(path))
    assert ran.returncode == 1
    assert "Open WebUI" in ran.stderr
