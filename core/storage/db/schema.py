"""The tables as queries see them; the migrations make them on disk, and a test compares both."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
)

from core.storage.db.column_types import Amount, Json, MaskedObjects, Moment, Words

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
