# Databricks notebook source
# MAGIC %md
# MAGIC # Search
# MAGIC A question to the index, answered by sentences, each between its neighbours. Job `search` runs it with its
# MAGIC deployment's settings, and installs what the pipeline does: questions go through the same model as sentences.

# COMMAND ----------

from pipelines.search import Question, as_text, search

question, settings = Question.among(dbutils.widgets.getAll())

# COMMAND ----------

answers = search(settings, dbutils.secrets.get(settings.secret_scope, settings.secret_key), question)
dbutils.notebook.exit(as_text(answers))
