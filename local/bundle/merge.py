"""How the Databricks command line puts files, and a target on top of them, together."""

from __future__ import annotations

from dataclasses import replace

from local.bundle.node import Node

# Lists whose items merge by a field of theirs, by kind of resource; every other list is appended to.
KEYED_LISTS = {
    "jobs": {
        "tasks": "task_key",
        "environments": "environment_key",
        "parameters": "name",
        "job_clusters": "job_cluster_key",
    },
    "pipelines": {"clusters": "label"},
}
_OWN = ("default", "lookup")  # fields of a variable that a target replaces whole


def merge(below: Node, above: Node) -> Node:
    """Put one node on top of another: mappings deeply, lists one after the other, of scalars the upper one."""
    if isinstance(below.value, dict) and isinstance(above.value, dict):
        both = {name: merge(node, above.value[name]) for name, node in below.value.items() if name in above.value}
        return replace(below, value={**below.value, **above.value, **both})
    if isinstance(below.value, list) and isinstance(above.value, list):
        return replace(below, value=[*below.value, *above.value])
    return below if above.value is None else above


def merge_variable(declared: Node, above: Node) -> Node:
    """Put a target's variable, a value or a declaration, on top of a variable."""
    if not above.fields().keys() & {*_OWN, "description", "type"}:
        above = Node({"default": above}, above.file, above.line)
    replaced = set(_OWN) if above.fields().keys() & {*_OWN} else set()
    kept = {name: node for name, node in declared.fields().items() if name not in replaced}
    return replace(declared, value={**kept, **above.fields()})


def merge_lists(resources: Node) -> Node:
    """Merge the items of keyed lists: a target's task `sync` changes that of the file."""
    kinds = dict(resources.fields())
    for kind, lists in KEYED_LISTS.items():
        if kind in kinds:
            merged = {name: _with_lists(node, lists) for name, node in kinds[kind].fields().items()}
            kinds[kind] = replace(kinds[kind], value=merged)
    return replace(resources, value=kinds)


def _with_lists(resource: Node, lists: dict[str, str]) -> Node:
    merged = {name: _by_key(resource.fields()[name], key) for name, key in lists.items() if name in resource.fields()}
    return replace(resource, value={**resource.fields(), **merged}) if merged else resource


def _by_key(items: Node, key: str) -> Node:
    if not items.items():
        return items  # a reference, or nothing
    merged: dict[str, Node] = {}
    for place, item in enumerate(items.items()):
        # A pipeline's cluster without a label is the one called default; anything else without a key stays as it is.
        name = item.text(key) or ("default" if key == "label" else f"#{place}")
        merged[name] = merge(merged[name], item) if name in merged else item
    return replace(items, value=list(merged.values()))
