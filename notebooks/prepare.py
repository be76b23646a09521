# Databricks notebook source
# MAGIC %md
# MAGIC # Prepare
# MAGIC Before the pipeline: is the source fit to be read, are the state tables there, does the index fit the model?
# MAGIC And a document that somebody asked to forget leaves the index, whatever becomes of the pipeline.

# COMMAND ----------

from pipelines.forget import forget
from pipelines.prepare import prepare
from pipelines.settings import load_settings

settings = load_settings(dbutils.widgets.getAll())
api_key = dbutils.secrets.get(settings.secret_scope, settings.secret_key)

# COMMAND ----------

prepared = prepare(spark, settings, api_key)

# COMMAND ----------

forget(spark, settings, api_key, on_progress=print)
dbutils.notebook.exit(prepared.as_json())
