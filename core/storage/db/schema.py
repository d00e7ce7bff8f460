"""The tables as queries see them; the migrations make them on disk, and a test compares both."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

from core.models.money.amounts import from_units, to_units
from core.wire.masking.secrets import known_secrets

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Return whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """Return the moment `value` microseconds after 1970 began."""
    return _EPOCH + value * _MICROSECOND


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime as whole microseconds since 1970: the same order in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return what the database keeps (SQLAlchemy's interface of a type)."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the value that was kept."""
        return None if value is None else moment(value)


class Words(TypeDecorator[str]):
    """Text as it came, less what PostgreSQL cannot keep: NUL and lone surrogates become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what the database keeps (SQLAlchemy's interface of a type)."""
        if value is None:
            return None
        return clean(value)


class Amount(TypeDecorator[Decimal]):
    """An amount of money as a whole number of 10⁻¹²: added up without a rest in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Return what the database keeps (SQLAlchemy's interface of a type)."""
        return None if value is None else to_units(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Return the value that was kept; PostgreSQL's sums are of another type."""
        return None if value is None else from_units(int(value))


class Json(TypeDecorator[Any]):
    """A JSON value, ASCII on disk."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return what the database keeps (SQLAlchemy's interface of a type)."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value that was kept."""
        return None if value is None else json.loads(value)


class MaskedText(str):
    """A parameter in which known secrets are masked already."""

    __slots__ = ()


class MaskedObjects(Json):
    """A list of objects whose values are texts, masked before JSON escapes them.

    To look through the JSON of a long file took ten times as long as to write it.
    """

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return what the database keeps (SQLAlchemy's interface of a type)."""
        if value is None:
            return None
        washed = [{name: known_secrets.wash(text) for name, text in one.items()} for one in value]
        return MaskedText(json.dumps(washed, separators=(",", ":")))


def clean(text: str) -> str:
    """Return `text` without what no database keeps."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


metadata = MetaData()

schema_migrations = Table(
    "schema_migrations",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", Words, nullable=False),
    Column("applied_at", Moment, nullable=False),
)

# `folded_title` is the title as it is searched: `titled` in chat/conversations keeps it so.
conversations = Table(
    "conversations",
    metadata,
    Column("id", Words, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("title_is_manual", Boolean, nullable=False),
    Column("pinned", Boolean, nullable=False),
    Column("system_prompt", Words, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("origin", Words, nullable=False),
    Column("head_id", Words),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    Column("folded_title", Words, nullable=False),
)

# `seq` is the order in which messages were written down: siblings are versions in this order, and
# a child always comes after its parent.
messages = Table(
    "messages",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("id", Words, nullable=False),
    Column("conversation_id", Words, ForeignKey("conversations.id"), nullable=False),
    Column("parent_id", Words, ForeignKey("messages.id")),
    Column("role", Words, nullable=False),
    Column("content", Words, nullable=False),
    Column("reasoning_content", Words, nullable=False),
    Column("status", Words, nullable=False),
    Column("finish_reason", Words),
    Column("model", Words),
    Column("parameters", Json),
    Column("prompt_tokens", BigInteger),
    Column("completion_tokens", BigInteger),
    Column("total_tokens", BigInteger),
    Column("cache_hit_tokens", BigInteger),
    Column("cache_miss_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("error_text_id", Words),
    Column("error_facts", Json),
    Column("error_detail", Words, nullable=False),
    Column("reasoning_s", Double),
    Column("first_token_s", Double),
    Column("duration_s", Double),
    Column("practice", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("process_id", Words),
    Column("lease_until", Moment),
    Column("stop_requested_at", Moment),
    Column("parts", MaskedObjects),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", Words, primary_key=True),
    Column("media_type", Words, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)

message_blobs = Table(
    "message_blobs",
    metadata,
    Column("message_id", Words, ForeignKey("messages.id"), primary_key=True),
    Column("sha256", Words, ForeignKey("blobs.sha256"), primary_key=True),
)

# `request` is the whole of it; kind, prompt … slots are copies to filter and to count by.
generations = Table(
    "generations",
    metadata,
    Column("id", Words, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("provider", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("origin", Words, nullable=False),
    Column("external_task_id", Words),
    Column("idempotency_key", Words),
    Column("task_id", Words),
    Column("status", Words, nullable=False),
    Column("request", Json, nullable=False),
    Column("prompt", Words, nullable=False),
    Column("model_name", Words, nullable=False),
    Column("aspect_ratio", Words, nullable=False),
    Column("resolution", Words, nullable=False),
    Column("n", Integer, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("reference_sha256", Words, ForeignKey("blobs.sha256")),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("sending_at", Moment),
    Column("submitted_at", Moment),
    Column("finished_at", Moment),
    Column("deleted_at", Moment),
    Column("error_text_id", Words),
    Column("error_facts", Json),
    Column("error_detail", Words, nullable=False),
    Column("unit_deduction", Words),
    Column("attempts", Integer, nullable=False),
    Column("poll_count", Integer, nullable=False),
    Column("next_check_at", Moment, nullable=False),
    Column("lease_owner", Words),
    Column("lease_until", Moment),
)

# The reference pictures behind the first, by their place among all.
generation_references = Table(
    "generation_references",
    metadata,
    Column("generation_id", Words, ForeignKey("generations.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("sha256", Words, ForeignKey("blobs.sha256"), nullable=False),
)

generation_events = Table(
    "generation_events",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("generation_id", Words, ForeignKey("generations.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("status", Words, nullable=False),
    Column("note", Words, nullable=False),
)

picture_slots = Table(
    "picture_slots",
    metadata,
    Column("generation_id", Words, ForeignKey("generations.id"), primary_key=True),
    Column("index", Integer, primary_key=True),
    Column("status", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error_text_id", Words),
    Column("updated_at", Moment, nullable=False),
)

# `owner` is a copy of the generation's, for the gallery's index.
pictures = Table(
    "pictures",
    metadata,
    Column("id", Words, primary_key=True),
    Column("generation_id", Words, ForeignKey("generations.id"), nullable=False),
    Column("index", Integer, nullable=False),
    Column("owner", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("media_type", Words, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("favourite", Boolean, nullable=False),
    Column("deleted_at", Moment),
)

# Tied to neither end: each may be deleted by itself, and imports bring links to what is not here.
picture_links = Table(
    "picture_links",
    metadata,
    Column("generation_id", Words, primary_key=True),
    Column("message_id", Words, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("request", Json),
    Column("created_at", Moment, nullable=False),
)

key_values = Table(
    "key_values",
    metadata,
    Column("key", Words, primary_key=True),
    Column("value", Json, nullable=False),
)

# One line for each call that can cost; `bound` is what was held back, also of a settled line.
ledger_lines = Table(
    "ledger_lines",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("id", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("provider", Words, nullable=False),
    Column("model", Words, nullable=False),
    Column("owner", Words, nullable=False),
    Column("caller", Words, nullable=False),
    Column("origin", Words, nullable=False),
    Column("currency", Words, nullable=False),
    Column("amount", Amount),
    Column("low", Amount),
    Column("bound", Amount),
    Column("mark", Words, nullable=False),
    Column("price_id", Words),
    Column("hour", Words),
    Column("hit", BigInteger),
    Column("miss", BigInteger),
    Column("completion", BigInteger),
    Column("reasoning", BigInteger),
    Column("units", Words),
    Column("pieces", Integer),
    Column("conversation_id", Words),
    Column("message_id", Words),
    Column("generation_id", Words),
    Column("task_id", Words),
    Column("settled_at", Moment),
    Column("until", Moment),
)

# What was spent and is held back in a day or a month, by whom: `key` says all three.
budget_totals = Table(
    "budget_totals",
    metadata,
    Column("key", Words, primary_key=True),
    Column("spent", Amount, nullable=False),
)
