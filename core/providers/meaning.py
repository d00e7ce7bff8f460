"""What a provider's refusal means: the error it is raised as, and the sentence that says so."""

from typing import NamedTuple

from core.errors import ProviderError, RateLimitError


class Meaning(NamedTuple):
    """How a refusal is raised; `sentence` is filled from the facts."""

    error: type[ProviderError]
    text_id: str
    sentence: str

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
        facts = {
            "host": host,
            "status_code": status_code,
            "code": code if code is not None else "-",
        }
        error = self.error(
            self.sentence.format(**facts),
            provider=provider,
            status_code=status_code,
            code=code,
            request_id=request_id,
            text_id=self.text_id,
            facts=facts,
            detail=detail,
        )
        if isinstance(error, RateLimitError):
            error.retry_after_s = wait_s
        return error
