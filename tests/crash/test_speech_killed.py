"""Speech has no id of ours: killed at any step, under any fault, it is not sent twice by itself."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from core.access.owners import LOCAL_OWNER
from core.archive.archive import Archive, sound_name
from core.errors import AppError
from core.models.generations import GenerationStatus
from core.models.money.ledger import LineState, Spender
from core.models.speech import SpeechRequest
from core.storage.money.filters import LedgerFilter
from core.storage.store import Store
from core.work.generations.sending.submission import FATE_UNKNOWN
from core.work.speech.kling import KlingVoiceover
from tests.crash.fake_kling import Plan
from tests.crash.fake_speech import FakeSpeech, sound_of
from tests.crash.workshop import OWNER, QUICK, Workshop
from tests.modules import start_module

S = GenerationStatus
TEXT = "说一句话。"
# Not the workshop's two seconds: where a process stalls longer than its lease, the text may be
# given up between the row and the POST, which is right, and not what is tried here.
PATIENT_S = 30.0
SPEECH = SpeechRequest(TEXT, voice_id="ai_kaiya")
# A fault at Kling and a death on our side; whether the text may still come to be heard.
RUNS = [
    ("", "mark_sending/after"),
    ("", "at post-received"),
    ("", "at post-accepted"),
    ("", "at post-answered"),
    ("", "move-submitted/before"),
    ("", "move-submitted/after"),
    ("pictures:cut", "at picture-asked"),
    ("", "adopt_sound/before"),
    ("", "move-archived/before"),
    ("", "move-archived/after"),
    ("drop/after", "move-uncertain/after"),
    ("1303", "mark_sending/after"),
]
# Deaths at which the answer had been written down: the text is said, and must be heard.
AFTER_ITS_ANSWER = {
    "move-submitted/before",
    "move-submitted/after",
    "at picture-asked",
    "adopt_sound/before",
    "move-archived/before",
    "move-archived/after",
}


def plan_of(fault: str) -> Plan:
    if fault.startswith("pictures:"):
        return Plan(pictures=fault.partition(":")[2])
    return Plan(post=fault)


def run(fault: str, death: str, folder: Path) -> list[str]:
    """Kill the app at a step, begin it again, and say what is wrong with what came of it."""
    folder.mkdir()
    told = {"data_dir": str(folder), "speech": [TEXT], "longest_s": 180, "lease_s": PATIENT_S}
    process = None
    has_died = threading.Event()

    def hook(moment: str) -> None:
        if death == f"at {moment}" and process is not None and not has_died.is_set():
            has_died.set()
            process.kill()

    with FakeSpeech(plan_of(fault), hook) as fake:
        told["origin"] = fake.origin
        died = told | ({} if death.startswith("at ") else {"die_at": death})
        process = start_module("tests.crash.runner", json.dumps(died))
        process.wait(200)
        last = start_module("tests.crash.runner", json.dumps(told))
        if last.wait(200) != 0:
            return ["the second run did not come to an end"]
        posts, accepted = fake.seen.posts[TEXT], fake.seen.accepted[TEXT]
    return _problems(folder, fault, death, posts, accepted)


def _problems(folder: Path, fault: str, death: str, posts: int, accepted: int) -> list[str]:
    store = Store.open(folder / "inkling.sqlite3")
    try:
        found = [f"said {accepted} times"] if accepted > 1 else []
        if posts > 1 and fault != "1303":  # which is a certain no
            found.append(f"posted {posts} times")
        row = store.generations.find_by_key(LOCAL_OWNER, "-0")
        (line,) = store.ledger.every(LedgerFilter(kinds=["speech"]))
        assert row is not None
        found += [f"{key} is kept" for key in store.key_values.starting_with("answer.")]
        if death in AFTER_ITS_ANSWER and row.status is not S.ARCHIVED:
            found.append(f"its answer was here, and it ended as {row.status}")
        if row.status is S.ARCHIVED:
            content = Archive.open(folder / "pictures").original_bytes(sound_name(row))
            found += [] if content == sound_of(0) else ["not the bytes that were made"]
            found += [] if line.state is LineState.COMPUTED else [f"line {line.state}"]
        elif (row.status, row.error_text_id) != (S.FAILED, FATE_UNKNOWN):
            found.append(f"ended as {row.status} {row.error_text_id}")
        elif line.state is not LineState.ESTIMATED or line.amount is None:
            found.append("what may have been charged is not in the ledger")
        return found
    finally:
        store.close()


def test_at_whatever_step_it_dies_no_text_is_said_twice(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(run, fault, death, tmp_path / str(number))
            for number, (fault, death) in enumerate(RUNS)
        ]
        problems = {pair: each.result() for pair, each in zip(RUNS, runs, strict=True)}
    assert {pair: told for pair, told in problems.items() if told} == {}


# -- one process, every fault ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        "drop/before",
        "drop/after",
        "500/before",
        "500/after",
        "html/after",
        "cut/after",
        "shape/after",
    ],
)
def test_an_answer_that_does_not_tell_ends_it_and_only_a_person_asks_again(
    tmp_path: Path, fault: str
) -> None:
    patient = replace(QUICK, lease_s=PATIENT_S)
    fake = FakeSpeech(Plan(post=fault))
    with fake, Workshop(tmp_path, fake.origin, timings=patient) as workshop:
        speaker = KlingVoiceover(
            store=workshop.store, archive=workshop.archive, request=workshop.generations.request
        )
        spender = Spender(OWNER, "page", "page")

        def hear(*, again: bool = False) -> bytes:
            async def listen() -> bytes:
                sound = speaker.speak(spender, TEXT, "alloy", 1.0, again=again)
                return b"".join([pcm async for pcm in sound])

            return workshop.loop.call(listen(), timeout_s=30)

        for _ in range(2):
            with pytest.raises(AppError) as told:
                hear()
            assert told.value.text_id == FATE_UNKNOWN
        assert fake.seen.posts[TEXT] == 1
        assert hear(again=True)
        assert hear()  # from the archive
        assert fake.seen.posts[TEXT] == 2
