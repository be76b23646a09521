"""A Pinecone-compatible vector index on one machine, for the official SDK unmodified.

Layers, each importing only from those before it:

- the wire: `refusals`, `fields`
- pure: `filters`, `vectors`, `limits` (what a record may be), `postings` and `space` (vectors in memory, scoring)
- state: `store` (SQLite), `index`, `catalog`
- operations: `specs` and `control` (indexes), `data` (records), `namespaces`, and `routes` to find them
- for tests: `faults`, and `controls` to ask for them
- HTTP: `listener` (the socket), `connection` (one client), `server` (what others use)
"""

from __future__ import annotations

from local.index_server.faults import Fault
from local.index_server.server import IndexServer

__all__ = ["Fault", "IndexServer"]
