"""Tables that queries read."""

from __future__ import annotations

import pytest

from local.bundle.sql_tables import tables_of


@pytest.mark.parametrize(
    ("query", "tables"),
    [
        ("SELECT 1", []),
        ("SELECT * FROM a", ["a"]),
        ("select * from c.s.a as x join `s`.`b` y using (id)", ["c.s.a", "s.b"]),
        ("SELECT * FROM a x, b AS y, c WHERE x.id = y.id", ["a", "b", "c"]),
        ("SELECT * FROM a LEFT ANTI JOIN b ON a.id = b.id GROUP BY 1", ["a", "b"]),
        ("WITH x AS (SELECT * FROM a), y (n) AS (SELECT 1) SELECT * FROM x JOIN y JOIN z", ["a", "z"]),
        ("SELECT * FROM (SELECT * FROM a) x, LATERAL explode(x.list)", ["a"]),
        ("SELECT * FROM range(10)", []),
        ("SELECT * FROM VALUES (1), (2)", []),
        ("SELECT extract(HOUR FROM at), trim(BOTH 'x' FROM name) FROM a", ["a"]),
        ("SELECT a.x IS DISTINCT FROM b.x FROM a", ["a"]),
        ("SELECT count(*) FILTER (WHERE x IN (SELECT y FROM b)) FROM a", ["b", "a"]),
        ("-- FROM x\nSELECT 'FROM y', \"FROM z\" /* JOIN w\n */ FROM a", ["a"]),
        ("SELECT * FROM a -- it's\nJOIN b", ["a", "b"]),
        ("SELECT * FROM `an odd name`", ["an odd name"]),
        ("SELECT * FROM a WHERE id IN (:ids) LIMIT 5 UNION ALL SELECT * FROM b", ["a", "b"]),
        ("FROM", []),
    ],
)
def test_names_after_from_and_join_are_tables(query: str, tables: list[str]) -> None:
    assert [".".join(name) for name in tables_of(query)] == tables
