"""An index's spec as clients write and read it: in the form of API 2026-07 (SDK 10) and in that of 2025-10 (SDK 9).

The older form says ``dimension``, ``metric`` and ``vector_type``; the newer one declares a schema, whose two reserved
fields mean the same. Schemas with other fields make document indexes, which we are not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from local.index_server import fields as read
from local.index_server.index import IndexSpec
from local.index_server.refusals import Refusal, invalid
from local.index_server.space import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.index_server.fields import Fields

MAX_DIMENSION: Final = 20_000
MAX_TAGS: Final = 20
_DENSE_FIELD: Final = "_values"
_SPARSE_FIELD: Final = "_sparse_values"
_RESERVED: Final = {_DENSE_FIELD: "dense_vector", _SPARSE_FIELD: "sparse_vector"}
_PROTECTIONS: Final = ("enabled", "disabled")


def new_spec(fields: Fields) -> IndexSpec:
    """Return what a request to create an index asks for."""
    name = read.text(fields, "name")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?", name):
        raise invalid(
            "Name must be 1 to 45 lower-case letters, digits and hyphens, and start and end with a letter or digit, "
            f"got {name!r:.80}"
        )
    dimension, metric, hybrid = _old_vectors(fields) if _is_old(fields) else _new_vectors(fields)
    if metric not in METRICS:
        raise invalid(f"metric must be one of {', '.join(METRICS)}, got {metric!r:.80}")
    if dimension is None and metric != "dotproduct":
        raise invalid(f"A sparse index needs the metric dotproduct, got {metric!r:.80}")
    where = _old_deployment(fields) if _is_old(fields) else _new_deployment(fields)
    return IndexSpec(
        name=name,
        dimension=dimension,
        metric=metric,
        hybrid=hybrid,
        cloud=read.text(where, "cloud", "aws"),
        region=read.text(where, "region", "us-east-1"),
        deletion_protection=protection(fields, "disabled"),
        tags=tags(fields, {}),
    )


def shown(spec: IndexSpec, host: str, fields: Fields) -> dict[str, Any]:
    """Return an index as the client that asks expects it."""
    common = {
        "name": spec.name,
        "host": host,
        "deletion_protection": spec.deletion_protection,
        "tags": dict(spec.tags),
        "status": {"ready": True, "state": "Ready"},
    }
    place, capacity = {"cloud": spec.cloud, "region": spec.region}, {"mode": "OnDemand", "status": {"state": "Ready"}}
    if _is_old(fields):
        size = {} if spec.dimension is None else {"dimension": spec.dimension}
        vectors = {**size, "metric": spec.metric, "vector_type": spec.vector_type}
        return {**common, **vectors, "spec": {"serverless": {**place, "read_capacity": capacity}}}
    return {
        **common,
        "schema": {"fields": _schema_fields(spec)},
        "deployment": {"deployment_type": "managed", **place},
        "read_capacity": capacity,
    }


def protection(fields: Fields, default: str) -> str:
    """Return a request's deletion protection."""
    value = read.text(fields, "deletion_protection", default)
    if value not in _PROTECTIONS:
        raise invalid(f"deletion_protection must be enabled or disabled, got {value!r:.80}")
    return value


def tags(fields: Fields, held: Mapping[str, str]) -> dict[str, str]:
    """Merge the tags of a request into those held; an empty value removes one."""
    merged = {**held, **(read.mapping(fields, "tags") or {})}
    kept = {key: value for key, value in merged.items() if value != ""}
    if len(kept) > MAX_TAGS or not all(isinstance(value, str) for value in kept.values()):
        raise invalid(f"tags must be at most {MAX_TAGS} strings by name, got {kept!r:.80}")
    return kept


def _is_old(fields: Fields) -> bool:
    """Tell whether the request speaks an API older than 2026; versions are dates."""
    return "" < read.text(fields, "api_version") < "2026"


def _old_vectors(fields: Fields) -> tuple[int | None, str, bool]:
    """Return dimension (None for a sparse index), metric, and whether sparse values are declared beside dense ones."""
    kind = read.text(fields, "vector_type", "dense")
    if kind not in ("dense", "sparse"):
        raise invalid(f"vector_type must be dense or sparse, got {kind!r:.80}")
    if kind == "sparse":
        if fields.get("dimension") is not None:
            raise invalid("Sparse indexes have no dimension: leave it out")
        return None, read.text(fields, "metric", "dotproduct"), False
    return _dimension(fields), read.text(fields, "metric", "cosine"), False


def _new_vectors(fields: Fields) -> tuple[int | None, str, bool]:
    vectors = read.mapping(read.mapping(fields, "schema") or {}, "fields")
    if not vectors:
        raise invalid("schema.fields is required: pass dimension= and metric= to create_index")
    declared = {name: (read.mapping(vectors, name) or {}).get("type") for name in vectors}
    if not declared.items() <= _RESERVED.items():
        raise Refusal(
            "UNIMPLEMENTED",
            "the local index server holds vectors, not documents: pass dimension= and metric=, or "
            f"vector_type='sparse', to create_index; got schema fields {', '.join(sorted(vectors))}",
        )
    dense, hybrid = read.mapping(vectors, _DENSE_FIELD), len(declared) > 1
    if dense is None:
        return None, "dotproduct", False
    metric = read.text(dense, "metric", "cosine")
    if hybrid and metric != "dotproduct":
        raise invalid(f"Dense and sparse vectors in one index need the metric dotproduct, got {metric!r:.80}")
    return _dimension(dense), metric, hybrid


def _dimension(fields: Fields) -> int:
    return read.integer(fields, "dimension", low=1, high=MAX_DIMENSION)


def _old_deployment(fields: Fields) -> Fields:
    spec = read.mapping(fields, "spec") or {}
    serverless = read.mapping(spec, "serverless")
    if serverless is None:
        raise _only_serverless()
    return serverless


def _new_deployment(fields: Fields) -> Fields:
    deployment = read.mapping(fields, "deployment") or {}
    if deployment.get("deployment_type", "managed") != "managed":
        raise _only_serverless()
    return deployment


def _only_serverless() -> Refusal:
    return Refusal("UNIMPLEMENTED", "the local index server serves serverless indexes only: pass a ServerlessSpec")


def _schema_fields(spec: IndexSpec) -> dict[str, Any]:
    sparse = {_SPARSE_FIELD: {"type": _RESERVED[_SPARSE_FIELD]}}
    if spec.dimension is None:
        return sparse
    dense = {"type": _RESERVED[_DENSE_FIELD], "dimension": spec.dimension, "metric": spec.metric}
    return {_DENSE_FIELD: dense, **(sparse if spec.hybrid else {})}
