"""Documents that are rows of a file: JSON Lines, CSV, Parquet. Columns keep their names, order and types.

The whole file is held in memory, as an Arrow table.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from local.strict_json import strict_json, unique_keys
from local.text_file import read_text
from pipelines.errors import SourceError
from pipelines.text import replace_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read_table_file(path: Path) -> pa.Table:
    """Read a file by its ending, one of `TABLE_ENDINGS`.

    Raises:
        SourceError: its content is not what its ending says.
    """
    return _READERS[path.suffix.lower()](path)


def _read_jsonl(path: Path) -> pa.Table:
    """One JSON object a line, blank lines passed over; a key that a line lacks is NULL there.

    A column is BOOLEAN, BIGINT or DOUBLE where all its values fit that exactly. Any other column is a string, in which
    strings stand as they are and all else (a list, an object, a number among strings) as its JSON text. So is a number
    that BIGINT cannot hold, rather than a rounded one. A lone surrogate, which no UTF-8 can carry, becomes U+FFFD.
    """
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(read_text(path).split("\n"), 1):  # splitlines() would cut inside strings too
        if not line.strip():
            continue
        try:
            row = strict_json(line, unique_keys)
            if not isinstance(row, dict):
                raise SourceError(f"{path}, line {number}: a JSON {type(row).__name__}; allowed is one object a line")
            rows.append({key: _scalar(value) for key, value in row.items()})
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{path}, line {number}: no valid JSON ({error}); allowed is one object a line") from None
    keys = dict.fromkeys(key for row in rows for key in row)
    columns = [_column([row.get(key) for row in rows]) for key in keys]
    return pa.table(columns, [replace_surrogates(key) for key in keys])


def _scalar(value: Any) -> Any:
    """Make a list or an object its JSON text; it may nest deeper than JSON can be written (RecursionError)."""
    value = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
    return replace_surrogates(value) if isinstance(value, str) else value


def _column(values: list[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    try:
        if not kinds:
            return pa.nulls(len(values))
        if kinds == {bool}:
            return pa.array(values, pa.bool_())
        if kinds == {int}:
            return pa.array(values, pa.int64())
        if kinds <= {int, float}:
            return pa.array(values, pa.float64())
    except (OverflowError, pa.ArrowInvalid):
        pass  # a number too big to be exact
    return pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in values], pa.string())


def _read_csv(path: Path) -> pa.Table:
    """Comma separated, double quotes, a header (RFC 4180); every column a string, an empty field an empty string.

    A column without a name, as pandas writes its index, is called `_c` and its number, as Spark does.
    """
    csv.field_size_limit(sys.maxsize)  # the default, 128 KiB, is less than a long document
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    rows: list[list[str]] = []
    number = 1  # of the line a row begins in; line_num is the one it ends in
    try:
        for row in reader:
            if rows and row and len(row) != len(rows[0]):
                raise SourceError(f"{path}, line {number}: {len(row)} fields, but the header has {len(rows[0])}")
            if row:
                rows.append(row)
            number = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(f"{path}, line {number}: no valid CSV ({error})") from None
    if not rows:
        raise SourceError(f"{path} is empty: its first line must name the columns")
    names = [name or f"_c{place}" for place, name in enumerate(rows[0])]
    columns = list(zip(*rows[1:], strict=True)) or [() for _ in names]
    return pa.table([pa.array(column, pa.string()) for column in columns], names)


def _read_parquet(path: Path) -> pa.Table:
    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(
            f"{path} cannot be read as Parquet ({reason}): write it again, or give it its own ending"
        ) from error
    return pa.table([_valid(column) for column in table.columns], table.column_names)


def _valid(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Repair strings that are not UTF-8: Parquet carries them, but the first one that Python meets ends the run."""
    if pa.types.is_dictionary(column.type):  # what pandas calls a categorical
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        contents = column.cast(pa.large_binary()).to_pylist()
        return pa.array([None if c is None else c.decode(errors="replace") for c in contents], pa.string())
    return column


_READERS: dict[str, Callable[[Path], pa.Table]] = {".jsonl": _read_jsonl, ".csv": _read_csv, ".parquet": _read_parquet}
TABLE_ENDINGS = tuple(_READERS)
