"""Every table says what it is."""

from __future__ import annotations

import pytest
from pyspark.sql.types import StringType, StructField, StructType

from pipelines import tables
from pipelines.state_tables import STATE_TABLES
from pipelines.tables import Table

ALL = [*(value for value in vars(tables).values() if isinstance(value, Table)), *STATE_TABLES]


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_every_table_and_column_has_a_comment_and_a_quality(table: Table) -> None:
    assert table.comment.endswith(".")
    assert table.quality in ("bronze", "silver", "gold")
    assert all(comment for _, comment in table.columns.values())
    feed = {"delta.enableChangeDataFeed": "true"} if table is tables.EMBEDDINGS else {}
    # Every sync is of one index and namespace; of ids and hashes, which lie anywhere in a file, Delta keeps no minimum.
    skipping = {"delta.dataSkippingNumIndexedCols": "2"} if table.name == "index_state" else {}
    assert table.declaration()["table_properties"] == {"quality": table.quality, **feed, **skipping}
    assert not skipping or list(table.columns)[:2] == ["index", "namespace"]
    assert table.ddl().count(" COMMENT '") == len(table.columns)


def test_table_names_are_unique() -> None:
    assert len({table.name for table in ALL}) == len(ALL) == 11


def test_a_quote_or_backslash_in_a_comment_is_escaped() -> None:
    table = Table("t", "the table's \\ own", "gold", {"a": ("INT", "it's a \\ column")})
    assert table.ddl() == "`a` INT COMMENT 'it\\'s a \\\\ column'"
    assert "COMMENT 'the table\\'s \\\\ own'" in table.creation("s.t")


def test_the_sources_columns_come_first_with_their_own_comments() -> None:
    table = Table("t", "x", "bronze", {"ours": ("INT", "ours")})
    source = StructType(
        [
            StructField("a b", StringType(), metadata={"comment": "theirs"}),
            StructField("c`d", StructType([StructField("x-y", StringType())]), nullable=False),
        ]
    )
    assert table.ddl(source) == (
        "`a b` string COMMENT 'theirs', `c``d` STRUCT<`x-y`: string> COMMENT 'a column of the source', "
        "`ours` INT COMMENT 'ours'"
    )
