"""Settings of whoever keeps the studio running: backups, metrics, the form of the log."""

from dataclasses import dataclass

from core.settings import table
from core.settings.secret import Secret
from core.settings.sources import Sources

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
    return OperationsSettings(
        BackupSettings(
            sources.read(table.BACKUP_TO),
            sources.read(table.BACKUP_HOURS) or _HOURS,
            sources.read(table.BACKUP_KEEP) or _KEEP,
        ),
        sources.read(table.METRICS_TOKEN),
        sources.read(table.LOG) == "json",
    )
