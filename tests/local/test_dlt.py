"""The local `dlt`: what it registers, what it counts, what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pyspark.errors import PySparkException
from pyspark.pipelines.graph_element_registry import GraphElementRegistry, graph_element_registration_context
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it
from pyspark.sql.connect.dataframe import DataFrame as ConnectDataFrame

from local.notebook_path import dlt
from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyspark.pipelines.flow import AutoCdcFlow, Flow
    from pyspark.pipelines.output import Output
    from pyspark.sql import DataFrame, SparkSession

table: Callable[..., Callable[[Callable[[], DataFrame]], Callable[[], DataFrame]]] = dlt.table  # with parentheses


class Graph(GraphElementRegistry):
    """A pipeline that keeps what is declared and runs nothing."""

    def __init__(self) -> None:
        self.outputs: list[Any] = []
        self.flows: list[Flow] = []

    def register_output(self, output: Output) -> None:
        self.outputs.append(output)

    def register_flow(self, flow: Flow) -> None:
        self.flows.append(flow)

    def register_auto_cdc_flow(self, flow: AutoCdcFlow) -> None:
        raise NotImplementedError(flow)

    def register_sql(self, sql_text: str, file_path: Path) -> None:
        raise NotImplementedError(sql_text, file_path)


@pytest.fixture
def graph() -> Iterator[Graph]:
    graph = Graph()
    with graph_element_registration_context(graph):
        yield graph


def numbers(spark: SparkSession) -> DataFrame:
    """Rows 0 to 9, and one whose number is NULL."""
    return spark.range(11).selectExpr("if(id < 10, id, NULL) AS n")


def result(frame: DataFrame) -> tuple[list[int | None], dict[str, dict[str, int]]]:
    """Give the numbers of a frame, and what was observed on the way."""
    kept = [row.n for row in frame.collect()]
    information: Any = frame.executionInfo
    return kept, dict(information.flows)


def test_a_table_is_declared_with_a_flow_into_it(graph: Graph) -> None:
    @table(
        name="articles",
        comment="what it holds",
        table_properties={"quality": "gold"},
        partition_cols=["day"],
        schema="n BIGINT",
        spark_conf={"a": "b"},
    )
    def anything() -> DataFrame:
        raise NotImplementedError

    (output,), (flow,) = graph.outputs, graph.flows
    assert (output.name, output.comment, output.schema) == ("articles", "what it holds", "n BIGINT")
    assert (output.table_properties, output.partition_cols) == ({"quality": "gold"}, ["day"])
    assert (flow.name, flow.target, flow.spark_conf) == ("articles", "articles", {"a": "b"})


def test_without_a_name_the_function_gives_it_with_and_without_parentheses(graph: Graph) -> None:
    @dlt.table
    def bare() -> DataFrame:
        raise NotImplementedError

    @table()
    def called() -> DataFrame:
        raise NotImplementedError

    assert [output.name for output in graph.outputs] == [flow.name for flow in graph.flows] == ["bare", "called"]


def test_clustering_is_taken_and_left_out(graph: Graph) -> None:
    @table(cluster_by=["n"])
    def clustered() -> DataFrame:
        raise NotImplementedError

    assert graph.outputs[0].cluster_by is None


def test_expectations_count_each_refused_row_then_keep_or_drop_it(graph: Graph, spark: SparkSession) -> None:
    @table(name="checked")
    @dlt.expect("is_small", "n < 8")
    @dlt.expect_all({"is_not_three": "n != 3"})
    @dlt.expect_or_drop("is_even", "n % 2 = 0")
    @dlt.expect_all_or_drop({"is_not_zero": "n != 0"})
    def flow() -> DataFrame:
        return numbers(spark)

    kept, observed = result(graph.flows[0].func())
    assert kept == [2, 4, 6, 8]  # NULL is refused by every rule, and dropped by one that drops
    # Counted before any is dropped, so that each rule counts all it refuses.
    assert observed == {
        "checked.rows": {"n_rows": 11, "is_small": 3, "is_not_three": 2, "is_even": 6, "is_not_zero": 2}
    }


def test_rows_that_only_warn_stay(graph: Graph, spark: SparkSession) -> None:
    @table(name="warned")
    @dlt.expect("is_there", "n IS NOT NULL")
    def flow() -> DataFrame:
        return numbers(spark)

    kept, observed = result(graph.flows[0].func())
    assert kept == [*range(10), None]
    assert observed == {"warned.rows": {"n_rows": 11, "is_there": 1}}


@pytest.mark.parametrize("condition", ["n < 9", "n < 100"])  # a row refused, and one that is NULL
def test_an_expectation_that_fails_names_the_table_and_the_rule(
    graph: Graph, spark: SparkSession, condition: str
) -> None:
    @table(name="strict")
    @dlt.expect_or_fail("is_small", condition)
    @dlt.expect_all_or_fail({"is_not_negative": "coalesce(n, 0) >= 0"})
    def flow() -> DataFrame:
        return numbers(spark)

    with pytest.raises(PySparkException, match="strict: a row violates is_small"):
        graph.flows[0].func().collect()


def test_an_expectation_that_holds_lets_every_row_through(graph: Graph, spark: SparkSession) -> None:
    @dlt.table
    @dlt.expect_all_or_fail({"is_small": "n IS NULL OR n < 10"})
    def whole() -> DataFrame:
        return numbers(spark)

    assert len(graph.flows[0].func().collect()) == 11


def test_an_expectation_above_a_table_is_an_error_that_says_where_it_belongs(graph: Graph) -> None:
    with pytest.raises(SettingsError, match=r"^an expectation stands above @dlt.table: put it below$"):

        @dlt.expect("is_there", "n IS NOT NULL")
        @dlt.table
        def upside_down() -> DataFrame:
            raise NotImplementedError

    assert len(graph.flows) == 1  # the table itself was fine


@pytest.mark.parametrize("operator", dlt._INSTEAD)
def test_an_operator_that_breaks_flows_is_an_error_that_says_what_to_write(
    graph: Graph, spark: SparkSession, operator: str
) -> None:
    @table(name="broken")
    def flow() -> DataFrame:
        refused: DataFrame = getattr(numbers(spark), operator)("n")
        return refused

    before = getattr(ConnectDataFrame, operator)
    with pytest.raises(SettingsError) as error:
        graph.flows[0].func()
    assert str(error.value) == (
        f"{operator} in the flow of broken does not work in open source pipelines: {dlt._INSTEAD[operator]}"
    )
    assert getattr(ConnectDataFrame, operator) is before


def test_those_operators_work_again_outside_of_a_flow(graph: Graph, spark: SparkSession) -> None:
    @dlt.table
    def fine() -> DataFrame:
        return numbers(spark).select("n").where("n > 7")

    assert result(graph.flows[0].func())[0] == [8, 9]
    assert numbers(spark).withColumn("m", F.col("n")).dropna().dropDuplicates().drop("n").count() == 10


def test_read_and_read_stream_name_a_table_of_the_session(spark: SparkSession) -> None:
    spark.sql("CREATE SCHEMA dlt_shim")
    numbers(spark).write.saveAsTable("dlt_shim.numbers")
    assert dlt.read("dlt_shim.numbers").count() == 11
    assert dlt.read_stream("dlt_shim.numbers").isStreaming


@pytest.mark.parametrize("name", ["apply_changes", "create_streaming_table", "view"])
def test_what_open_source_has_no_form_for_says_what_there_is(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"^dlt.{name} has no open source form here; the local dlt has table, "):
        getattr(dlt, name)
