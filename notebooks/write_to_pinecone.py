# Databricks notebook source
# MAGIC %md
# MAGIC # Write to Pinecone
# MAGIC One sync: the namespace comes to hold what the winners in `embeddings` say, and nothing else of ours.
# MAGIC Then the vectors that the model made are kept, so that it never makes them again.

# COMMAND ----------

from pipelines.embedding_cache import keep_vectors
from pipelines.settings import load_settings
from pipelines.sync import sync

settings = load_settings(dbutils.widgets.getAll())

# COMMAND ----------

report = sync(spark, settings, dbutils.secrets.get(settings.secret_scope, settings.secret_key), on_progress=print)

# COMMAND ----------

keep_vectors(spark, settings, report)
dbutils.notebook.exit(report.as_json())
