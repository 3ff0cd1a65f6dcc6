"""A small run with three identities, a face that is nobody's, and text of strangers."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Thread

import numpy as np

from beam_pipelines.browse.command import open_site
from beam_pipelines.browse.server import HOST, Server
from tests.embedded_faces import write_pictures
from tests.labelled_run import write_table
from transforms.tables.rows import Edge, Identity, Image, ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard

HOSTILE = "<script>alert(1)</script>"
DEGREES = {"a0": 0, "a1": 4, "a2": 8, "a3": 30, "b0": 80, "b1": 84, "c0": 150, "c1": 156, "d": 250}
IDENTITY = {"a": 0, "b": 1, "c": 7}


def face(name: str) -> str:
    return f"{name}-f0"


def write_run(run: str) -> str:
    """The run of DEGREES; identities 0 (a), 1 (b) and 7 (c), and edges from each face to the two before it."""
    angles = {name: np.radians(degrees) for name, degrees in DEGREES.items()}
    write_pictures(run, {name: (np.cos(angle), np.sin(angle)) for name, angle in angles.items()})
    listed = [ListedImage("strange", "https://h/'\"><b>", HOSTILE, '{"a": "\x00"}')]
    write_shard(shard_path(run, "manifest", "00009"), to_table(listed, arrow_schema(ListedImage)))
    write_table(run, "identities", Identity, [_identity(name, degrees) for name, degrees in DEGREES.items()])
    names = list(DEGREES)
    pairs = [(names[place], names[place - back]) for back in (1, 2) for place in range(back, len(names))]
    edges = [Edge(*sorted((face(a), face(b))), float(np.cos(angles[a] - angles[b]))) for a, b in pairs]
    write_table(run, "edges", Edge, edges)
    size = (1, 1, 1, 1, 1, "svg", "00")
    content = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    write_table(run, "images", Image, [Image("strange", "https://h/", HOSTILE, "{}", content, *size)])
    return run


def _identity(name: str, degrees: float) -> Identity:
    identity = IDENTITY.get(name[0])
    ids = (face(name), None, name, HOSTILE if name == "c1" else None, "{}")
    return Identity(*ids, face(name), identity, 1 - degrees / 1000, "" if identity is not None else "noise")


@contextmanager
def served(run: str, overrides: str | None = None) -> Iterator[Server]:
    """The run's pages on a free port."""
    server = Server(open_site(run, overrides))
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(server: Server, path: str, method: str = "GET", body: str | None = None, **headers: str):
    """The status, the headers and the body of an answer; `path` is below the token, or from the root if it has a /."""
    connection = HTTPConnection(HOST, server.server_port, timeout=30)
    try:
        path = path if path.startswith("/") else f"/{server.token}/{path}"
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and "Content-Type" not in given:
            given["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, given)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()
