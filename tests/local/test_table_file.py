from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from local.table_file import TABLE_ENDINGS, read_table_file
from pipelines.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, ending: str, content: str | bytes) -> pa.Table:
    path = folder / f"documents{ending}"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table_file(path)


def column(folder: Path, values: str) -> tuple[str, list[Any]]:
    """Type and values that a JSON list of values gets as a column of JSON Lines."""
    lines = "\n".join(f'{{"x": {json.dumps(value)}}}' for value in json.loads(values))
    table = read(folder, ".jsonl", lines)
    return str(table["x"].type), table["x"].to_pylist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ('["a", null, ""]', ("string", ["a", None, ""])),
        ("[1, null, -2]", ("int64", [1, None, -2])),
        ("[1, 2.5]", ("double", [1.0, 2.5])),
        ("[true, null]", ("bool", [True, None])),
        ("[null, null]", ("null", [None, None])),
        ('["a", 1, 2.5, true, null]', ("string", ["a", "1", "2.5", "true", None])),
        ("[1, true]", ("string", ["1", "true"])),
        ('[["é", 1], {"b": {"c": null}}]', ("string", ['["é", 1]', '{"b": {"c": null}}'])),
        ("[9223372036854775807]", ("int64", [2**63 - 1])),
        ("[9223372036854775808]", ("string", ["9223372036854775808"])),
        ("[9007199254740993, 0.5]", ("string", ["9007199254740993", "0.5"])),
        ('["a\\ud800b", "\\ud83d\\ude00"]', ("string", ["a\ufffdb", "😀"])),
        ('[["\\udc00"]]', ("string", ['["\ufffd"]'])),
        ('["nul\\u0000"]', ("string", ["nul\0"])),
    ],
)
def test_json_values_get_the_type_that_holds_all_of_them_exactly(
    tmp_path: Path, values: str, expected: tuple[str, list[Any]]
) -> None:
    assert column(tmp_path, values) == expected


def test_json_lines_may_be_blank_lack_keys_and_hold_any_line_separator(tmp_path: Path) -> None:
    table = read(tmp_path, ".jsonl", '\ufeff{"b": "x\u2028y\x85z"}\r\n\n  \n{"a": 1, "b": null}\n')
    assert table.to_pylist() == [{"b": "x\u2028y\x85z", "a": None}, {"b": None, "a": 1}]
    assert table.column_names == ["b", "a"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": 1', "no valid JSON"),
        ('{"a": 1} {"a": 2}', "no valid JSON"),
        ("[1]", "a JSON list; allowed is one object"),
        ("null", "a JSON NoneType; allowed is one object"),
        ('{"a": 1, "a": 2}', "key 'a' twice"),
        ('{"a": NaN}', "NaN is no JSON number"),
        ('{"a": ' + "9" * 5000 + "}", "no valid JSON"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "no valid JSON"),
    ],
)
def test_a_broken_json_line_is_refused_by_its_number(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(SourceError, match=rf"documents\.jsonl, line 3: .*{reason}"):
        read(tmp_path, ".jsonl", '{"a": 1}\n\n' + line + "\n")


def test_json_nested_as_deep_as_python_reads_is_kept_or_refused(tmp_path: Path) -> None:
    kept = 0
    for depth in range(900, 1000):  # the reader goes a level or so deeper than the writer
        try:
            kept += read(tmp_path, ".jsonl", '{"a": ' + "[" * depth + "]" * depth + "}").num_rows
        except SourceError:
            continue
    assert 0 < kept < 100


def test_csv_fields_are_strings_as_they_stand(tmp_path: Path) -> None:
    table = read(tmp_path, ".csv", '\ufeffid,text,n\r\n001," a\r\nb ""q"", ",\r\n\r\n2,\0,3.50\r\n')
    assert table.to_pylist() == [
        {"id": "001", "text": ' a\r\nb "q", ', "n": ""},
        {"id": "2", "text": "\0", "n": "3.50"},
    ]


def test_a_csv_field_may_be_longer_than_the_standard_library_allows(tmp_path: Path) -> None:
    assert len(read(tmp_path, ".csv", f"id,text\n1,{'x' * 1_000_000}")["text"][0].as_py()) == 1_000_000


def test_a_csv_column_without_a_name_gets_its_number(tmp_path: Path) -> None:
    assert read(tmp_path, ".csv", ",id\n0,a\n").column_names == ["_c0", "id"]


def test_a_csv_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    table = read(tmp_path, ".csv", "id,text\n")
    assert (table.num_rows, table.column_names) == (0, ["id", "text"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ('id,text\n1,"a\nb"\n2\n', "line 4: 1 fields, but the header has 2"),
        ('id,text\n1,a\n2,"b"c\n', "line 3: no valid CSV"),
        ('id,text\n1,"never closed\n\n', "line 2: no valid CSV"),
    ],
)
def test_a_broken_csv_is_refused_by_the_line_its_row_begins_in(tmp_path: Path, content: str, reason: str) -> None:
    with pytest.raises(SourceError, match=rf"documents\.csv.*{reason}"):
        read(tmp_path, ".csv", content)


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table({"id": [1], "at": pa.array([0], pa.timestamp("us", "UTC")), "tags": [["a"]], "n": pa.nulls(1)})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read_table_file(tmp_path / "a.parquet").equals(table)


def test_parquet_strings_are_repaired_where_they_are_not_utf_8(tmp_path: Path) -> None:
    broken = pa.array([b"caf\xe9", None, b"ok"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"a": broken, "b": broken.dictionary_encode()}), tmp_path / "a.parquet")
    table = read_table_file(tmp_path / "a.parquet")
    assert table.to_pydict() == {"a": ["caf\ufffd", None, "ok"], "b": ["caf\ufffd", None, "ok"]}


@pytest.mark.parametrize("content", [b"", b"id,text\n1,a\n", b"PAR1" + bytes(8) + b"\x08\0\0\0PAR1"])
def test_what_is_not_parquet_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError, match=r"documents\.parquet cannot be read as Parquet") as refused:
        read(tmp_path, ".parquet", content)
    assert "\n" not in str(refused.value)


# Bytes near to a real file reach further into a reader than bytes from nowhere.
PIECES = [
    b'{"id": 1, "text": "a"}',
    b"id,text",
    b'"',
    b"\\ud800",
    b"\n",
    b"\r",
    b",",
    b"{",
    b"[",
    b"\xff\xfe",
    b"\0",
    b"1e999",
]


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    ending=st.sampled_from(TABLE_ENDINGS),
    content=st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=12).map(b"".join),
)
@example(ending=".jsonl", content=b'{"\\ud800": "\\ud800"}')
@example(ending=".csv", content=b"a\r\rb")
def test_any_bytes_are_documents_or_one_clear_line(tmp_path: Path, ending: str, content: bytes) -> None:
    try:
        table = read(tmp_path, ending, content)
    except SourceError as error:
        assert "\n" not in str(error)  # noqa: PT017  # both outcomes are right
    else:
        table.validate(full=True)
        assert set(table.schema.types) <= {pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.null()}
