"""What is kept unmasked comes out masked, by whatever way it is asked for."""

import copy
import pickle
from dataclasses import replace

import httpx
import pytest

from core.providers.http.kept_exchange import KeptExchange
from core.wire.masking.secrets import known_secrets
from tests.unit.xray.kept import ONE, kept

KEY = "sk-canary-9f8e7d6c5b4a39281706"
OTHER = "canary-of-another-00112233445566"
IN_PIECES = range(0, len(OTHER), 8)
EVERYWHERE = replace(
    ONE,
    url=httpx.URL(f"https://u:{KEY}@api.deepseek.com/{KEY}/models?key={KEY}"),
    request_headers=httpx.Headers({"authorization": f"Bearer {OTHER}", "x-said": KEY}),
    request_body=f"{KEY} {OTHER}".encode(),
    response_headers=httpx.Headers({"set-cookie": KEY, "x-trace": f"a {OTHER}"}),
    times=[0.1, 0.2, 0.3],
    pieces=[
        f"data: {KEY[:9]}".encode(),
        f"{KEY[9:]} {OTHER}\n\n".encode(),
        b"".join(b'data: {"content":"%b"}\n\n' % OTHER[at : at + 8].encode() for at in IN_PIECES),
    ],
)


def given_out(one: KeptExchange) -> list[str]:
    """Return everything that an exchange gives to who has it, by its public names and Python's."""
    public = [getattr(one, name) for name in dir(one) if not name.startswith("_")]
    called = [repr(thing() if callable(thing) else thing) for thing in public]
    return [*called, repr(one), str(one), repr([getattr(one, "__dict__", {})]), f"{one}"]


@pytest.mark.parametrize("is_changed", [False, True])
def test_nothing_it_gives_out_holds_a_key(is_changed: bool) -> None:
    known_secrets.replace([KEY])  # the other one is known from the request's own header alone
    one = KeptExchange(EVERYWHERE)
    if is_changed:
        known_secrets.replace(["another-key-entirely-1"])
        known_secrets.add(*(f"passing-token-{number:010}" for number in range(80)))
        assert not known_secrets.is_in(KEY)
    try:
        shown = given_out(one)
        assert len(shown) > 6
        for text in shown:
            assert KEY not in text
            assert KEY[9:] not in text
            assert OTHER not in text
            assert OTHER[8:16] not in text
        assert "data:" in one.view().response_body
    finally:
        known_secrets.replace([])


def test_a_key_that_becomes_known_later_is_masked_from_then_on() -> None:
    one = kept(request_body=b"later-known-key-1234567")
    assert "later-known" in one.view().request_body
    known_secrets.replace(["later-known-key-1234567"])
    try:
        assert "later-known" not in one.view().request_body
    finally:
        known_secrets.replace([])


def test_it_is_neither_copied_nor_written_down() -> None:
    one = kept()
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            way(one)


def test_of_a_cut_reply_the_request_stays_whole() -> None:
    view = kept(is_reply_cut=True, chunks=[(0.1, b"a" * 2_000)]).view()
    assert view.is_cut
    assert view.request_body == '{"stream": true}'
    assert len(view.response_body) < 2_000
