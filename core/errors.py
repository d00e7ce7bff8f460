"""Every error we raise on purpose.

    AppError                  a sentence of core/texts by text_id and facts; str() is English
    ├── ConfigurationError        a setting is missing or malformed; has key, source
    ├── InputError                what a person asked for cannot be sent as it is; has field
    ├── ProviderError             DeepSeek or Kling; has provider, status_code, code, request_id,
    │                         retry_after_s, may_repeat
    │   ├── AuthenticationError   key or token refused
    │   ├── QuotaExceededError    balance or resource package used up
    │   ├── RateLimitError        too fast, or too much at once
    │   ├── RejectedError         bad parameters, no permission, or refused by moderation
    │   ├── NotFoundError         the provider does not know this task
    │   ├── UnavailableError      5xx, timeout, connection lost: what became of it is unknown
    │   └── ProtocolError         the answer does not have the documented shape
    ├── PictureError              a result picture could not be fetched or is not a picture
    ├── BusyError                 this conversation is being answered already
    └── StoreError                history or archive cannot be read or written

A class exists because a caller acts differently. Facts never hold keys, tokens, prompts or signed
links. `detail` is the provider's own explanation, already cleaned of secrets, shown behind our
sentence. Text ids are stored in rows: none is ever renamed.
"""

from collections.abc import Mapping

from core.texts import catalogue
from core.texts.catalogue import Language


class AppError(Exception):
    """Base of all errors we raise on purpose."""

    pays_again = False  # what it was for is bought, or may be: a repeat could buy it once more

    def __init__(
        self,
        text_id: str = "error.unexpected",
        *,
        facts: Mapping[str, object] | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(text_id)
        self.text_id = text_id
        self.facts: dict[str, object] = dict(facts or {})
        self.detail = detail

    def __str__(self) -> str:
        return self.sentence("en")

    def sentence(self, language: Language) -> str:
        """Return what happened and what to do about it, as one sentence for a person."""
        told = catalogue.sentence(language, self.text_id, self.facts)
        # An id that another version wrote down, and this one does not know.
        return told or catalogue.text(language, "error.unexpected")

    def forget_frames(self) -> None:
        """Forget the traceback and the cause, for an error that is kept and not raised again.

        Its frames hold what they worked on; where that holds the error, it is a reference cycle.
        """
        self.__traceback__ = self.__cause__ = self.__context__ = None


class ConfigurationError(AppError):
    """A setting is missing or malformed."""

    def __init__(
        self,
        key: str,
        source: str,
        text_id: str,
        *,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(text_id, facts={"key": key, "source": source, **(facts or {})})
        self.key = key
        self.source = source


class InputError(AppError):
    """What a person asked for cannot be sent as it is; nothing was sent."""

    def __init__(
        self, field: str, text_id: str, *, facts: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(text_id, facts=facts)
        self.field = field


class ProviderError(AppError):
    """DeepSeek or Kling said no, said something odd, or said nothing."""

    body: str = ""  # the beginning of what came instead, without secrets; never stored
    retry_after_s: float | None = None  # so long the provider asks to wait, where that helps
    may_repeat: bool = True  # False: the provider itself asks not to send it again

    def __init__(
        self,
        text_id: str = "error.provider",
        *,
        provider: str,
        status_code: int | None = None,
        code: int | str | None = None,
        request_id: str | None = None,
        facts: Mapping[str, object] | None = None,
        detail: str = "",
    ) -> None:
        merged: dict[str, object] = {
            "provider": provider,
            "status_code": status_code if status_code is not None else "-",
            "code": code if code is not None else "-",
            **(facts or {}),
        }
        super().__init__(text_id, facts=merged, detail=detail)
        self.provider = provider
        self.status_code = status_code
        self.code = code
        self.request_id = request_id


class AuthenticationError(ProviderError):
    """The key or token was refused."""


class QuotaExceededError(ProviderError):
    """The balance or resource package is used up."""


class RateLimitError(ProviderError):
    """Too fast, or too much at once; nothing was created."""


class RejectedError(ProviderError):
    """Refused for certain: bad parameters, no permission, or moderation."""


class NotFoundError(ProviderError):
    """The provider does not know what was asked for."""


class UnavailableError(ProviderError):
    """5xx, timeout or a lost connection: whether the request took effect is unknown."""

    @property
    def is_unsent(self) -> bool:
        """Tell whether the request is certain never to have left this machine."""
        return self.text_id in _UNSENT


_UNSENT = frozenset(
    {
        "error.network_connect",
        "error.network_proxy",
        "error.configuration_proxy",
        "error.configuration_certificates",
    }
)


class ProtocolError(ProviderError):
    """The answer does not have the documented shape: whether it took effect is unknown."""


class PictureError(AppError):
    """A result picture could not be fetched, or what came is not a picture."""


class BusyError(AppError):
    """This conversation is being answered already."""


class StoreError(AppError):
    """History or archive could not be read or written."""


def after_payment(error: AppError) -> AppError:
    """Mark an error as one that met what was paid for already, and return it."""
    error.pays_again = True
    return error


def may_be_billed(error: AppError) -> bool:
    """Tell whether a request was on its way, and nothing says that it was turned away."""
    if isinstance(error, ProtocolError):
        return error.status_code is None or error.status_code < 400
    return isinstance(error, UnavailableError) and error.status_code is None and not error.is_unsent
