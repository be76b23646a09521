# Databricks notebook source
# MAGIC %md
# MAGIC # Write to Pinecone
# MAGIC One sync: the namespace comes to hold what the winners in `embeddings` say, and nothing else of ours.

# COMMAND ----------

from pipelines.settings import load_settings
from pipelines.sync import sync

settings = load_settings(dbutils.widgets.getAll())

# COMMAND ----------

report = sync(spark, settings, dbutils.secrets.get(settings.secret_scope, settings.secret_key), on_progress=print)
dbutils.notebook.exit(report.as_json())
