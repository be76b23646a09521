# Databricks notebook source
# MAGIC %md
# MAGIC # Prepare
# MAGIC Before the pipeline: is the source fit to be read, are the state tables there, does the index fit the model?

# COMMAND ----------

from pipelines.prepare import prepare
from pipelines.settings import load_settings

settings = load_settings(dbutils.widgets.getAll())

# COMMAND ----------

prepared = prepare(spark, settings, dbutils.secrets.get(settings.secret_scope, settings.secret_key))
dbutils.notebook.exit(prepared.as_json())
