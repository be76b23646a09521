"""The control plane: operations on indexes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from local.index_server import specs
from local.index_server.fields import Fields, Reply
from local.index_server.refusals import Refusal

if TYPE_CHECKING:
    from local.index_server.catalog import Catalog
    from local.index_server.index import IndexSpec


def create_index(catalog: Catalog, fields: Fields) -> Reply:
    """POST /indexes."""
    spec = specs.new_spec(fields)
    catalog.create(spec)
    return Reply(_shown(catalog, spec, fields), status=201)


def list_indexes(catalog: Catalog, fields: Fields) -> Reply:
    """GET /indexes."""
    return Reply({"indexes": [_shown(catalog, spec, fields) for spec in catalog.specs()]})


def describe_index(catalog: Catalog, fields: Fields) -> Reply:
    """GET /indexes/{index}."""
    with catalog.use(fields["index"]) as index:
        return Reply(_shown(catalog, index.spec, fields))


def configure_index(catalog: Catalog, fields: Fields) -> Reply:
    """PATCH /indexes/{index}: deletion protection and tags, which are merged."""
    if unknown := set(fields) - {"index", "api_version", "deletion_protection", "tags"}:
        raise Refusal("UNIMPLEMENTED", f"configure_index serves deletion_protection and tags, got {sorted(unknown)}")
    with catalog.use(fields["index"]) as index:
        protection = specs.protection(fields, index.spec.deletion_protection)
        tags = specs.tags(fields, index.spec.tags)
        index.configure(replace(index.spec, deletion_protection=protection, tags=tags))
        return Reply(_shown(catalog, index.spec, fields))


def delete_index(catalog: Catalog, fields: Fields) -> Reply:
    """DELETE /indexes/{index}."""
    catalog.delete(fields["index"])
    return Reply({}, status=202)


def _shown(catalog: Catalog, spec: IndexSpec, fields: Fields) -> dict[str, object]:
    return specs.shown(spec, catalog.host(spec.name), fields)
