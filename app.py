"""墨灵 Inkling's front door.

`streamlit run app.py` imports this file and finds the ASGI app below; Streamlit then runs the same
file as the script of every page view. A host that only runs scripts gets the pages without routes.
The assignment to `app` must stand here literally: Streamlit looks for it by reading the file.
"""

import os

import streamlit as st

if __name__ == "__main__":
    from core.ui.frame import shell

    shell.draw()
else:
    from core.ui.start.collecting import collect_rarely, keep_collections_short

    collect_rarely()
    # Only what a server needs to listen: all else is imported while browsers load their part.
    from core.settings.outside.network import spell_out_socks
    from core.ui.frame import page_files
    from core.ui.frame.lean_drawing import draw_leanly
    from core.ui.frame.navigation import claim_navigation
    from core.ui.frame.pages import PAGES
    from core.ui.frame.presses import finish_presses
    from core.ui.start.configuration import (
        app_settings,
        ask_nobody_for_addresses,
        base_url_path,
        take_secrets_files,
    )
    from core.ui.start.importing import import_pages
    from core.ui.start.logs import begin_logging
    from core.ui.start.open_files import allow_many_open_files
    from core.ui.start.welcome import announce_way_in, greet
    from core.web.server import lifespan, middleware

    secrets = take_secrets_files()
    begin_logging(as_json=app_settings().operations.log_json)
    allow_many_open_files()
    claim_navigation()
    draw_leanly()
    finish_presses()
    ask_nobody_for_addresses()
    spell_out_socks(os.environ)
    app = st.App(
        __file__,
        secrets=secrets,
        middleware=middleware(base_path=base_url_path, pages=PAGES, page_files=page_files.serve()),
        lifespan=lifespan(
            app_settings,
            warm_up=keep_collections_short,
            load=import_pages,
            greet=greet,
            announce=announce_way_in,
        ),
    )
