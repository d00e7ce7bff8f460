"""Settings of whoever keeps the studio running: backups, metrics, the form of the log."""

from dataclasses import dataclass

from core.settings import parsers
from core.settings.secret import Secret
from core.settings.sources import Sources

BACKUP_SETTINGS = ("INKLING_BACKUP_TO", "INKLING_BACKUP_HOURS", "INKLING_BACKUP_KEEP")
OPERATIONS_SETTINGS = (*BACKUP_SETTINGS, "INKLING_METRICS_TOKEN", "INKLING_LOG")

_HOURS = 24
_KEEP = 7


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Where backups are made by themselves, how often, and how many are kept."""

    place: str | None = None  # a folder, or an fsspec URL; None: none is made
    hours: int = _HOURS
    keep: int = _KEEP


@dataclass(frozen=True, slots=True)
class OperationsSettings:
    """What watches the studio from outside."""

    backup: BackupSettings = BackupSettings()
    metrics_token: Secret | None = None
    log_json: bool = False


def read_operations(sources: Sources) -> OperationsSettings:
    """Return what the sources say; a wrong value is told, and its default is used."""
    place, hours, keep = BACKUP_SETTINGS
    return OperationsSettings(
        BackupSettings(
            sources.read((place,), parsers.text),
            sources.read((hours,), parsers.count) or _HOURS,
            sources.read((keep,), parsers.count) or _KEEP,
        ),
        sources.read(("INKLING_METRICS_TOKEN",), parsers.key),
        sources.read(("INKLING_LOG",), parsers.log_form) == "json",
    )
