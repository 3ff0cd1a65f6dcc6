"""The pages over real HTTP: what is shown, what is refused, and what is written."""

import os
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from beam_pipelines.browse.server import HOST
from tests.beam_pipelines.browse.made_run import HOSTILE, ask, face, served, write_run

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(str(tmp_path_factory.mktemp("browse") / "run"))


@pytest.fixture(scope="module")
def server(run):
    with served(run) as server:
        yield server


@pytest.fixture
def fresh(tmp_path):
    """A server that marks may be written to, and the file that they go to."""
    with served(write_run(str(tmp_path / "run"))) as server:
        yield server, tmp_path / "run-overrides.csv"


SHOWN = [
    ("", ["Tables", "embeddings", "identities"]),
    ("tables", ["manifest"]),
    ("table?name=faces", ["9 rows", "1 to 9 of 9 rows", "column=crop"]),
    ("table?name=manifest&start=9", ["10 to 10 of 10", "https://h/&#x27;&quot;&gt;&lt;b&gt;"]),
    ("table?name=identities&columns=face_id&columns=reason", ["noise", "Columns (2 of 9)"]),
    ("table?name=identities&q=7&in=identity", ["2 rows with &#x27;7&#x27; in identity", "c0-f0"]),
    ("table?name=identities&q=nowhere", ["0 rows with", "to the end."]),
    ("row?table=faces&number=3", ["variance of the Laplacian", "column=crop"]),
    ("identities", ["3 identities", "8 of 9 faces have an identity", "identity 7"]),
    ("identities?order=smallest", ["3 identities"]),
    ("identity?number=0", ["4 faces", "One other person", face("a3")]),
    ("near?number=0", ["identity 1", "Same person"]),
    ("face?id=a3-f0", ["By edges", "b0-f0", "identity 1"]),
    ("face?id=d-f0", ["not kept", "noise"]),
    ("search?q=b1", ["b1-f0", "identities"]),
    ("search?q=7", ["identity 7", "with 2 faces"]),
    ("search?q=a0-f0", ["face?id=a0-f0"]),
    ("search?q=/PICTURES/a0", ["manifest"]),
    ("marks", ["0 marks", "--recompute", "run-overrides.csv"]),
]


@pytest.mark.parametrize(("path", "words"), SHOWN)
def test_a_page_shows(server, path, words):
    status, headers, body = ask(server, path)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert [word for word in words if word not in body.decode()] == []


def test_pages_run_nothing_and_load_nothing_from_elsewhere(server):
    for path, _ in SHOWN:
        _, headers, body = ask(server, path)
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        expected = {"default-src": "'none'", "img-src": "'self'", "form-action": "'self'", "frame-ancestors": "'none'"}
        assert policy == policy | expected
        assert not policy.keys() & {"script-src", "connect-src", "object-src"}
        assert HOSTILE.encode() not in body
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in headers


def test_a_picture_is_that_of_the_cell_and_only_a_picture(server):
    status, headers, body = ask(server, "picture?table=faces&shard=00000&row=2&column=crop")
    assert (status, headers["Content-Type"], body[:3]) == (200, "image/jpeg", b"\xff\xd8\xff")
    assert "sandbox" in headers["Content-Security-Policy"]
    for cell in ("table=images&shard=00000&row=0&column=image", "table=images&shard=00000&row=0&column=url"):
        status, headers, body = ask(server, f"picture?{cell}")
        assert (status, b"holds no picture" in body) == (404, True)


REFUSED = [
    ("/", 403, "lacks the token"),
    ("/wrong/tables", 403, "lacks the token"),
    ("/{token}", 403, "lacks the token"),
    ("/{token}x/tables", 403, "lacks the token"),
    ("/../{token}/tables", 403, "lacks the token"),
    ("nothing", 404, "no such page"),
    ("../../etc/passwd", 404, "no such page"),
    ("mark", 404, "no such page"),
    ("table?name=../run/faces", 404, "no table"),
    ("table?name=faces/../../other", 404, "no table"),
    ("table?name=%00", 404, "no table"),
    ("table?name=*", 404, "no table"),
    ("table?name=faces&start=10", 404, "has no row 10"),
    ("table?name=faces&start=" + "9" * 300, 404, "is no number of the run"),
    ("table?name=faces&start=-1", 404, "is no number of the run"),
    ("table?name=faces&start=%D9%A1", 404, "is no number of the run"),
    ("table?name=faces&columns=no", 404, "has no column"),
    ("table?name=faces&q=a&in=crop", 404, "holds lists or files"),
    ("table?name=%FF", 400, "cannot be read"),
    ("table?" + "&".join(f"columns={n}" for n in range(600)), 400, "cannot be read"),
    ("row?table=faces&number=9", 404, "has no row 9"),
    ("identity?number=3", 404, "no identity 3"),
    ("identity?number=0&start=4", 404, "none is at place 4"),
    ("identities?start=3", 404, "none is at place 3"),
    ("identities?order=best", 404, "no order"),
    ("face?id=..%2F..%2Fx", 404, "no face"),
    ("face?id=%00", 404, "no face"),
    ("near?number=99", 404, "no identity 99"),
    ("picture?table=faces&shard=..%2F00000&row=0&column=crop", 404, "no such table or shard"),
    ("picture?table=faces&shard=00007&row=0&column=crop", 404, "has no shard"),
    ("picture?table=faces&shard=00000&row=99&column=crop", 404, "no such row"),
    ("picture?table=faces&shard=00000&row=0&column=no", 404, "no such row or column"),
]


@pytest.mark.parametrize(("path", "status", "sentence"), REFUSED)
def test_what_is_not_there_or_hostile_is_one_sentence(server, path, status, sentence):
    found, headers, body = ask(server, path.replace("{token}", server.token))
    assert (found, sentence in body.decode()) == (status, True), body.decode()
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert (server.token.encode() in body) is False


@pytest.mark.parametrize(
    "host", ["attacker.example", "attacker.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.:{port}"]
)
def test_another_host_s_name_is_refused(server, host):
    host = host.format(port=server.server_port)
    assert ask(server, "tables", Host=host)[0] == 403
    assert ask(server, "tables", Host=f"localhost:{server.server_port}")[0] == 200


def test_only_this_machine_is_served(server):
    assert server.server_address[0] == HOST == "127.0.0.1"
    assert len(server.token) >= 32


TICKED = [("identity", "0"), ("centre", face("a0")), ("face", face("a3"))]
FORGED = [
    ({"path": "/wrong/mark"}, 403),
    ({"Origin": "https://attacker.example"}, 403),
    ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/json"}, 415),
    ({"body": "x" * (2 << 20)}, 413),
    ({"Host": "attacker.example"}, 403),
]


@pytest.mark.parametrize(("changed", "status"), FORGED)
def test_a_form_of_another_site_writes_nothing(server, changed, status):
    sent = {"path": "mark", "method": "POST", "body": urlencode([*TICKED, ("do", "drop")]), **changed}
    assert ask(server, **sent)[0] == status
    assert not os.path.exists(server.site.marks.path)


WRITTEN = [
    ([*TICKED, ("do", "person")], ["cannot_link,a3-f0,a0-f0,"]),
    ([*TICKED, ("face", face("a2")), ("do", "person")], ["cannot_link,a3-f0,a0-f0,", "must_link,a3-f0,a2-f0,"]),
    ([*TICKED, ("face", face("a2")), ("do", "people")], ["cannot_link,a3-f0,a0-f0,", "cannot_link,a2-f0,a0-f0,"]),
    ([*TICKED, ("face", face("a0")), ("do", "people")], ["cannot_link,a3-f0,a1-f0,", "cannot_link,a0-f0,a1-f0,"]),
    ([*TICKED, ("do", "drop")], ["drop,a3-f0,,"]),
    ([("identity", "0"), ("other", "7"), ("do", "same")], ["must_link,a0-f0,c0-f0,"]),
    ([("identity", "7"), ("centre", face("c0")), ("do", "drop identity")], ["drop,,,c0-f0"]),
]


@pytest.mark.parametrize(("form", "lines"), WRITTEN)
def test_a_mark_is_lines_of_the_file_and_none_twice(fresh, form, lines):
    server, path = fresh
    status, headers, _ = ask(server, "mark", "POST", urlencode(form), Origin=f"http://127.0.0.1:{server.server_port}")
    assert (status, headers["Location"]) == (303, f"marks?written={len(lines)}&identity={dict(form)['identity']}")
    assert path.read_text().splitlines() == ["rule,face_a,face_b,identity", *lines]
    assert ask(server, "mark", "POST", urlencode(form))[1]["Location"].startswith("marks?written=0&")
    assert path.read_text().splitlines()[1:] == lines
    page = ask(server, "marks")[2].decode()
    assert f"{len(lines)} marks" in page


MEANINGLESS = [
    ([("identity", "0"), ("centre", face("a0")), ("do", "drop")], 400, "no face has a tick"),
    ([*TICKED, ("do", "what")], 400, "does not say what"),
    ([*TICKED, ("face", face("b0")), ("do", "drop")], 404, "is not of identity 0"),
    ([*TICKED, ("face", "../x"), ("do", "drop")], 404, "is not of identity 0"),
    ([("identity", "0"), ("centre", "=x"), ("face", face("a3")), ("do", "people")], 404, "is not of identity 0"),
    ([("identity", "0"), ("centre", face("a0")), *(("face", face(f"a{n}")) for n in range(4)), ("do", "people")], 400,
     "all faces of the identity have a tick"),
    ([("identity", "0"), ("other", "0"), ("do", "same")], 404, "are not two identities"),
    ([("identity", "0"), ("other", "99"), ("do", "same")], 404, "are not two identities"),
    ([("identity", "0"), ("other", "x"), ("do", "same")], 404, "is no number of the run"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "status", "sentence"), MEANINGLESS)
def test_a_form_that_means_nothing_writes_nothing(server, form, status, sentence):
    found, _, body = ask(server, "mark", "POST", urlencode(form))
    assert (found, sentence in body.decode()) == (status, True), body.decode()
    assert not os.path.exists(server.site.marks.path)


def test_what_contradicts_an_earlier_mark_is_written_once_that_is_taken_out(fresh):
    server, path = fresh
    apart, together = [*TICKED, ("do", "people")], [*TICKED, ("face", face("a0")), ("do", "person")]
    assert ask(server, "mark", "POST", urlencode(apart))[0] == 303
    before = path.read_bytes()
    status, _, body = ask(server, "mark", "POST", urlencode(together))
    assert (status, b"cannot_link keeps apart what line 4 joined" in body) == (409, True), body
    assert path.read_bytes() == before
    line = urlencode([("line", "2"), ("rule", "cannot_link"), ("whole", "0"), ("face", "a3-f0"), ("face", "a0-f0")])
    assert ask(server, "take-out", "POST", line)[0] == 303
    assert path.read_text() == "rule,face_a,face_b,identity\n"
    assert ask(server, "mark", "POST", urlencode(together))[0] == 303
    assert path.read_text().splitlines()[1:] == ["cannot_link,a3-f0,a1-f0,", "must_link,a3-f0,a0-f0,"]
    status, _, body = ask(server, "take-out", "POST", line)
    assert (status, b"no longer what was shown" in body) == (409, True)


def test_marks_of_many_threads_are_all_written(fresh):
    server, path = fresh
    names = ["a1", "a2", "a3"]
    forms = [urlencode([("identity", "0"), ("face", face(name)), ("do", "drop")]) for name in names]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda form: ask(server, "mark", "POST", form)[0], forms * 4))
    assert found == [303] * 12
    assert sorted(path.read_text().splitlines()[1:]) == [f"drop,{face(name)},," for name in names]


def test_a_method_or_a_line_that_is_none_of_http_is_refused(server):
    assert ask(server, "tables", "DELETE")[0] == 501
    with socket.create_connection((HOST, server.server_port), timeout=10) as raw:
        raw.sendall(b"GET / nonsense\r\n\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 400")
    assert ask(server, "tables")[0] == 200


def test_a_run_that_changes_is_shown_as_it_is(tmp_path):
    run = write_run(str(tmp_path / "run"))
    with served(run) as server:
        assert b"3 identities" in ask(server, "identities")[2]
        shutil.rmtree(os.path.join(run, "edges"))
        assert ask(server, "near?number=0")[0] == 404
        assert b"By embeddings" in ask(server, "face?id=a3-f0")[2]
        shutil.rmtree(os.path.join(run, "identities"))
        status, _, body = ask(server, "identities")
        assert (status, b"has no identities" in body) == (404, True)
        assert ask(server, "tables")[0] == 200


def test_a_link_out_of_the_run_is_not_followed(tmp_path):
    run, other = write_run(str(tmp_path / "run")), write_run(str(tmp_path / "other"))
    shard = os.path.join(run, "faces", "part-00000.parquet")
    os.unlink(shard)
    os.symlink(os.path.join(other, "faces", "part-00000.parquet"), shard)
    with served(run) as server:
        status, _, body = ask(server, "picture?table=faces&shard=00000&row=0&column=crop")
        assert (status, b"nothing outside it is shown" in body) == (404, True)


def test_a_broken_shard_costs_its_pages_only(tmp_path):
    run = write_run(str(tmp_path / "run"))
    with served(run) as server:
        assert ask(server, "table?name=manifest")[0] == 200
        with open(os.path.join(run, "manifest", "part-00000.parquet"), "r+b") as file:
            file.write(b"\x00" * 400)
        status, _, body = ask(server, "table?name=manifest")
        assert (status, b"cannot be shown" in body) == (500, True)
        assert ask(server, "identities")[0] == 200
