"""Metadata: every type becomes something that Pinecone takes, or leaves its key out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipelines.metadata import metadata_json

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# SQL of a value -> what a record says; None: the key is left out.
VALUES = [
    ("'it\\'s \"\\\\\" \\U0001F600'", 'it\'s "\\" \U0001f600'),
    ("CAST(X'41ff' AS STRING)", "A\ufffd"),
    ("''", ""),
    ("CAST(NULL AS STRING)", None),
    ("7", 7),
    ("CAST(-3 AS TINYINT)", -3),
    ("9007199254740991L", 9007199254740991),
    ("CAST(NULL AS BIGINT)", None),
    ("1.5D", 1.5),
    ("CAST(0.25 AS FLOAT)", 0.25),
    ("CAST('NaN' AS DOUBLE)", None),
    ("CAST('Infinity' AS DOUBLE)", None),
    ("CAST('-Infinity' AS FLOAT)", None),
    ("CAST(12.50 AS DECIMAL(6, 2))", 12.5),
    ("true", True),
    ("DATE'1970-01-03'", 172_800),
    ("DATE'2040-01-01'", 2_208_988_800),
    ("DATE'1890-01-01'", -2_524_521_600),
    ("DATE'9999-12-31'", 253_402_214_400),
    ("TIMESTAMP'2026-01-02 03:04:05.9'", 1_767_323_045),
    ("TIMESTAMP_NTZ'2026-01-02 03:04:05'", 1_767_323_045),
    ("CAST(NULL AS TIMESTAMP)", None),
    ("array('a', NULL, '\"b\"')", ["a", '"b"']),
    ("array(1, 2)", ["1", "2"]),
    ("array(CAST('NaN' AS DOUBLE))", ["NaN"]),
    ("array()", "[]"),
    ("array(array('a'))", '[["a"]]'),
    ("CAST(NULL AS ARRAY<STRING>)", None),
    ("struct(1 AS x, 'a' AS y)", '{"x":1,"y":"a"}'),
    ("map('k', 1)", '{"k":1}'),
    ("X'414243'", "QUJD"),
    ("INTERVAL 1 DAY", "INTERVAL '1' DAY"),
]


def test_each_type_has_its_form_and_null_leaves_its_key_out(spark: SparkSession) -> None:
    row = spark.sql("SELECT " + ", ".join(f"{sql} AS `c.{i}`" for i, (sql, _) in enumerate(VALUES)))
    found = json.loads(row.select(metadata_json(row.columns, row.schema)).collect()[0][0], parse_constant=str)
    assert found == {f"c.{i}": value for i, (_, value) in enumerate(VALUES) if value is not None}
    types = [(type(found[f"c.{i}"]), type(value)) for i, (_, value) in enumerate(VALUES) if value is not None]
    assert all(got is wanted for got, wanted in types)


def test_no_text_of_any_depth_leaves_bytes_that_are_none(spark: SparkSession) -> None:
    row = spark.sql("SELECT CAST(X'41ff' AS STRING) AS a").selectExpr("a", "array(a) AS b", "struct(a) AS c")
    found = row.select(metadata_json(row.columns, row.schema).alias("json"))
    assert found.selectExpr("is_valid_utf8(json) AS valid", "json").collect() == [
        (True, '{"a":"A\ufffd","b":["A\ufffd"],"c":"{\\"a\\":\\"A\ufffd\\"}"}')
    ]


def test_no_column_or_only_null_is_an_empty_object(spark: SparkSession) -> None:
    row = spark.sql("SELECT CAST(NULL AS STRING) AS a")
    assert row.select(metadata_json([], row.schema), metadata_json(["a"], row.schema)).collect() == [("{}", "{}")]
