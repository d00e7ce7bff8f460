"""Paths of the HTTP layer; everything else is the pages'."""

METRICS_PATH = "/metrics"
MCP_PATH = "/mcp"

PATHS = (
    "/stream",
    "/complete",
    "/v1",
    "/kling",
    "/enter",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/transfer",
    "/speech",
    "/ledger",
    "/messages",
    "/checkup",
    "/exchanges",
    MCP_PATH,
    METRICS_PATH,
)

# Who asks whether the studio is ready wants to hear that it is not.
IMMEDIATE = ("/readyz",)


def serves(path: str) -> bool:
    """Tell whether a path belongs to the HTTP layer, and not to the pages."""
    return "/" + path[1:].partition("/")[0] in PATHS
