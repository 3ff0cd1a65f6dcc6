"""A Flink cluster of two task managers on this machine, one of which is lost, or the run's submitter."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.engines import flink
from tests.engines.fetch import Unavailable
from tests.integration.command import finish
from tests.integration.crowd import assert_same_download, finished, start, wait_for_chunks

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("crowd"), pytest.mark.flink, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def running():
    """A cluster of two task managers, each with its own pool."""
    try:
        with flink.flink_cluster(2) as cluster:
            yield cluster
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture
def cluster(running):
    """The cluster, whole again if a test has killed the first task manager; a test may kill it."""
    if running.task_managers[0][0].leash.poll() is not None:
        running.start(0)
        running.wait_for(2)
    return running


@pytest.fixture(scope="module")
def job_server():
    """Beam's job server for Flink."""
    try:
        flink.require_java()
        return flink.job_server()[1]
    except Unavailable as why:
        pytest.skip(str(why))


def listening(process_id):
    """The addresses, in hexadecimal, on which a process accepts connections."""
    sockets = {os.readlink(path) for path in Path(f"/proc/{process_id}/fd").iterdir() if path.is_symlink()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process_id}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                found.add(words[1].partition(":")[0])
    return found


def pool_address(cluster, number):
    """What a Java process with a task manager's hosts file takes the pools' name for; None without a compiler."""
    source = cluster.folder / "Find.java"
    source.write_text(
        "public class Find { public static void main(String[] names) throws Exception {"
        " System.out.print(java.net.InetAddress.getByName(names[0]).getHostAddress()); } }"
    )
    hosts = f"-Djdk.net.hosts.file={cluster.folder}/hosts-{number}"
    done = subprocess.run(["java", hosts, str(source), "worker-pool"], capture_output=True, text=True)
    return None if "compiler" in done.stderr else done.stdout


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="looks for sockets in /proc")
def test_a_cluster_is_on_this_machine_alone_and_notices_the_loss_of_a_task_manager(cluster):
    for process in (process for pair in cluster.task_managers.values() for process in pair):
        addresses = listening(process.id)
        assert addresses
        assert all(address.endswith("00007F") for address in addresses), addresses
    assert pool_address(cluster, 0) in ("127.0.0.2", None)
    assert pool_address(cluster, 1) in ("127.0.0.3", None)
    lost = [process.id for process in cluster.task_managers[0]]
    cluster.kill(0)
    cluster.wait_for(1)
    assert not any(Path(f"/proc/{process_id}").exists() for process_id in lost)
    assert all(process.leash.poll() is None for process in cluster.task_managers[1])


def test_a_run_survives_the_loss_of_a_task_manager_and_its_pool(job_server, cluster, crowd_site, whole_crowd, tmp_path):
    output = tmp_path / "run"
    process = start(crowd_site, output, *cluster.arguments)
    try:
        wait_for_chunks(process, output, 6)
        before = finished(output)
        cluster.kill(0)
        finish(process)
    finally:
        process.kill()
    assert before.items() <= finished(output).items(), "a finished chunk was done again"
    assert_same_download(str(output), whole_crowd)
    assert not list(output.rglob(".*")), "temporary files are left"


def test_a_run_whose_submitter_was_lost_is_started_again_beside_the_old_job(
    job_server, cluster, crowd_site, whole_crowd, tmp_path
):
    """The cluster goes on with the old job, whose workers may no longer commit once the run is started again."""
    output = tmp_path / "run"
    process = start(crowd_site, output, *cluster.arguments)
    try:
        wait_for_chunks(process, output, 3)
    finally:
        process.kill()
    before = finished(output)
    finish(start(crowd_site, output, *cluster.arguments))
    assert before.items() <= finished(output).items(), "a finished chunk was done again"
    assert_same_download(str(output), whole_crowd)
