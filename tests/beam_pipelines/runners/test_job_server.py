import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from beam_pipelines.errors import ConfigError
from beam_pipelines.runners import job_server

pytestmark = pytest.mark.server

# A server that says its process id in a file and then listens, as a job server does when it is ready.
SERVER = """
import os, socket, sys, time
from pathlib import Path
Path(sys.argv[2]).write_text(str(os.getpid()))
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    time.sleep(600)
"""
# One that starts it and is killed before it can clean up.
SUBMITTER = """
import sys, time
from pathlib import Path
from beam_pipelines.runners import job_server
folder, address, *command = sys.argv[1:]
with job_server.running(command, address, Path(folder) / "log"):
    Path(folder, "up").touch()
    time.sleep(600)
"""


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def server(address, folder):
    return [sys.executable, "-c", SERVER, address.rpartition(":")[2], str(folder / "pid")]


def wait_for(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(process_id):
    """Whether it runs: one that has ended and that nobody waits for, a zombie, does not."""
    try:
        os.kill(process_id, 0)
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:  # it may end between opening the file and reading it
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()
    return state != "Z"


def test_it_listens_within_the_block_and_is_gone_after_it(tmp_path):
    address = free_address()
    with job_server.running(server(address, tmp_path), address, tmp_path / "log"):
        process_id = int((tmp_path / "pid").read_text())
        assert alive(process_id)
    assert not alive(process_id)


def test_it_ends_with_a_submitter_that_is_killed(tmp_path):
    address = free_address()
    command = [sys.executable, "-c", SUBMITTER, str(tmp_path), address, *server(address, tmp_path)]
    submitter = subprocess.Popen(command)
    try:
        wait_for((tmp_path / "up").exists)
        process_id = int((tmp_path / "pid").read_text())
    finally:
        submitter.send_signal(signal.SIGKILL)
        submitter.wait()
    wait_for(lambda: not alive(process_id), 10)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ([sys.executable, "-c", "import sys; sys.exit('no\\nlicence')"], "no licence"),
        ([sys.executable, "-c", ""], "it said nothing"),
    ],
)
def test_one_that_does_not_come_up_is_one_sentence(tmp_path, command, said):
    address = free_address()
    with (
        pytest.raises(ConfigError, match=f"did not come up at {address}: {said}") as error,
        job_server.running(command, address, tmp_path / "log"),
    ):
        pass
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--flink_job_server_jar=nowhere.jar"], "job server cannot be had: Unable to parse jar URL"),
        (["--flink_job_server_jar={jar}", "--job_server_java_launcher=no-java"], "there is no 'no-java' on the PATH"),
    ],
)
def test_what_flinks_needs_and_is_not_there_is_named(tmp_path, arguments, sentence):
    (tmp_path / "a.jar").touch()
    options = PipelineOptions([argument.format(jar=tmp_path / "a.jar") for argument in arguments])
    wanted = f"--runner FlinkRunner: .*{sentence}"
    with pytest.raises(ConfigError, match=wanted), job_server.serve("FlinkRunner", options):
        pass
