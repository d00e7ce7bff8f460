"""Who may spend: callers judged by facts of the connection, and the passes that let others in."""
