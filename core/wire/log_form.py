"""Forms of the log: a line of text, or one JSON object a line with the same facts as fields."""

import json
import logging
from datetime import UTC, datetime

FACTS = "inkling_facts"  # of a record: what its sentence is made of
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON, for what collects logs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record (logging's interface)."""
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        facts = getattr(record, FACTS, None)
        if isinstance(facts, dict):
            told |= facts
        if record.exc_text or record.exc_info:
            told["exception"] = record.exc_text or self.formatException(record.exc_info)  # type: ignore[arg-type]
        return json.dumps(told, ensure_ascii=False, default=str)
