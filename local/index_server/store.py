"""What outlives the process: one SQLite file in one folder, held by one server at a time."""

from __future__ import annotations

import fcntl
import json
import sqlite3
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, TextIO

import numpy as np

from local.index_server.limits import Record
from local.index_server.vectors import SparseVector
from pipelines.errors import VectorIndexError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_FILE: Final = "index.sqlite"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS indexes (name TEXT PRIMARY KEY, spec TEXT NOT NULL, lsn INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS namespaces (index_name TEXT, name TEXT, PRIMARY KEY (index_name, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    index_name TEXT, namespace TEXT, id TEXT,
    vector BLOB,            -- little-endian float32; NULL in a sparse index
    sparse BLOB,            -- little-endian: uint32 dimensions, then as many float32 values; NULL where there is none
    metadata TEXT NOT NULL, -- JSON
    PRIMARY KEY (index_name, namespace, id)
);
"""


def _lock(file: TextIO, folder: Path) -> None:
    """Hold a folder until the file is closed, which the system does for a killed process."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise VectorIndexError(
            f"the index folder {folder} is held by another index server: stop that one, or choose another folder"
        ) from None


class Store:
    """The tables of one folder.

    Every method that writes returns after the commit is on disk: in WAL mode with ``synchronous=FULL`` each commit is
    followed by an fsync (sqlite.org/pragma.html#pragma_synchronous), so a killed process loses nothing it answered.

    Args:
        folder: Made if it is missing.

    Raises:
        VectorIndexError: Another server holds the folder, or its file is not one of ours.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            self._lock_file = undo.enter_context((folder / "lock").open("a"))
            _lock(self._lock_file, folder)
            self._lock = threading.Lock()
            self._database = sqlite3.connect(folder / _FILE, check_same_thread=False)
            undo.callback(self._database.close)
            self._prepare(folder)
            undo.pop_all()

    def _prepare(self, folder: Path) -> None:
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise VectorIndexError(
                f"the index file {folder / _FILE} cannot be read ({error}): move it away to start with an empty index"
            ) from None

    def close(self) -> None:
        """Close the file and let go of the folder."""
        self._database.close()
        self._lock_file.close()

    def indexes(self) -> list[tuple[dict[str, Any], int]]:
        """Return every index: its spec and its log sequence number."""
        rows = self._database.execute("SELECT spec, lsn FROM indexes")
        return [(json.loads(spec), lsn) for spec, lsn in rows]

    def namespaces(self, index: str) -> list[str]:
        """Return the names of an index's namespaces."""
        rows = self._database.execute("SELECT name FROM namespaces WHERE index_name = ?", (index,))
        return [name for (name,) in rows]

    def records(self, index: str, namespace: str) -> Iterator[Record]:
        """Yield the records of a namespace."""
        query = "SELECT id, vector, sparse, metadata FROM records WHERE index_name = ? AND namespace = ?"
        for record_id, vector, sparse, metadata in self._database.execute(query, (index, namespace)):
            values = None if vector is None else np.frombuffer(vector, "<f4")
            yield Record(record_id, values, json.loads(metadata), None if sparse is None else _sparse(sparse))

    def put_index(self, name: str, spec: dict[str, Any]) -> None:
        """Insert an index, or replace its spec."""
        with self._lock, self._database as database:
            database.execute(
                "INSERT INTO indexes VALUES (?, ?, 0) ON CONFLICT (name) DO UPDATE SET spec = excluded.spec",
                (name, json.dumps(spec)),
            )

    def drop_index(self, name: str) -> None:
        """Delete an index and all that is in it."""
        with self._lock, self._database as database:
            database.execute("DELETE FROM records WHERE index_name = ?", (name,))
            database.execute("DELETE FROM namespaces WHERE index_name = ?", (name,))
            database.execute("DELETE FROM indexes WHERE name = ?", (name,))

    def write(self, index: str, lsn: int, namespace: str, puts: Iterable[Record], removals: Iterable[str]) -> None:
        """Commit one write to a namespace, made if it is missing, and the index's new log sequence number."""
        with self._lock, self._database as database:
            database.execute("INSERT OR IGNORE INTO namespaces VALUES (?, ?)", (index, namespace))
            database.executemany(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)",
                ((index, namespace, *_row(record)) for record in puts),
            )
            database.executemany(
                "DELETE FROM records WHERE index_name = ? AND namespace = ? AND id = ?",
                ((index, namespace, record_id) for record_id in removals),
            )
            database.execute("UPDATE indexes SET lsn = ? WHERE name = ?", (lsn, index))

    def drop_namespace(self, index: str, lsn: int, namespace: str) -> None:
        """Commit the deletion of a namespace with its records, and the index's new log sequence number."""
        with self._lock, self._database as database:
            database.execute("DELETE FROM records WHERE index_name = ? AND namespace = ?", (index, namespace))
            database.execute("DELETE FROM namespaces WHERE index_name = ? AND name = ?", (index, namespace))
            database.execute("UPDATE indexes SET lsn = ? WHERE name = ?", (lsn, index))


def _row(record: Record) -> tuple[str, bytes | None, bytes | None, str]:
    values, sparse = record.values, record.sparse
    return (
        record.id,
        None if values is None else values.astype("<f4").tobytes(),
        None if sparse is None else sparse.indices.astype("<u4").tobytes() + sparse.values.astype("<f4").tobytes(),
        json.dumps(record.metadata),
    )


def _sparse(stored: bytes) -> SparseVector:
    half = len(stored) // 2
    return SparseVector(np.frombuffer(stored[:half], "<u4"), np.frombuffer(stored[half:], "<f4"))
