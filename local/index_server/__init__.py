"""A Pinecone-compatible vector index on one machine, for the official SDK unmodified.

Layers, each importing only from those before it:

- the wire: `refusals`, `fields`
- pure: `filters`, `limits` (what a record may be), `space` (vectors in memory, scoring)
- state: `store` (SQLite), `index`, `catalog`
- operations: `control` (indexes), `data` (records), `namespaces`, and `routes` to find them
- HTTP: `listener` (the socket), `connection` (one client), `server` (what others use)
"""

from __future__ import annotations

from local.index_server.server import IndexServer

__all__ = ["IndexServer"]
