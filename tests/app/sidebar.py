"""What the sidebar's list of conversations was given to show."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def listed(app: AppTest) -> list[dict[str, Any]]:
    """Return the rows of the list, each with the name of its group."""
    for part in app.sidebar.get("bidi_component"):
        proto = part.proto
        if proto.component_name.endswith("inkling_conversations"):
            return [
                row | {"group": group["name"]}
                for group in json.loads(proto.json)["groups"]
                for row in group["rows"]
            ]
    return []
