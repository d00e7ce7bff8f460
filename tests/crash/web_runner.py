"""One process of the HTTP layer without pages, which serves until it is killed.

python -m tests.crash.web_runner '{"data_dir": …, "origin": …, "port": …}'
"""

import json
import socket
import sys
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from core.settings import ChatSettings, KlingSettings, Secret, Settings
from core.web.server import lifespan, middleware
from core.web.timings import HttpTimings
from core.work.studio import Studio
from tests.crash.workshop import QUICK


def main() -> None:
    """Serve as told by the first argument."""
    told = json.loads(sys.argv[1])
    settings = Settings(
        data_dir=Path(told["data_dir"]),
        chat=ChatSettings(),
        kling=KlingSettings(origin=told["origin"], api_key=Secret("one-account")),
    )
    app = Starlette(
        middleware=middleware(timings=HttpTimings(keep_alive_s=told.get("keep_alive_s", 0.3))),
        lifespan=lifespan(
            lambda: settings, warm_up=lambda: None, build=partial(Studio.open, timings=QUICK)
        ),
    )
    listening = socket.create_server(("127.0.0.1", told["port"]), reuse_port=False)
    config = uvicorn.Config(app, log_config=None, lifespan="on", ws="none")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
