"""The pages: what file, address and title of each are called by, and its icon."""

PAGES = {
    "chat": "forum",
    "images": "palette",
    "gallery": "photo_library",
    "history": "history",
    "money": "payments",
    "xray": "radiology",
    "status": "monitor_heart",
}
