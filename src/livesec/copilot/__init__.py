"""Ask the co-pilot: read-only tools over a store, typed commands, a chat with a model, and an MCP server."""
