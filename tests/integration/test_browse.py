"""What is marked on the pages of a run is what its next run does."""

import html
import re
import shlex
import shutil
from collections import defaultdict
from urllib.parse import urlencode

import pytest

from beam_pipelines.cli import main
from tests.beam_pipelines.browse.made_run import ask, served
from tests.integration.runs import column

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("webbody")]


def identities(run):
    """The faces of each identity, and the reason of each face that has none."""
    faces, reasons = defaultdict(set), {}
    names = ("face_id", "identity", "reason")
    for face, identity, reason in zip(*(column(run, "identities", name) for name in names), strict=True):
        if identity is None:
            reasons[face] = reason
        else:
            faces[identity].add(face)
    return dict(faces), reasons


def mark(server, **form):
    status, headers, body = ask(server, "mark", "POST", urlencode(form, doseq=True))
    assert status == 303, body
    return headers["Location"]


def command(server):
    """The words of the command that the page of marks shows."""
    page = ask(server, "marks")[2].decode()
    (shown,) = re.findall(r"<code>(manyfaces .*?)</code>", page)
    return shlex.split(html.unescape(shown))[1:]


def test_a_wrong_merge_is_split_a_split_joined_and_a_face_dropped(whole_run, tmp_path):
    run = str(shutil.copytree(whole_run, tmp_path / "run"))
    before, _ = identities(run)
    wrong, mixed, one, other = sorted(before, key=lambda number: (-len(before[number]), number))[:4]
    with served(run) as server:
        people = server.site.people()
        rows = people.faces_of(wrong).tolist()
        centre, *_, second, first = (people.face_id[row].as_py() for row in rows)
        gone = people.face_id[int(people.faces_of(mixed)[-1])].as_py()
        mark(server, identity=wrong, centre=centre, face=[first, second], do="person")
        mark(server, identity=one, other=other, do="same")
        mark(server, identity=mixed, face=gone, do="drop")
        words = command(server)
    assert main(words) == 0
    after, reasons = identities(run)
    of_face = {face: number for number, faces in after.items() for face in faces}
    assert of_face[first] == of_face[second] != of_face.get(centre)
    assert before[one] | before[other] in after.values()
    assert reasons[gone] == "by_hand"
    assert before[mixed] - {gone} in after.values()
    with served(run) as server:  # the run is now made with the file, and further marks go to it
        assert server.site.marks.path == str(tmp_path / "run-overrides.csv")
        assert len(server.site.marks.lines()) == 4
        assert main(command(server)) == 0  # which has nothing left to do
    assert identities(run) == (after, reasons)
