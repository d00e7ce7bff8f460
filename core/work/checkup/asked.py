"""What a check-up is made of: the settings and places it looks at, and how patient it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.archive.archive import Archive
from core.settings import Settings
from core.settings.outside.network import Network, environment_network

KLING_REGIONS: Mapping[str, str] = {
    "beijing": "https://api-beijing.klingai.com",
    "singapore": "https://api-singapore.klingai.com",
}


@dataclass(frozen=True)
class Asked:
    """Whose check-up it is."""

    settings: Settings
    environment: Mapping[str, str] = field(default_factory=dict)
    archive: Archive | None = None  # None: opened from the settings
    regions: Mapping[str, str] = field(default_factory=lambda: KLING_REGIONS)
    timeout_s: float = 10.0
    pause_s: float = 1.1  # Kling's account may be asked once a second
    disk_low_bytes: int = 500 * 1024 * 1024

    @property
    def network(self) -> Network:
        """The ways into the network, as the settings or the environment have them."""
        return self.settings.network or environment_network(self.environment)
