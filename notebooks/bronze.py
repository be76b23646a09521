# Databricks notebook source
# MAGIC %md
# MAGIC # Bronze: `raw`
# MAGIC The source's change feed, row by row, untouched. Columns that nobody chose end here.

# COMMAND ----------

import dlt
from pipelines.settings import configured, load_settings
from pipelines.source import read_source, source_schema
from pipelines.tables import RAW
from pipelines.to_raw import to_raw

settings = load_settings(configured(spark.conf))
schema = source_schema(spark, settings)

# COMMAND ----------


@dlt.table(**RAW.declaration(schema))
def raw():
    return to_raw(read_source(spark, settings), settings)
