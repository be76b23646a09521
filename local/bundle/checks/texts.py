"""Texts that must be of a form, or must not be there: addresses, secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.bundle.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.bundle.node import Node
    from local.bundle.project import Project

_ADDRESS = re.compile(r"[^@\s<>,;]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_TOKEN = re.compile(r"pcsk_\w{4,}|dapi[0-9a-f]{32}")  # keys of Pinecone and Databricks
_ASSIGNED = re.compile(r"""[\w-]*(api_?key|token|password)["']?\s*:\s*["']?(?!\$\{)[^\s"'#|>]""", re.IGNORECASE)


def addresses(project: Project) -> Iterator[Finding]:
    """A person to be told whose address is none."""
    for kind in ("jobs", "pipelines", "alerts"):
        for _, resource in project.resources(kind):
            for node in _addressees(resource):
                if not _ADDRESS.fullmatch(node.text()):
                    what = f"{node.text()!r} is to be notified, and is no email address"
                    yield Finding.at(node, what, "write one such as someone@example.com")


def secrets(project: Project) -> Iterator[Finding]:
    """What looks like a secret; the text itself is not shown."""
    for file in project.sources.files:
        for number, line in enumerate((project.root / file).read_text(encoding="utf-8").splitlines(), start=1):
            if _TOKEN.search(line) or _ASSIGNED.match(line.strip().removeprefix("- ").lstrip("\"'# ")):
                fix = "revoke it, and put its successor into the secret scope: databricks secrets put-secret"
                yield Finding(file, number, "this looks like a secret", fix)


def _addressees(resource: Node) -> Iterator[Node]:
    for path, node in resource.walk():
        is_listed = path[-1:] != () and path[-1].isdecimal()
        if path[-1:] == ("user_email",) or (is_listed and {"email_notifications", "email_recipients"} & set(path)):
            yield node


CHECKS = (addresses, secrets)
