"""An HTTP client that many threads share."""

import httpx

# httpx's pool closes, as one too many, a connection that another thread is about to use, and that
# thread reads from a closed file (encode/httpcore#1110): here none is ever too many.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)


def threads_client(base_url: str, timeout: float) -> httpx.Client:
    """Return a client of `base_url` for any number of threads; `timeout` in seconds."""
    return httpx.Client(base_url=base_url, timeout=timeout, trust_env=False, limits=_LIMITS)
