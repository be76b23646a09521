"""`dbutils` for notebooks that run here."""

from __future__ import annotations

import pytest

from local.dbutils import Dbutils, NotebookExit
from pipelines.errors import SettingsError

DBUTILS = Dbutils({"index_name": "local", "dry_run": ""}, {"pinecone_api_key": "hush"})


def test_widgets_are_the_jobs_parameters_one_by_one_or_all() -> None:
    assert DBUTILS.widgets.get("index_name") == "local"
    assert DBUTILS.widgets.getAll() == {"index_name": "local", "dry_run": ""}


def test_a_notebook_that_changes_what_it_read_changes_nobody_elses_parameters() -> None:
    DBUTILS.widgets.getAll()["index_name"] = "other"
    assert DBUTILS.widgets.get("index_name") == "local"


def test_a_missing_parameter_says_which_there_are() -> None:
    with pytest.raises(SettingsError, match=r"^no job parameter schema; there are index_name, dry_run$"):
        DBUTILS.widgets.get("schema")
    with pytest.raises(SettingsError, match=r"^no job parameter schema; there are none$"):
        Dbutils({}, {}).widgets.get("schema")


def test_a_secret_is_handed_out_from_any_scope_and_never_printed() -> None:
    assert DBUTILS.secrets.get("any", "pinecone_api_key") == "hush"
    assert "hush" not in repr(DBUTILS.secrets)


def test_a_missing_secret_says_what_to_set_and_gives_no_other_away() -> None:
    with pytest.raises(SettingsError) as error:
        DBUTILS.secrets.get("streaming_embeddings", "other_key")
    assert str(error.value) == (
        "no secret other_key in scope streaming_embeddings: set the environment variable OTHER_KEY"
    )


def test_exit_ends_a_notebook_with_a_value_that_no_error_handler_of_ours_takes_for_an_error() -> None:
    with pytest.raises(NotebookExit) as ended:
        DBUTILS.notebook.exit('{"n_checks": 1}')
    assert ended.value.value == '{"n_checks": 1}'
    assert not isinstance(ended.value, SettingsError)
