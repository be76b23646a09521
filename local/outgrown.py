"""Tables with the source's columns, when the source's columns changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pyspark.sql.types import StructType

from pipelines.source import source_schema
from pipelines.tables import DOCUMENTS_QUARANTINE, RAW

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipelines.settings import Settings


def remake_outgrown(spark: SparkSession, settings: Settings) -> None:
    """Before a full refresh of all tables: make anew those with a column that the source lacks or has otherwise.

    Databricks does so itself. Spark empties a table and alters its columns, and Delta drops or retypes none.

    Raises:
        SourceError: the source is not fit to be read.
    """
    schema = source_schema(spark, settings)
    for table in (RAW, DOCUMENTS_QUARANTINE):
        name = settings.table(table.name)
        if not spark.catalog.tableExists(name):
            continue
        declared = cast("StructType", StructType.fromDDL(table.ddl(schema)))  # a DDL of columns is one
        kinds = {field.name: field.dataType for field in declared}
        if any(kinds.get(field.name) != field.dataType for field in spark.table(name).schema):
            spark.sql(table.replacement(name, schema))
