"""`import dlt` for open source Spark: Delta Live Tables' decorators over Spark Declarative Pipelines.

Found only where `local` puts this folder on the path; on Databricks the name is the runtime's own. It covers what this
bundle's notebooks use, and stands guard over what Apache Spark 4.2 does to a flow over another table of the pipeline:
some operators silently lose the dependency from the second run on, others fail on an empty catalog. Each is an error
here that says what to write instead.

What each table took in and each rule refused is observed as `<table>.rows`, a column a rule and `n_rows`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from pyspark import pipelines as sdp
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it
from pyspark.sql.connect.dataframe import DataFrame as ConnectDataFrame

from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pyspark.sql import DataFrame

    QueryFunction = Callable[[], DataFrame]
    Decorator = Callable[[QueryFunction], QueryFunction]

_SELECT = "write select or selectExpr with the columns you want"
_NO_STATE = "leave repeated rows to the sync, which counts them once"
_INSTEAD = {
    "withColumn": _SELECT,
    "withColumns": _SELECT,
    "withColumnRenamed": "write select with col(...).alias(...)",
    "withColumnsRenamed": "write select with col(...).alias(...)",
    "drop": "write selectExpr('* EXCEPT (column)')",
    "fillna": "write select with coalesce(...)",
    "dropna": "write where('column IS NOT NULL')",
    "dropDuplicates": _NO_STATE,
    "drop_duplicates": _NO_STATE,
    "dropDuplicatesWithinWatermark": _NO_STATE,
    "withWatermark": "keep the flow free of state: the sync decides among versions",
    "mapInPandas": "write an iterator pandas_udf inside select",
}
"""Operators of Spark 4.2 that lose the dependency between tables, or fail, inside a flow function (SPARK seen)."""


@dataclass(frozen=True, slots=True)
class _Expectations:
    """Rules of one decorator."""

    action: Literal["warn", "drop", "fail"]
    rules: Mapping[str, str]  # name -> SQL condition; NULL does not hold


def table(  # noqa: PLR0913  # Databricks' signature
    query_function: QueryFunction | None = None,
    *,
    name: str | None = None,
    comment: str | None = None,
    spark_conf: dict[str, str] | None = None,
    table_properties: dict[str, str] | None = None,
    partition_cols: list[str] | None = None,
    cluster_by: list[str] | None = None,  # noqa: ARG001  # fails here, and means nothing on a laptop's files
    schema: str | None = None,
) -> Any:
    """Declare a streaming table. Expectations stand below this decorator, as Databricks wants them too."""

    def declare(function: QueryFunction) -> QueryFunction:
        table_name = name or function.__name__

        def flow() -> DataFrame:
            with _refused_operators(table_name):
                rows = function()
            return _watched(rows, table_name, getattr(function, "expectations", ()))

        sdp.table(
            name=table_name,
            comment=comment,
            spark_conf=spark_conf,
            table_properties=table_properties,
            partition_cols=partition_cols,
            schema=schema,
        )(flow)
        function.is_declared = True  # type: ignore[attr-defined]
        return function

    return declare(query_function) if query_function else declare


def expect(name: str, condition: str) -> Decorator:
    """Count the rows for which the condition does not hold, and keep them."""
    return _expectations("warn", {name: condition})


def expect_all(rules: Mapping[str, str]) -> Decorator:
    """`expect` for several rules."""
    return _expectations("warn", rules)


def expect_or_drop(name: str, condition: str) -> Decorator:
    """Count and drop the rows for which the condition does not hold."""
    return _expectations("drop", {name: condition})


def expect_all_or_drop(rules: Mapping[str, str]) -> Decorator:
    """`expect_or_drop` for several rules."""
    return _expectations("drop", rules)


def expect_or_fail(name: str, condition: str) -> Decorator:
    """Fail the update at the first row for which the condition does not hold."""
    return _expectations("fail", {name: condition})


def expect_all_or_fail(rules: Mapping[str, str]) -> Decorator:
    """`expect_or_fail` for several rules."""
    return _expectations("fail", rules)


def read_stream(name: str) -> DataFrame:
    """Stream another table of the pipeline."""
    return SparkSession.active().readStream.table(name)


def read(name: str) -> DataFrame:
    """Read another table of the pipeline as a whole."""
    return SparkSession.active().read.table(name)


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(
        f"dlt.{name} has no open source form here; the local dlt has table, read, read_stream and the expectations"
    )


def _expectations(action: Literal["warn", "drop", "fail"], rules: Mapping[str, str]) -> Decorator:
    def attach(function: QueryFunction) -> QueryFunction:
        if hasattr(function, "is_declared"):
            raise SettingsError("an expectation stands above @dlt.table: put it below")
        function.expectations = (*getattr(function, "expectations", ()), _Expectations(action, rules))  # type: ignore[attr-defined]
        return function

    return attach


def _watched(rows: DataFrame, name: str, expectations: tuple[_Expectations, ...]) -> DataFrame:
    """Count rows and refusals, then drop or fail."""
    rules = {rule: condition for group in expectations for rule, condition in group.rules.items()}
    refused = [F.count_if(F.expr(f"NOT coalesce({condition}, false)")).alias(rule) for rule, condition in rules.items()]
    rows = rows.observe(f"{name}.rows", F.count(F.lit(1)).alias("n_rows"), *refused)
    for group in expectations:
        for rule, condition in group.rules.items():
            holds = f"coalesce({condition}, false)"
            if group.action == "drop":
                rows = rows.where(holds)
            elif group.action == "fail":
                rows = rows.where(f"{holds} OR raise_error('{name}: a row violates {rule}')")
    return rows


@contextmanager
def _refused_operators(table_name: str) -> Iterator[None]:
    originals = {operator: getattr(ConnectDataFrame, operator) for operator in _INSTEAD}

    def refusal(operator: str) -> Callable[..., NoReturn]:
        def refuse(*_args: object, **_kwargs: object) -> NoReturn:
            raise SettingsError(
                f"{operator} in the flow of {table_name} does not work in open source pipelines: {_INSTEAD[operator]}"
            )

        return refuse

    try:
        for operator in _INSTEAD:
            setattr(ConnectDataFrame, operator, refusal(operator))
        yield
    finally:
        for operator, original in originals.items():
            setattr(ConnectDataFrame, operator, original)
