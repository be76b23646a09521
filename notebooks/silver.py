# Databricks notebook source
# MAGIC %md
# MAGIC # Silver: `documents`, `documents_quarantine`, `sentences`
# MAGIC Versions of documents, cleaned; what the rules refuse, with the reasons; and each version's sentences.

# COMMAND ----------

import dlt
from pipelines import rules
from pipelines.settings import configured, load_settings
from pipelines.source import read_table, source_schema
from pipelines.tables import DOCUMENTS, DOCUMENTS_QUARANTINE, SENTENCES
from pipelines.to_documents import to_documents, to_documents_quarantine
from pipelines.to_sentences import to_sentences

settings = load_settings(configured(spark.conf))
schema = source_schema(spark, settings)

# COMMAND ----------


@dlt.table(**DOCUMENTS.declaration())
@dlt.expect_all_or_drop(rules.DOCUMENTS)
def documents():
    return to_documents(read_table(spark, "raw"), settings, schema)


# COMMAND ----------


@dlt.table(**DOCUMENTS_QUARANTINE.declaration(schema))
def documents_quarantine():
    return to_documents_quarantine(read_table(spark, "raw"), settings, schema)


# COMMAND ----------


@dlt.table(**SENTENCES.declaration())
@dlt.expect_all(rules.SENTENCES)
def sentences():
    return to_sentences(read_table(spark, "documents"), settings)
