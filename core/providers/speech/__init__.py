"""Who reads aloud and writes down, beside Kling: servers of OpenAI's shape, and Qwen's voice."""
