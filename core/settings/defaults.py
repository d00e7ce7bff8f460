"""What holds where nothing is configured."""

DEFAULT_CHAT_URL = "https://api.deepseek.com/chat/completions"
DEFAULT_CHAT_MODEL = "deepseek-flash"
DEFAULT_KLING_ORIGIN = "https://api-beijing.klingai.com"
DEFAULT_SOURCE = "the default"  # where a setting that is not set comes from
