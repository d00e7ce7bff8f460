"""One-time links on hosts whose clocks differ, on one database."""

from pathlib import Path

import pytest

from core.access.invitations import LIFETIME_S, Invitations
from core.storage.store import Store

NOW = 1_800_000_000.0


@pytest.mark.parametrize("off_s", [-10_800.0, -LIFETIME_S - 1, LIFETIME_S + 1, 10_800.0])
def test_a_host_with_another_clock_does_not_use_a_link_up(tmp_path: Path, off_s: float) -> None:
    store = Store.open(tmp_path / "inkling.sqlite3")
    right = Invitations(store.key_values, clock=lambda: NOW)
    wrong = Invitations(store.key_values, clock=lambda: NOW + off_s)
    made = right.make("phone")
    assert wrong.redeem(made.code) is None
    assert wrong.make("tablet").code != made.code
    assert right.is_open(made)
    redeemed = right.redeem(made.code)
    assert redeemed is not None
    assert redeemed.name == "phone"
    assert right.redeem(made.code) is None
    store.close()
