"""Whose conversations and pictures they are, and whether that person may spend.

The owner's name says it: every row has one, so nobody can be given money to spend by a flag that
was forgotten on the way.
"""

LOCAL_OWNER = "local"  # the person at this machine, and whoever the owner lets in as such
_USER = "user:"
VISITORS = "visitor:"  # how the owners of all strangers begin


def user_owner(address: str) -> str:
    """Return the owner for a person who signed in with an e-mail address."""
    return f"{_USER}{address.strip().lower()}"


def visitor_owner(visitor_id: str) -> str:
    """Return the owner for somebody from elsewhere, who is served by practice only."""
    return f"{VISITORS}{visitor_id}"


def may_spend(owner: str) -> bool:
    """Tell whether an owner's requests go to the configured providers."""
    return not owner.startswith(VISITORS)
