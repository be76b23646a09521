"""The control plane: operations on indexes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from local.index_server import fields as read
from local.index_server.fields import Fields, Reply
from local.index_server.index import IndexSpec
from local.index_server.refusals import Refusal, invalid
from local.index_server.space import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.index_server.catalog import Catalog

MAX_DIMENSION: Final = 20_000
MAX_TAGS: Final = 20
# The one field of an index made with dimension= and metric=; other fields make a document index, which we are not.
VECTOR_FIELD: Final = "_values"
_PROTECTIONS: Final = ("enabled", "disabled")


def create_index(catalog: Catalog, fields: Fields) -> Reply:
    """POST /indexes."""
    spec = _spec(fields)
    catalog.create(spec)
    return Reply(_described(catalog, spec), status=201)


def list_indexes(catalog: Catalog, _fields: Fields) -> Reply:
    """GET /indexes."""
    return Reply({"indexes": [_described(catalog, spec) for spec in catalog.specs()]})


def describe_index(catalog: Catalog, fields: Fields) -> Reply:
    """GET /indexes/{index}."""
    with catalog.use(fields["index"]) as index:
        return Reply(_described(catalog, index.spec))


def configure_index(catalog: Catalog, fields: Fields) -> Reply:
    """PATCH /indexes/{index}: deletion protection and tags, which are merged."""
    if unknown := set(fields) - {"index", "deletion_protection", "tags"}:
        raise Refusal("UNIMPLEMENTED", f"configure_index serves deletion_protection and tags, got {sorted(unknown)}")
    with catalog.use(fields["index"]) as index:
        protection = _protection(fields, index.spec.deletion_protection)
        tags = _tags(fields, index.spec.tags)
        index.configure(replace(index.spec, deletion_protection=protection, tags=tags))
        return Reply(_described(catalog, index.spec))


def delete_index(catalog: Catalog, fields: Fields) -> Reply:
    """DELETE /indexes/{index}."""
    catalog.delete(fields["index"])
    return Reply({}, status=202)


def _spec(fields: Fields) -> IndexSpec:
    name = read.text(fields, "name")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?", name):
        raise invalid(
            "Name must be 1 to 45 lower-case letters, digits and hyphens, and start and end with a letter or digit, "
            f"got {name!r:.80}"
        )
    vector_fields = read.mapping(read.mapping(fields, "schema") or {}, "fields")
    if not vector_fields:
        raise invalid("schema.fields is required: pass dimension= and metric= to create_index")
    vector = read.mapping(vector_fields, VECTOR_FIELD)
    if vector is None or len(vector_fields) > 1 or vector.get("type") != "dense_vector":
        raise Refusal(
            "UNIMPLEMENTED",
            "the local index server serves dense vector indexes only: pass dimension= and metric= to create_index",
        )
    metric = read.text(vector, "metric", "cosine")
    if metric not in METRICS:
        raise invalid(f"metric must be one of {', '.join(METRICS)}, got {metric!r:.80}")
    deployment = read.mapping(fields, "deployment") or {}
    if deployment.get("deployment_type", "managed") != "managed":
        raise Refusal("UNIMPLEMENTED", "the local index server serves serverless indexes only: pass a ServerlessSpec")
    return IndexSpec(
        name=name,
        dimension=read.integer(vector, "dimension", low=1, high=MAX_DIMENSION),
        metric=metric,
        cloud=read.text(deployment, "cloud", "aws"),
        region=read.text(deployment, "region", "us-east-1"),
        deletion_protection=_protection(fields, "disabled"),
        tags=_tags(fields, {}),
    )


def _protection(fields: Fields, default: str) -> str:
    value = read.text(fields, "deletion_protection", default)
    if value not in _PROTECTIONS:
        raise invalid(f"deletion_protection must be enabled or disabled, got {value!r:.80}")
    return value


def _tags(fields: Fields, held: Mapping[str, str]) -> dict[str, str]:
    """Merge the tags of a request into those held; an empty value removes one."""
    merged = {**held, **(read.mapping(fields, "tags") or {})}
    tags = {key: value for key, value in merged.items() if value != ""}
    if len(tags) > MAX_TAGS or not all(isinstance(value, str) for value in tags.values()):
        raise invalid(f"tags must be at most {MAX_TAGS} strings by name, got {tags!r:.80}")
    return tags


def _described(catalog: Catalog, spec: IndexSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "host": catalog.host(spec.name),
        "schema": {
            "fields": {VECTOR_FIELD: {"type": "dense_vector", "dimension": spec.dimension, "metric": spec.metric}}
        },
        "deployment": {"deployment_type": "managed", "cloud": spec.cloud, "region": spec.region},
        "read_capacity": {"mode": "OnDemand", "status": {"state": "Ready"}},
        "deletion_protection": spec.deletion_protection,
        "tags": dict(spec.tags),
        "status": {"ready": True, "state": "Ready"},
    }
