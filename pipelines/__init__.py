"""Keep a vector index in step with changing documents: all logic, importable, layered.

Each module imports only from those above it: pure Python, then the model, then Spark, then the index,
then the sync.
"""
