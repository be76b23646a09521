"""The whole system on a Spark cluster of two workers, in a process of its own: what one machine gives, to the last bit.

python -m tests.cluster FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from local.home import Home
from local.index_server import IndexServer
from local.job import Job
from local.options import Source, parameters
from local.session import spark_session
from pipelines.embedder import Embedder
from tests.whole_world import KEY, World, texts

CLUSTER = "local-cluster[2,1,2048]"
FIRST = {f"document {i}": f"It is number {i}. All rights reserved. It has {i % 7} neighbours." for i in range(40)}
SECOND = {name: text for name, text in FIRST.items() if name != "document 3"}
SECOND["document 5"] = "Number 5 has changed. All rights reserved."


def main(folder: Path) -> None:
    """Run a first update, then one with an edit and a delete."""
    file, home = folder / "documents.jsonl", Home.at(folder / "home")
    with IndexServer(folder / "index", api_key=KEY) as server, spark_session(home, master=CLUSTER) as spark:
        chosen = parameters(Source(file, {}), {"max_delete_ratio": "1", "namespace": "cluster"}, server.url)
        world = World(Job(spark, chosen, folder / "checkpoints", KEY), file, server)
        first, second = world.run(FIRST), world.run(SECOND)
        contents = world.contents()
    assert 40 + 7 + 1 <= first.n_embedded <= 40 + 2 * (7 + 1), first.n_embedded  # once a worker
    assert second.n_embedded == 1, second.n_embedded
    assert {name: " ".join(found) for name, found in texts(contents).items()} == SECOND
    found = {metadata["text"]: vector for metadata, vector in contents.values()}
    vectors = Embedder(n_threads=1).encode(list(found))
    assert [vector.tobytes() for vector in vectors] == list(found.values())
    print(f"{len(contents)} records, as on one machine")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
