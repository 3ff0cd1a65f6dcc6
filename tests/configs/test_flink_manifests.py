"""The manifests of configs/kubernetes: whole, consistent with each other and with what the code asks for."""

import importlib.util

import pytest
import yaml

import configs
from beam_pipelines.runners.flink import FlinkSettings
from tests.engines.flink_job_server import RELEASES

FILE = configs.FOLDER / "kubernetes" / "flink.yaml"
# What every manifest of a kind must have, and where.
WANTED = {
    "PersistentVolumeClaim": ("v1", ("accessModes", "resources")),
    "Service": ("v1", ("selector", "ports")),
    "Deployment": ("apps/v1", ("replicas", "selector", "template")),
}


@pytest.fixture(scope="module")
def manifests():
    return list(yaml.safe_load_all(FILE.read_text()))


def named(manifests, kind, name):
    (found,) = (one for one in manifests if one["kind"] == kind and one["metadata"]["name"] == name)
    return found


def pod(manifests, name):
    return named(manifests, "Deployment", name)["spec"]["template"]["spec"]


def container(manifests, deployment, name):
    (found,) = (one for one in pod(manifests, deployment)["containers"] if one["name"] == name)
    return found


def properties(manifests, name):
    """Flink's own settings of a container called like its deployment's last word."""
    (value,) = container(manifests, f"flink-{name}", name)["env"]
    assert value["name"] == "FLINK_PROPERTIES"
    return yaml.safe_load(value["value"])


def test_every_manifest_is_of_a_known_kind_and_whole(manifests):
    assert len(manifests) == 4
    for one in manifests:
        version, fields = WANTED[one["kind"]]
        assert one["apiVersion"] == version
        assert set(fields) <= set(one["spec"])


@pytest.mark.parametrize("name", ["flink-jobmanager", "flink-taskmanager"])
def test_deployments_select_their_own_pods(manifests, name):
    spec = named(manifests, "Deployment", name)["spec"]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]


def test_the_service_reaches_the_job_manager_and_all_find_it(manifests):
    service = named(manifests, "Service", "flink-jobmanager")["spec"]
    deployment = named(manifests, "Deployment", "flink-jobmanager")["spec"]
    assert service["selector"] == deployment["template"]["metadata"]["labels"]
    listening = {port["containerPort"] for port in container(manifests, "flink-jobmanager", "jobmanager")["ports"]}
    assert {port["port"] for port in service["ports"]} == listening
    for name in ("jobmanager", "taskmanager"):
        assert properties(manifests, name)["jobmanager.rpc.address"] == "flink-jobmanager"
    assert properties(manifests, "jobmanager")["blob.server.port"] in listening


def test_every_mounted_volume_is_there_and_its_claim_too(manifests):
    spec = pod(manifests, "flink-taskmanager")
    mounted = {mount["name"] for one in spec["containers"] for mount in one.get("volumeMounts", ())}
    assert mounted == {volume["name"] for volume in spec["volumes"]}
    for volume in spec["volumes"]:
        named(manifests, "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])


def test_a_worker_pool_stands_beside_each_task_manager_where_the_settings_say(manifests):
    pool = container(manifests, "flink-taskmanager", "worker-pool")
    command = pool["command"]
    assert command[:2] == ["python", "-m"]
    assert importlib.util.find_spec(command[2]) is not None
    assert command[command.index("--bind") + 1] == "127.0.0.1"
    FlinkSettings(master="flink-jobmanager:8081", worker_pool=f"localhost:{command[-1]}", parallelism=2)
    assert (
        command[-1] in container(manifests, "flink-taskmanager", "worker-pool")["livenessProbe"]["exec"]["command"][2]
    )


def test_flink_is_of_the_version_that_is_tested_and_fits_its_containers(manifests):
    for name in ("jobmanager", "taskmanager"):
        found = container(manifests, f"flink-{name}", name)
        assert found["image"] == f"flink:{RELEASES[0].flink}-java17"
        assert found["args"] == [name]
        limit = found["resources"]["limits"]["memory"]
        assert properties(manifests, name)[f"{name}.memory.process.size"].removesuffix("m") == limit.removesuffix("Mi")


def test_what_one_task_manager_had_fits_on_the_others(manifests):
    replicas = named(manifests, "Deployment", "flink-taskmanager")["spec"]["replicas"]
    slots = properties(manifests, "taskmanager")["taskmanager.numberOfTaskSlots"]
    assert slots * (replicas - 1) >= 8, "docs/flink.md runs jobs with a parallelism of 8"
