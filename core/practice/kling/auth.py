"""Who may use the practice Kling: a plain API key, or a JWT made of access and secret key."""

import jwt

from core.practice.kling.refusal import KlingRefusal
from core.practice.settings import PracticeSettings

KEY_NAME, CASH_KEY_NAME, PAIR_NAME = "practice", "practice-cash", "practice-pair"


def check_authorization(authorization: str, settings: PracticeSettings) -> str:
    """Return the key's name, or raise the service code Kling refuses the header with."""
    if not authorization.strip():
        raise KlingRefusal(1001, "Authorization is empty")
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer" or not token or token != token.strip():
        raise KlingRefusal(1002, "Authorization is invalid")
    if token == settings.kling_api_key:
        return KEY_NAME
    if token == settings.kling_cash_key:
        return CASH_KEY_NAME
    _check_token(token, settings)
    return PAIR_NAME


def _check_token(token: str, settings: PracticeSettings) -> None:
    try:
        jwt.decode(
            token,
            settings.secret_key,
            algorithms=["HS256"],
            issuer=settings.access_key,
            options={"require": ["iss", "exp"], "verify_iat": False},
        )
    except jwt.ExpiredSignatureError as error:
        raise KlingRefusal(1004, "Authorization has expired") from error
    except jwt.ImmatureSignatureError as error:
        raise KlingRefusal(1003, "Authorization is not active yet") from error
    except jwt.InvalidTokenError as error:
        raise KlingRefusal(1002, "Authorization is invalid") from error
