"""What a call asks of an access token: the scopes of which any lets it in."""

from core.models.access_scopes import ACCESS_SCOPES, AccessScopes
from core.web.kling.target import NEW_PATHS

_CHAT = (
    *("/stream", "/complete", "/v1/chat/completions", "/v1/responses"),
    *("/v1/tools/search", "/v1/tools/fetch"),
)
_PICTURES = ("/v1/images/", "/kling/v1/", *(f"/kling{path}" for path in NEW_PATHS))
_MESSAGES = "/messages/"  # a model writes prompts; what was drawn is looked at
_SPEECH = "/v1/audio/"
_KLING_SPEECH = "/kling/v1/audio/"
_READ = ("/ledger", "/kling/account/", "/metrics")
_TOOLS = "/mcp"  # each of its tools asks for its own
_ANY = ("/v1/models", "/checkup/beat")


def wanted_scopes(method: str, path: str) -> AccessScopes:
    """Return the scopes of which any lets a call in; none where only a token without scopes is."""
    if path in _CHAT:
        return frozenset({"chat"})
    if path.startswith(_MESSAGES):
        looks = method in ("GET", "HEAD")
        return frozenset({"pictures", "read"}) if looks else frozenset({"chat"})
    if path.startswith(_SPEECH):
        return frozenset({"speech"})
    if path.startswith(_KLING_SPEECH):  # what a token for Kling's pictures was always good for
        return frozenset({"speech", "pictures"})
    if path.startswith(_PICTURES):
        looks = method in ("GET", "HEAD")
        return frozenset({"pictures", "read"}) if looks else frozenset({"pictures"})
    if path.startswith(_READ) and method in ("GET", "HEAD"):
        return frozenset({"read"})
    if path == _TOOLS:
        return frozenset({"chat", "pictures", "read"})
    return frozenset(ACCESS_SCOPES) if path.startswith(_ANY) else frozenset()
