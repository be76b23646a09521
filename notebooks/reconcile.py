# Databricks notebook source
# MAGIC %md
# MAGIC # Reconcile
# MAGIC What the index really holds, record by record, against what it should. Read-only, unless `repair` is true.

# COMMAND ----------

from pipelines.reconcile import reconcile
from pipelines.settings import load_settings

settings = load_settings(dbutils.widgets.getAll())

# COMMAND ----------

found = reconcile(spark, settings, dbutils.secrets.get(settings.secret_scope, settings.secret_key), on_progress=print)
dbutils.notebook.exit(found.as_json())
