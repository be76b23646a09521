"""A Databricks workspace of one job, as its REST API shows it: the endpoints that `smoke` asks, on loopback."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN_PAGE = "https://workspace.example.com/run/7"
TASKS = ("prepare", "pipeline", "write_to_pinecone")
WALK = (  # what the three do, at each look at the run
    ("PENDING", "BLOCKED", "BLOCKED"),
    ("RUNNING", "BLOCKED", "BLOCKED"),
    ("TERMINATED", "RUNNING", "BLOCKED"),
    ("TERMINATED", "TERMINATED", "RUNNING"),
    ("TERMINATED", "TERMINATED", "TERMINATED"),
)
_UNDER_WAY = {"status": {"state": "RUNNING"}, "statement_id": "s1"}

Answer = tuple[int, dict[str, Any] | str]


@dataclass
class Workspace:
    """What it holds, and how it is to fail."""

    token: str
    jobs: dict[int, str]  # names by id
    parameters: dict[str, str]  # of every job
    exits: dict[str, str]  # of the notebooks, by task
    held: dict[tuple[str, str, str], list[list[str]]]  # rows that SQL finds, by table, index and namespace
    user: dict[str, str] = field(default_factory=lambda: {"userName": "ada.lovelace@example.com"})
    warehouses: tuple[str, ...] = ("w1", "w2")
    refusal: tuple[int, str] = (401, "Credential was not sent or was of an unsupported type.")  # of another token
    is_workspace: bool = True  # else some other server
    fails: str = ""  # the task that fails
    error: str = ""  # what its notebook says
    retried: str = ""  # the task whose first attempt fails
    ends: bool = True  # else the run goes on for ever
    ending: str = "SUCCESS"  # of the run
    tasks: tuple[str, ...] = TASKS
    n_bad_gateways: int = 0  # of the next looks at the run
    sql_error: str = ""
    n_slow_looks: int = 0  # at a statement until it is done
    counts: Counter[str] = field(default_factory=Counter)  # requests by path
    asked: dict[str, Any] = field(default_factory=dict)  # the last fields of each path
    _row: list[list[str]] = field(default_factory=list)

    def answer(self, path: str, fields: dict[str, Any], token: str) -> Answer:
        """Answer one request."""
        self.counts[path] += 1
        self.asked[path] = fields
        if not self.is_workspace:
            return 200, "<html>a printer</html>"
        if path == "/.well-known/databricks-config":
            return 200, {"oidc_endpoint": "http://127.0.0.1:9/oidc", "workspace_id": "1"}
        if token != f"Bearer {self.token}":
            return self.refusal[0], {"error_code": "", "message": self.refusal[1]}
        name = re.sub(r"^/api/2\.\d/(preview/scim/v2/)?|/s1$", "", path).replace("/", "_").replace("-", "_").lower()
        found: Answer = getattr(self, f"_{name}")(fields)
        return found

    def _me(self, _fields: dict[str, Any]) -> Answer:
        return 200, self.user

    def _jobs_list(self, fields: dict[str, Any]) -> Answer:
        named = [number for number, name in self.jobs.items() if name == fields["name"]]
        return 200, {"jobs": [{"job_id": number, "settings": {"name": fields["name"]}} for number in named]}

    def _jobs_get(self, fields: dict[str, Any]) -> Answer:
        listed = [{"name": name, "default": value} for name, value in self.parameters.items()]
        return 200, {"job_id": int(fields["job_id"]), "settings": {"parameters": listed}}

    def _jobs_run_now(self, fields: dict[str, Any]) -> Answer:
        assert fields["job_id"] in self.jobs
        return 200, {"run_id": 7}

    def _jobs_runs_get(self, _fields: dict[str, Any]) -> Answer:
        if self.n_bad_gateways:
            self.n_bad_gateways -= 1
            return 502, {"message": "bad gateway"}
        n_looks = self.counts["/api/2.2/jobs/runs/get"]
        states = WALK[min(n_looks, len(WALK) if self.ends else 2) - 1]
        tasks, failed = [], False
        for number, (name, state) in enumerate(zip(TASKS, states, strict=True)):
            code = "SKIPPED" if failed else "RUN_EXECUTION_ERROR" if name == self.fails else "SUCCESS"
            failed = failed or (name == self.fails and state == "TERMINATED")
            if name == self.retried:
                tasks.append(_task(number, "TERMINATED", "RUN_EXECUTION_ERROR", attempt=0))
            shown = "TERMINATED" if code == "SKIPPED" else state
            tasks.append(_task(number, shown, code, attempt=int(name == self.retried)))
        over = failed or states == WALK[-1]
        code = "RUN_EXECUTION_ERROR" if failed else self.ending
        return 200, {
            "run_id": 7,
            "run_page_url": RUN_PAGE,
            "status": _status("TERMINATED" if over else "RUNNING", code),
            "tasks": [task for task in reversed(tasks) if task["task_key"] in self.tasks],  # in no order that helps
        }

    def _jobs_runs_get_output(self, fields: dict[str, Any]) -> Answer:
        name = TASKS[int(fields["run_id"]) // 10 - 7]
        if name == self.fails:
            return 200, {"error": self.error, "notebook_output": {}}
        return 200, {"notebook_output": {"result": self.exits[name]} if name in self.exits else {}}

    def _sql_warehouses(self, _fields: dict[str, Any]) -> Answer:
        return 200, {"warehouses": [{"id": number, "name": number} for number in self.warehouses]}

    def _sql_statements(self, fields: dict[str, Any]) -> Answer:
        """Start a statement, or look at the one under way."""
        if fields:
            assert fields["warehouse_id"] in self.warehouses
            table = re.search(r"FROM `(\w+)`\.`(\w+)`\.`(\w+)`", fields["statement"])
            assert table is not None
            values = {value["name"]: value["value"] for value in fields["parameters"]}
            self._row = self.held.get((".".join(table.groups()), values["index"], values["namespace"]), [["0", "0"]])
        if self.sql_error:
            return 200, {"status": {"state": "FAILED", "error": {"message": self.sql_error}}}
        if self.n_slow_looks:
            self.n_slow_looks -= 1
            return 200, _UNDER_WAY
        return 200, {"status": {"state": "SUCCEEDED"}, "result": {"data_array": self._row}}


def _task(number: int, state: str, code: str, attempt: int) -> dict[str, Any]:
    kind = "pipeline_task" if TASKS[number] == "pipeline" else "notebook_task"
    return {
        "task_key": TASKS[number],
        "attempt_number": attempt,
        "run_id": 10 * (7 + number) + attempt,
        "run_page_url": f"{RUN_PAGE}/{TASKS[number]}",
        "depends_on": [{"task_key": TASKS[number - 1]}] if number else [],
        "status": _status(state, code),
        kind: {},
    }


def _status(state: str, code: str) -> dict[str, Any]:
    ending = {"code": code, "message": f"ended with {code}"}
    return {"state": state, **({"termination_details": ending} if state == "TERMINATED" else {})}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    workspace: Workspace

    def handle_request(self) -> None:
        """Answer one request."""
        target = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        fields = {**dict(parse_qsl(target.query)), **(json.loads(body) if body else {})}
        status, found = self.workspace.answer(target.path, fields, self.headers.get("Authorization", ""))
        sent = (found if isinstance(found, str) else json.dumps(found)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = handle_request  # noqa: N815  # the base class looks for these

    def log_message(self, *_: object) -> None:
        """Log nothing: what is asked is counted."""


@contextmanager
def serving(workspace: Workspace) -> Iterator[str]:
    """Serve it, and give its address."""
    handler = type("Handler", (_Handler,), {"workspace": workspace})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
