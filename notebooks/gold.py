# Databricks notebook source
# MAGIC %md
# MAGIC # Gold: `embeddings`
# MAGIC One row per sentence, ready for the index.

# COMMAND ----------

import dlt
from pipelines import rules
from pipelines.embedding_cache import kept_vectors
from pipelines.settings import configured, load_settings
from pipelines.source import read_table
from pipelines.tables import EMBEDDINGS
from pipelines.to_embeddings import to_embeddings

settings = load_settings(configured(spark.conf))
kept = kept_vectors(spark, settings)

# COMMAND ----------


@dlt.table(**EMBEDDINGS.declaration())
@dlt.expect_all_or_fail(rules.EMBEDDINGS)
def embeddings():
    return to_embeddings(read_table(spark, "sentences"), kept, settings)
