"""What a practice server is asked to search for, noted as it arrives."""

import pytest

from core.practice.faults import Faults, read_faults


def searches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return where each search's words are noted from now on: then it has been sent."""
    noted: list[str] = []

    def noting(query: str) -> Faults:
        noted.append(query)
        return read_faults(query)

    monkeypatch.setattr("core.practice.web.routes.read_faults", noting)
    return noted
