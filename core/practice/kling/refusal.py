"""How the practice Kling says no: a service code, its HTTP status and a message."""

from core.practice.faults import SERVICE_STATUSES

SERVICE_MESSAGES = {
    1000: "Authentication failed",
    1001: "Authorization is empty",
    1002: "Authorization is invalid",
    1003: "Authorization is not active yet",
    1004: "Authorization has expired",
    1100: "Account exception",
    1101: "Account in arrears",
    1102: "Account balance not enough",
    1103: "No permission for this API or model",
    1200: "Invalid request",
    1201: "Invalid request parameters",
    1202: "Invalid HTTP method",
    1203: "The requested resource does not exist",
    1300: "The request violates the platform's policy",
    1301: "The request was refused by content safety",
    1302: "Requests come too fast",
    1303: "parallel task over resource pack limit",
    1304: "The IP address is not on the allow list",
    5000: "Internal server error",
    5001: "The server is under maintenance",
    5002: "The server timed out internally",
}


class KlingRefusal(Exception):
    """The request is answered with this service code."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message or SERVICE_MESSAGES[code])
        self.code = code
        self.status = SERVICE_STATUSES[code]


def bad_parameter(field: str, rule: str) -> KlingRefusal:
    """Return the refusal of one field, named in its message."""
    return KlingRefusal(1201, f"{field} {rule}")
