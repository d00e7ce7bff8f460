"""Event reading: bytes of a streamed answer to chunks, by the event or by the block."""
