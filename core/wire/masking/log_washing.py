"""Log redaction: every record of every logger, before any handler sees it."""

import io
import logging
import traceback
from typing import Any

from core.wire.masking.secrets import known_secrets

_MARK = "_inkling_washes"


def wash_logs() -> None:
    """Mask known secrets in all records from now on: texts, arguments, exceptions. Once."""
    before = logging.getLogRecordFactory()
    if getattr(before, _MARK, False):
        return

    def washing(*args: Any, **facts: Any) -> logging.LogRecord:
        record = before(*args, **facts)
        wash_record(record)
        return record

    setattr(washing, _MARK, True)
    logging.setLogRecordFactory(washing)


def wash_record(record: logging.LogRecord) -> None:
    """Mask known secrets in a record; one without any stays as it is."""
    try:
        text = record.getMessage()
    except Exception:  # the handler tells of it, as ever
        return
    if known_secrets.is_in(text):
        # uvicorn's formatter takes the arguments apart: they stay as many as they were.
        if isinstance(record.args, tuple) and record.args:
            record.args = tuple(_washed(one) for one in record.args)
        if known_secrets.is_in(record.getMessage()):
            record.msg, record.args = known_secrets.wash(record.getMessage()), None
    if record.stack_info:
        record.stack_info = known_secrets.wash(record.stack_info)
    if record.exc_info and record.exc_info[0] is not None:
        told = io.StringIO()
        traceback.print_exception(*record.exc_info, file=told)
        if known_secrets.is_in(told.getvalue()):
            # Formatters use the text that is there; the exception itself would tell it again.
            record.exc_text = known_secrets.wash(told.getvalue().rstrip("\n"))
            record.exc_info = None


def _washed(value: object) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value
    shown = str(value)
    return known_secrets.wash(shown) if known_secrets.is_in(shown) else value
