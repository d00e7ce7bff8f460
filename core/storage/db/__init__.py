"""The database beneath all rows: SQLite or PostgreSQL, schema, migrations, pagination."""
