"""What a practice server can be told: keys it accepts, how fast it lives, what it charges."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

# Not secrets: anyone on this machine may use the practice providers. They look like keys so that
# clients which check a key's form are content; the secret is long enough for HS256 (RFC 7518, 3.2).
PRACTICE_CHAT_KEY = "sk-practice-0123456789abcdef"
PRACTICE_KLING_API_KEY = "practice-kling-api-key-0123456789"
# Pictures asked for with this one are paid from the balance, in cash, and not from the package.
PRACTICE_KLING_CASH_KEY = "practice-kling-cash-key-0123456789"
PRACTICE_SPEECH_KEY = "practice-speech-key-0123456789"
PRACTICE_ACCESS_KEY = "practice-access-key"
PRACTICE_SECRET_KEY = "practice-secret-key-0123456789abcdef"


@dataclass(frozen=True, slots=True)
class PracticeSettings:
    """Keys, paces, limits and accounts of one practice server."""

    chat_key: str = field(default=PRACTICE_CHAT_KEY, repr=False)
    kling_api_key: str = field(default=PRACTICE_KLING_API_KEY, repr=False)
    kling_cash_key: str = field(default=PRACTICE_KLING_CASH_KEY, repr=False)
    access_key: str = field(default=PRACTICE_ACCESS_KEY, repr=False)
    secret_key: str = field(default=PRACTICE_SECRET_KEY, repr=False)
    speech_key: str = field(default=PRACTICE_SPEECH_KEY, repr=False)  # or none at all
    first_delta_s: float = 0.4
    delta_interval_s: float = 0.02
    keep_alive_s: float = 1.0  # DeepSeek does not publish its interval
    submitted_s: float = 1.0
    processing_s: float = 2.5
    picture_pixels: int = 1024  # long side of a 1k picture; 2k doubles it
    concurrent_pictures: int = 9
    voice_pace: float = 6.0  # how much quicker a voice comes than it is heard
    # What the accounts hold at the start, and how pictures are paid for by the other keys.
    granted_cny: Decimal = Decimal("10.00")
    topped_up_cny: Decimal = Decimal("100.00")
    pays_by: Literal["package", "balance"] = "package"
    pack_units: Decimal = Decimal(100_000)
    balance_cny: Decimal = Decimal("2500.00")
    cash_rate: Decimal = Decimal(1)  # of the list price: less for an account with a discount
    costs_lag_s: float = 12 * 3600  # "remaining_quantity" lags (Kling's account page)
