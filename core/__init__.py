"""墨灵 Inkling's rooms, outermost first; each imports only from those below it.

    ui, web
    work
    providers, storage, archive, practice
    access
    wire, markdown, settings
    models, errors
    texts

Only `core/ui` draws (Streamlit), only `core/web` and the practice server serve HTTP, only
`core/providers` opens connections, only `core/storage` touches the database, only `core/archive`
the files. `docs/architecture.md` is the plan, `tests/unit/test_house.py` holds it.
"""

__version__ = "0.1.0"
