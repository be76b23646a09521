"""Every setting, in one place, checked once."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from pipelines.errors import SettingsError
from pipelines.weights import PRECISIONS, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql.conf import RuntimeConfig

# One name everywhere: `id_column` as a job parameter, and with these prefixes elsewhere.
CONFIGURATION_PREFIX = "streaming_embeddings."
ENVIRONMENT_PREFIX = "STREAMING_EMBEDDINGS_"

# Keys of a record's metadata that we write; a chosen column of the same name would overwrite ours.
RESERVED_METADATA = ("text", "doc_id", "source_id", "ordinal")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMESPACE = re.compile(r"[ -~]{1,512}")  # printable ASCII
_INDEX_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?")  # Pinecone's rule for index names


def _setting(default: Any, doc: str, *, verbatim: bool = False) -> Any:
    """Declare a setting; a `verbatim` text keeps its blanks, and `-` is no word for nothing there."""
    return field(default=default, metadata={"doc": doc, "verbatim": verbatim})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment chooses. Build it with `load_settings`, which reads text and checks everything."""

    source_table: str = field(metadata={"doc": "the Delta table with the documents, `schema.table` or with a catalog"})
    catalog: str = _setting("spark_catalog", "catalog of the pipeline's tables")
    schema: str = _setting("streaming_embeddings", "schema of the pipeline's tables")
    id_column: str = _setting("id", "column that identifies a document; - for an append-only source without one")
    text_column: str = _setting("text", "column with the document's text")
    metadata_columns: tuple[str, ...] = _setting((), "columns carried into the index, comma separated")
    source_mode: str = _setting("changes", "`changes` (read the change feed) or `appends` (inserts only)")
    version_column: str = _setting("", "column that orders a document's versions where there is no change feed")
    source_epoch: int = _setting(0, "raise it for good, and refresh everything, when the source was made again")
    model_path: str = _setting("", "folder of another model; empty for the packaged all-MiniLM-L6-v2")
    precision: str = _setting("float32", "precision the model runs in")
    index_name: str = _setting("streaming-embeddings", "Pinecone index")
    namespace: str = _setting("__default__", "namespace in that index; one pipeline each")
    cloud: str = _setting("aws", "cloud of the index, where `prepare` has to create it")
    region: str = _setting("us-east-1", "region of the index, where `prepare` has to create it")
    pinecone_host: str = _setting("", "address of another Pinecone-compatible service; empty for Pinecone itself")
    secret_scope: str = _setting("streaming_embeddings", "secret scope that holds the Pinecone key")
    secret_key: str = _setting("pinecone_api_key", "the Pinecone key's name in that scope")
    max_delete_ratio: float = _setting(0.2, "largest share of the namespace's records that one sync may delete")
    max_dead_letter_ratio: float = _setting(0.01, "largest share of the records sent that the index may refuse")
    retry_dead_letters: bool = _setting(False, "send once more what the index refused before")
    dry_run: bool = _setting(False, "say what a sync would do, and write nothing")
    adopt: bool = _setting(False, "take over a namespace that holds records of ours but has no state")
    forget: str = _setting(
        "", "id of a document in the source: take it out of the index now, and keep it out", verbatim=True
    )
    allow_back: str = _setting("", "id of a document that was forgotten: let it in again", verbatim=True)
    repair: bool = _setting(False, "let reconcile mend what it finds, by a sync")
    delete_foreign: bool = _setting(False, "let reconcile delete records that are not ours")
    drop_other_models: bool = _setting(False, "drop the kept vectors of every model but the configured one")

    def __post_init__(self) -> None:
        for name in ("catalog", "schema", "text_column", *(["id_column"] if self.id_column else [])):
            _require(name, getattr(self, name), bool(_NAME.fullmatch(getattr(self, name))), "letters, digits and _")
        parts = self.source_table.split(".")
        named = len(parts) in (2, 3) and all(_NAME.fullmatch(part) for part in parts)
        _require("source_table", self.source_table, named, "schema.table or catalog.schema.table")
        _require("source_mode", self.source_mode, self.source_mode in ("changes", "appends"), "changes or appends")
        if self.source_mode == "changes":
            _require("id_column", self.id_column, bool(self.id_column), "a column name, for source_mode changes")
        _require("precision", self.precision, self.precision in PRECISIONS, ", ".join(PRECISIONS))
        _require(
            "index_name", self.index_name, bool(_INDEX_NAME.fullmatch(self.index_name)), "a-z, 0-9 and -, at most 45"
        )
        named = bool(_NAMESPACE.fullmatch(self.namespace))
        _require("namespace", self.namespace, named, "1 to 512 printable ASCII characters")
        for name in ("max_delete_ratio", "max_dead_letter_ratio"):
            _require(name, getattr(self, name), 0 <= getattr(self, name) <= 1, "0 to 1")
        _require("source_epoch", self.source_epoch, 0 <= self.source_epoch < 2**31, "0 to 2147483647")
        both = self.forget if self.allow_back else ""
        _require("forget", both, not both, "nothing, where allow_back is set: one of them a run")
        for name in ("repair", "delete_foreign", "drop_other_models"):
            writes = self.dry_run and getattr(self, name)
            _require(name, getattr(self, name), not writes, "false in a dry_run, which writes nothing")
        taken = [column for column in self.metadata_columns if column in RESERVED_METADATA]
        _require("metadata_columns", ", ".join(taken), not taken, f"any name but {', '.join(RESERVED_METADATA)}")
        twice = {column for column in self.metadata_columns if self.metadata_columns.count(column) > 1}
        _require("metadata_columns", ", ".join(sorted(twice)), not twice, "each column once")

    @property
    def source(self) -> str:
        """Full name of the source table, quoted like our own."""
        return ".".join(f"`{part}`" for part in self.source_table.split("."))

    @property
    def model(self) -> str:
        """What is to make the vectors: name, start of the weights' SHA-256, precision."""
        return fingerprint(self.model_path or None, self.precision)

    def table(self, name: str) -> str:
        """Full name of one of our own tables, quoted: a schema may well be called `history`, a word of Delta's SQL."""
        return f"`{self.catalog}`.`{self.schema}`.`{name}`"


def load_settings(*sources: Mapping[str, str], environment: Mapping[str, str] | None = None) -> Settings:
    """Read settings from job parameters, pipeline configuration and environment, the first that has one wins.

    Args:
        sources: setting name to text, in order of precedence. An empty text counts as not set, for a job
            parameter cannot be left out; `-` sets a setting to nothing.
        environment: environment variables, by default this process's; those with `ENVIRONMENT_PREFIX` count.

    Raises:
        SettingsError: a name nobody knows, a value that does not read, a required setting that is missing.
    """
    last = from_environment(os.environ if environment is None else environment)
    values: dict[str, Any] = {}
    known = {setting.name: setting for setting in fields(Settings)}
    for source in (*sources, last):
        for name, text in source.items():
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
                raise SettingsError(f"unknown setting {name}{hint}")
            if text.strip() and name not in values:
                verbatim = known[name].metadata.get("verbatim", False)
                values[name] = text if verbatim else _read(name, text, known[name].default)
    missing = [name for name, setting in known.items() if setting.default is MISSING and name not in values]
    if missing:
        raise SettingsError(
            f"setting {missing[0]} is missing: pass it as job parameter {missing[0]}, as pipeline configuration "
            f"{CONFIGURATION_PREFIX}{missing[0]} or as environment variable {ENVIRONMENT_PREFIX}{missing[0].upper()}"
        )
    return Settings(**values)


def from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Read what environment variables say of our settings: setting name to text."""
    prefix = ENVIRONMENT_PREFIX
    return {name[len(prefix) :].lower(): text for name, text in environment.items() if name.startswith(prefix)}


def configured(configuration: RuntimeConfig) -> dict[str, str]:
    """Read what a pipeline's configuration says of our settings: setting name to text."""
    found = {name.name: configuration.get(CONFIGURATION_PREFIX + name.name, None) for name in fields(Settings)}
    return {name: text for name, text in found.items() if text is not None}


def _read(name: str, text: str, default: object) -> object:
    """Turn a setting's text into the type of its default."""
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.strip().lower()]
        if isinstance(default, tuple):
            return tuple(part.strip() for part in text.split(",") if part.strip() not in ("", "-"))
        if isinstance(default, int | float):
            return type(default)(text)
    except (KeyError, ValueError):
        kind = "true or false" if isinstance(default, bool) else f"a number ({type(default).__name__})"
        raise SettingsError(f"setting {name} is {text!r}; allowed is {kind}") from None
    return text.strip() if text.strip() != "-" else ""


def _require(name: str, value: object, holds: bool, allowed: str) -> None:
    if not holds:
        raise SettingsError(f"setting {name} is {value!r}; allowed is {allowed}")
