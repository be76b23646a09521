# Databricks notebook source
# MAGIC %md
# MAGIC # Write to Pinecone
# MAGIC One sync: the namespace comes to hold what the winners in `embeddings` say, and nothing else of ours.
# MAGIC Before it, a document that somebody asked to forget leaves the index.

# COMMAND ----------

from pipelines.forget import forget
from pipelines.settings import load_settings
from pipelines.sync import sync

settings = load_settings(dbutils.widgets.getAll())
api_key = dbutils.secrets.get(settings.secret_scope, settings.secret_key)

# COMMAND ----------

forget(spark, settings, api_key, on_progress=print)

# COMMAND ----------

report = sync(spark, settings, api_key, on_progress=print)
dbutils.notebook.exit(report.as_json())
