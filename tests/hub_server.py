"""A stand-in for the Hugging Face Hub: as much of it as a folder needs to become a dataset repository.

It keeps what the real one would check: the account's token, names of repositories, the SHA-256 of every large file.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_token-of-the-test"
COMMIT = "0" * 40


class Hub(ThreadingHTTPServer):
    """files: of the repository, by name; visibility: None before it is there; objects: large files by SHA-256."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.files: dict[str, bytes] = {}
        self.objects: dict[str, bytes] = {}
        self.visibility: str | None = None


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body, path = self._body(), self.path.partition("?")[0]
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"error": "Invalid username or password."})
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif path == "/api/datasets/me/people/preupload/main":
            self._answer(200, {"files": [_mode(one["path"]) for one in json.loads(body)["files"]]})
        elif path == "/datasets/me/people.git/info/lfs/objects/batch":
            self._answer(
                200, {"transfer": "basic", "objects": [self._wanted(one) for one in json.loads(body)["objects"]]}
            )
        elif path == "/api/datasets/me/people/commit/main":
            self._commit([json.loads(line) for line in body.splitlines()])
        else:
            self._answer(404, {"error": "there is no such page"})

    def do_PUT(self) -> None:
        body, oid = self._body(), self.path.rpartition("/")[2]
        if hashlib.sha256(body).hexdigest() != oid:
            self._answer(400, {"error": "the bytes are not those that were announced"})
            return
        self.server.objects[oid] = body
        self._answer(200, {})

    def do_GET(self) -> None:
        if re.match(r"/api/datasets/me/people(/revision/main)?(\?|$)", self.path):
            files = [{"rfilename": name} for name in self.server.files]
            self._answer(200, {"id": "me/people", "sha": COMMIT, "siblings": files})
        elif self.path.startswith("/api/datasets/me/people/tree/main"):
            files = [
                {"type": "file", "path": name, "size": len(c), "oid": "0"} for name, c in self.server.files.items()
            ]
            self._answer(200, files)
        else:
            self._answer(404, {"error": "there is no such page"})

    def _create(self, asked: dict) -> None:
        if (asked["type"], asked["organization"], asked["name"]) != ("dataset", "me", "people"):
            self._answer(403, {"error": "You don't have the rights to create this repository."})
            return
        there = self.server.visibility is not None
        self.server.visibility = self.server.visibility or asked.get("visibility", "public")
        self._answer(409 if there else 200, {"url": f"{self.server.address}/datasets/me/people", "name": "me/people"})

    def _wanted(self, one: dict) -> dict:
        upload = {"upload": {"href": f"{self.server.address}/objects/{one['oid']}"}}
        return {**one, **({} if one["oid"] in self.server.objects else {"actions": upload})}

    def _commit(self, lines: list[dict]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                self.server.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                self.server.files[value["path"]] = self.server.objects[value["oid"]]
            elif line["key"] == "deletedFile":
                del self.server.files[value["path"]]
        url = f"{self.server.address}/datasets/me/people/commit/{COMMIT}"
        self._answer(200, {"success": True, "commitOid": COMMIT, "commitUrl": url})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _mode(path: str) -> dict:
    large = path.endswith((".parquet", ".jpg"))
    return {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}


@contextmanager
def hub() -> Iterator[Hub]:
    """A Hub that lives as long as the block."""
    with Hub() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
