"""墨灵 Inkling's rooms, outermost first; each imports only from those to its right.

    ui, web  →  work  →  providers, storage  →  wire  →  models, errors
    (settings stands beside wire: it imports models and errors only)

Only `core/ui` draws (Streamlit), only `core/web` and the practice server serve HTTP, only
`core/providers` opens connections, only `core/storage` touches the database and the archive.
"""
