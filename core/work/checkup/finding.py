"""A finding of the check-up: what was seen, how grave it is, and where its sentences stand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.texts import catalogue
from core.texts.catalogue import Language
from core.wire.masking.secrets import known_secrets

Level = Literal["good", "note", "warning", "fault"]

# Every finding there is. The catalogue has `finding.ID`, and for warnings and faults also
# `finding.why_ID` and `finding.do_ID`.
LEVELS: Mapping[str, Level] = {
    **dict.fromkeys(
        (
            *("route_good", "proxy_good", "clock_good", "chat_key_good", "kling_key_good"),
            *("chat_balance_good", "kling_packs_good", "model_good", "disk_good"),
            *("database_good", "archive_good", "front_good", "stream_good", "websocket_good"),
            "here_yes",
        ),
        "good",
    ),
    **dict.fromkeys(
        (
            *("chat_practice", "kling_practice", "only_proxy", "other_region", "models_not_told"),
            *("balance_not_told", "kling_packs_none", "database_new", "here_no", "forwarded"),
            *("versions", "cloud"),
        ),
        "note",
    ),
    **dict.fromkeys(
        (
            *("clock_ahead", "clock_behind", "chat_key_odd", "chat_busy", "kling_busy"),
            *("disk_low", "streamlit_other", "kling_packs_over", "not_looked"),
        ),
        "warning",
    ),
    **dict.fromkeys(
        (
            *("name_unknown", "unreachable", "certificate", "tls_failed"),
            *("proxy_setting", "proxy_unusable", "proxy_in_the_way", "setting"),
            *("chat_key_refused", "chat_key_is_klings", "chat_no_money", "chat_not_allowed"),
            *("chat_down", "chat_not_api", "chat_silent", "chat_refused"),
            *("kling_key_refused", "kling_pair_swapped", "kling_api_key_as_pair"),
            *("kling_pair_as_api_key", "kling_wrong_region", "kling_key_is_chats"),
            *("kling_account", "kling_arrears", "kling_package_over", "kling_no_right"),
            *("kling_address_list", "kling_down", "kling_not_api", "kling_silent"),
            *("kling_refused", "model_retired", "model_gone", "disk_full", "disk_readonly"),
            *("disk_broken", "database_locked", "database_full", "database_readonly"),
            *("database_gone", "database_broken", "database_damaged", "archive_full"),
            *("archive_readonly", "archive_broken", "front_unreachable", "front_not_studio"),
            *("base_path", "front_token", "stream_buffered", "websocket_blocked"),
        ),
        "fault",
    ),
}
_ORDER: tuple[Level, ...] = ("fault", "warning", "note", "good")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was seen. Its facts hold no secret; they are masked once more when shown."""

    id: str
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        """How grave it is."""
        return LEVELS[self.id]

    def what(self, language: Language) -> str:
        """Return what was seen."""
        return self._told(language, f"finding.{self.id}")

    def why(self, language: Language) -> str:
        """Return what it means, or nothing where that needs no words."""
        return self._told(language, f"finding.why_{self.id}")

    def cure(self, language: Language) -> str:
        """Return what to do, or nothing where nothing is to be done."""
        return self._told(language, f"finding.do_{self.id}")

    def _told(self, language: Language, text_id: str) -> str:
        facts = {
            name: value.get(language, "") if isinstance(value, Mapping) else value
            for name, value in self.facts.items()
        }
        return known_secrets.wash(catalogue.sentence(language, text_id, facts) or "")


def found(id: str, **facts: object) -> Finding:
    """Return a finding."""
    return Finding(id, facts)


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings as they are read: what is broken first."""
    return sorted(findings, key=lambda one: _ORDER.index(one.level))
