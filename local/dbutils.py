"""`dbutils` for a notebook that runs here: widgets, secrets, and a way to hand back a result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping


class NotebookExit(Exception):  # it ends a notebook, it is no error
    """What `dbutils.notebook.exit` raises; `value` is what the notebook hands back."""

    def __init__(self, value: str) -> None:
        super().__init__()
        self.value = value


@dataclass(frozen=True, slots=True)
class Widgets:
    """Job parameters."""

    parameters: Mapping[str, str]

    def get(self, name: str) -> str:
        """Return one parameter.

        Raises:
            SettingsError: the job passes no such parameter.
        """
        if name not in self.parameters:
            raise SettingsError(f"no job parameter {name}; there are {', '.join(self.parameters) or 'none'}")
        return self.parameters[name]

    def getAll(self) -> dict[str, str]:  # noqa: N802  # Databricks' name
        """Return every parameter."""
        return dict(self.parameters)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The one secret a sync needs, from the environment; never printed."""

    values: Mapping[str, str] = field(repr=False)

    def get(self, scope: str, key: str) -> str:
        """Return a secret.

        Raises:
            SettingsError: there is none of that name.
        """
        if key not in self.values:
            raise SettingsError(f"no secret {key} in scope {scope}: set the environment variable {key.upper()}")
        return self.values[key]


class Notebook:
    """`dbutils.notebook`."""

    def exit(self, value: str) -> None:
        """End the notebook and hand back a text."""
        raise NotebookExit(value)


class Dbutils:
    """The part of Databricks' `dbutils` that this bundle's notebooks use."""

    def __init__(self, parameters: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        self.widgets = Widgets(parameters)
        self.secrets = Secrets(secrets)
        self.notebook = Notebook()
