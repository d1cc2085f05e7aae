"""`livesec mcp`: the read-only tools for a client that speaks the Model Context Protocol."""

from __future__ import annotations

from livesec.cli.context import DbOption, SetOption, SettingsOption, readable_store, settings_from

EPILOG = 'Example, in a client\'s list of servers: {"command": "livesec", "args": ["mcp", "--db", "data/livesec.db"]}'


def mcp(db: DbOption = None, settings: SettingsOption = None, assignments: SetOption = None) -> None:
    """Serve the read-only tools of `livesec ask` over standard input and output (MCP), until the client ends.

    Answers hold users, addresses and log lines as they are: whether they leave this machine is the client's affair.
    """
    from livesec.copilot.mcp_server import HOW_TO_GET_IT, is_available, serve
    from livesec.copilot.tools import Tools
    from livesec.core.errors import UsageError
    from livesec.store.reader import StoreReader

    if not is_available():
        raise UsageError(HOW_TO_GET_IT)
    reader = StoreReader(readable_store(db, settings_from(settings, assignments)))
    try:
        serve(Tools(reader))
    finally:
        reader.close()
