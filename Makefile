# Needs make and Python 3.11 or later; all else is installed into .venv.

# uv installs torch for Linux (4.6 GB with CUDA) several times as fast as pip does.
UV := uv==0.13.9
PIP_FILES := requirements.txt requirements-job.txt pyproject.toml
# Looked up only when .venv is made: the first Python that is new enough and can make virtual environments.
PYTHON = $(or $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done \
	),$(error Needs Python 3.11 or later with its venv module, python3 is $(or $(shell python3 --version 2>/dev/null),missing): \
	install one, for example python3.13 (on Debian and Ubuntu also python3.13-venv), and run make again))

# Tests that take DataFrames and write no table.
CONNECT_TESTS := $(patsubst %,tests/pipelines/test_%.py,changes documents frames heads ids metadata rows rules to_documents)

.PHONY: help run test test-long test-connect soak lint bench check-bundle

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

run: .venv/local.stamp  ## documents in, searchable index out, on this machine; ARGS="..." goes to `local run`
	.venv/bin/python -m local run $(ARGS)

test: .venv/dev.stamp .venv/sdk9.stamp  ## every test but the long ones; ARGS="..." goes to pytest
	.venv/bin/python -m pytest -m "not long" $(ARGS)

test-long: .venv/dev.stamp  ## the long ones
	.venv/bin/python -m pytest -m long $(ARGS)

test-connect: .venv/local.stamp .venv/connect.stamp  ## what takes DataFrames, through databricks-connect
	.venv/connect/bin/python -m pytest --connect -n0 -W ignore $(CONNECT_TESTS) $(ARGS)

soak: .venv/dev.stamp  ## new histories and kills for so long: MINUTES=60
	.venv/bin/python -m tests.soak $(or $(MINUTES),60)

lint: .venv/dev.stamp  ## ruff and mypy
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	.venv/bin/python -m mypy

check-bundle: .venv/bundle.stamp  ## what is wrong with the Databricks bundle, without a workspace
	.venv/bin/python -m local check-bundle

bench: .venv/dev.stamp .venv/bench.stamp .venv/fastembed.stamp  ## every benchmark, one after the other
	for file in benchmarks/[!_]*.py; do PYTHONPATH=. .venv/bin/python $$file || exit; done

# A stamp is named after an extra of pyproject.toml. `--python` keeps uv out of whatever environment is active.
.venv/%.stamp: $(PIP_FILES) .venv/$(UV)
	.venv/bin/python -m uv pip install --python .venv/bin/python $(PIP_FILES:%=-r %) --extra $*
	touch $@

# The Pinecone client of a year ago, for which the index server speaks an older API.
.venv/sdk9.stamp: .venv/$(UV)
	.venv/bin/python -m uv venv --quiet --python .venv/bin/python .venv/sdk9
	.venv/bin/python -m uv pip install --python .venv/sdk9/bin/python pinecone==9.1.0
	touch $@

# The client of a workspace, which brings a pyspark of its own.
.venv/connect.stamp: $(PIP_FILES) .venv/$(UV)
	.venv/bin/python -m uv venv --quiet --clear --python .venv/bin/python .venv/connect
	.venv/bin/python -m uv pip install --python .venv/connect/bin/python -r requirements-job.txt -r pyproject.toml --extra connect
	touch $@

# What embeddings are compared with, and what asks for other versions than our own packages do.
.venv/fastembed.stamp: .venv/$(UV)
	.venv/bin/python -m uv venv --quiet --python .venv/bin/python .venv/fastembed
	.venv/bin/python -m uv pip install --python .venv/fastembed/bin/python fastembed==0.9.1
	touch $@

.venv/$(UV):
	$(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --no-compile --disable-pip-version-check $(UV)
	touch $@
