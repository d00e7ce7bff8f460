"""What a provider's refusal means: the error it is raised as, and the text that says so."""

import math
from typing import NamedTuple

from core.errors import ProviderError, RateLimitError, UnavailableError


class ErrorRule(NamedTuple):
    """How a refusal is raised."""

    error: type[ProviderError]
    text_id: str

    def raised(
        self,
        *,
        provider: str,
        host: str,
        status_code: int,
        code: int | str | None = None,
        request_id: str | None = None,
        detail: str = "",
        wait_s: float | None = None,
    ) -> ProviderError:
        """Return the error; `wait_s` counts only where waiting helps."""
        facts: dict[str, object] = {
            "host": host,
            "status_code": status_code,
            "code": code if code is not None else "-",
        }
        error = self.error(
            self.text_id,
            provider=provider,
            status_code=status_code,
            code=code,
            request_id=request_id,
            facts=facts,
            detail=detail,
        )
        if wait_s is not None and isinstance(error, RateLimitError | UnavailableError):
            error.retry_after_s = wait_s
            error.facts["retry_after_s"] = math.ceil(wait_s)
        return error
