"""The configuration of the GPU profile as it stands, on a CPU: real architectures, weights generated for the test."""

import hashlib

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from onnx import TensorProto, helper  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from torch.nn.functional import cosine_similarity  # noqa: E402
from torchvision.models import resnet18  # noqa: E402

from beam_pipelines import config as configuration  # noqa: E402
from beam_pipelines.cli import UNUSABLE, main  # noqa: E402
from beam_pipelines.driver.order import Order  # noqa: E402
from beam_pipelines.driver.run import run  # noqa: E402
from model_handlers.codecs import vit_kprpe as codec  # noqa: E402
from model_handlers.framing import to_planes  # noqa: E402
from model_handlers.networks import owlv2  # noqa: E402
from model_handlers.networks.vit_kprpe import network  # noqa: E402
from tests import videos  # noqa: E402
from tests.image_files import PHOTO  # noqa: E402
from tests.integration.runs import STAGES, column, write_list  # noqa: E402
from tests.model_handlers.networks import kprpe_weights, tiny_owlv2, yolo_weights  # noqa: E402
from tests.model_handlers.networks.retinaface_weights import package_network  # noqa: E402
from tests.onnx_files import save  # noqa: E402
from tests.portraits import portrait  # noqa: E402
from transforms.images.pixels import open_image  # noqa: E402
from transforms.tables.ledger import tally  # noqa: E402
from transforms.tables.shards import read_column  # noqa: E402

pytestmark = [pytest.mark.frameworks, pytest.mark.integration]
IMAGES, BODIES = 5, 2


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A file for each model: YOLO's checkpoint, RetinaFace's state dict, KP-RPE as safetensors."""
    folder = tmp_path_factory.mktemp("weights")
    planes = torch.from_numpy(to_planes(PHOTO[:192, :160], "imagenet")[None])
    torch.save(package_network(planes).state_dict(), folder / "retinaface.pth")
    made = kprpe_weights.made(kprpe_weights.shapes(24, 16, 3))
    save_file({f"net.{name}": torch.from_numpy(np.asarray(one)) for name, one in made.items()}, folder / "kprpe.st")
    return {"yolov8n-pose": yolo_weights.weights(8), "retinaface-resnet50": folder / "retinaface.pth",
            "vit-kprpe": folder / "kprpe.st"}  # fmt: skip


@pytest.fixture(scope="module")
def catalogue(files, tmp_path_factory):
    blocks = {
        name: {"sources": [{"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}]}
        for name, path in files.items()
    }
    blocks["retinaface-resnet50"]["network_options"] = {"normalization": "imagenet"}
    path = tmp_path_factory.mktemp("catalogue") / "models.yaml"
    path.write_text(yaml.safe_dump({"models": blocks}))
    return path


@pytest.fixture(scope="module")
def whole(site, catalogue, tmp_path_factory):
    """The recipe webbody, whole, with what a random network's numbers need said otherwise."""
    folder = tmp_path_factory.mktemp("gpu-profile")
    write_list(folder / "list.csv", site.rows[:IMAGES], site.port)
    overrides = [
        f"models.catalogue={catalogue}", "models.device=cpu", "models.accept_noncommercial=true",
        "models.accept_copyleft=true", f"fetch.allow_hosts=['127.0.0.1:{site.port}']", "manifest.rows_per_shard=2",
        "manifest.columns.id=id", "manifest.columns.url=url", "manifest.columns.label=number",
        f"bodies.min_score={yolo_weights.SCORE}", f"bodies.max_bodies={BODIES}",
        "faces.detector_side=160", "faces.min_score=0.2",
        "identity.edges.within_label=false", "identity.edges.min_similarity=-0.99",
        "identity.clusters.link_similarity=-0.99", "identity.clusters.keep=all", "identity.cleaning.min_face_score=0",
        "identity.cleaning.merge_similarity=1", "identity.cleaning.ambiguous_similarity=1",
        "identity.cleaning.duplicate_similarity=1",
    ]  # fmt: skip
    recipe, settings = configuration.load("webbody-gpu", overrides)
    run(Order(recipe, settings, str(folder / "list.csv"), str(folder / "run")))
    return str(folder / "run")


def test_every_stage_kept_something_and_its_counts_balance(whole):
    tallies = [tally(whole, stage) for stage in STAGES]
    assert all(one.count("kept") > 0 and one.count("failed") == 0 for one in tallies[:5])
    assert tallies[3].items == len(column(whole, "bodies", "body_id"))
    assert tallies[4].items == len(column(whole, "faces", "face_id")) == len(column(whole, "embeddings", "face_id"))


def test_people_are_those_that_ultralytics_finds(whole, files):
    ultralytics = pytest.importorskip("ultralytics")
    predict = ultralytics.YOLO(files["yolov8n-pose"], task="pose").predict
    bodies = read_column(whole, "bodies", ["image_id", "box", "score", "keypoints"]).to_pylist()
    for image_id, data in zip(*(column(whole, "images", name) for name in ("image_id", "image")), strict=True):
        bgr = np.ascontiguousarray(open_image(data)[..., ::-1])
        (wanted,) = predict(bgr, conf=yolo_weights.SCORE, iou=0.7, verbose=False, device="cpu")
        found = [body for body in bodies if body["image_id"] == image_id]
        assert len(found) == min(BODIES, len(wanted.boxes))
        for body, box, points in zip(found, wanted.boxes.xyxy.numpy(), wanted.keypoints.data.numpy(), strict=False):
            np.testing.assert_allclose(body["box"], box, atol=0.5)
            np.testing.assert_allclose(np.reshape(body["keypoints"], (17, 3)), points, atol=0.5)
    assert len(bodies) > IMAGES


def test_vectors_are_those_of_the_network_for_the_stored_faces(whole, files):
    faces = read_column(whole, "faces", ["face_id", "crop", "crop_landmarks"]).to_pylist()
    vectors = dict(zip(*(column(whole, "embeddings", name) for name in ("face_id", "vector")), strict=True))
    module = network(files["vit-kprpe"]).eval()
    for face in faces[:3]:
        (planes, keypoints), _ = codec.encode(
            open_image(face["crop"]), np.reshape(face["crop_landmarks"], (5, 2)).astype(np.float32), None
        )
        with torch.inference_mode():
            wanted = module(torch.from_numpy(planes[None]), torch.from_numpy(keypoints[None]))[0]
        stored = torch.tensor(vectors[face["face_id"]], dtype=torch.float32)
        assert cosine_similarity(stored, wanted, dim=0) > 0.9999


def test_identities_end_in_a_bundle(whole):
    numbers = [number for number in column(whole, "identities", "identity") if number is not None]
    assert numbers
    assert tally(whole, "bundle").count("kept") > 0


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A list of one video, in which nothing moves: a random network finds the same face in all of its frames."""
    folder = tmp_path_factory.mktemp("film")
    videos.write(folder / "still.mp4", [portrait("astronaut-1", (360, 360), height=0.6)] * 60)
    (folder / "list.csv").write_text(f"video_id,url\nstill,{folder / 'still.mp4'}\n")
    return folder / "list.csv"


def of_video(recipe: str, catalogue, film, output, *more: str) -> str:
    """A run of a configuration of the GPU profile on the film; returns its folder."""
    overrides = [
        f"models.catalogue={catalogue}", "models.device=cpu", "models.accept_noncommercial=true",
        f"fetch.allow_paths=['{film.parent}']", *more,
    ]  # fmt: skip
    recipe, settings = configuration.load(recipe, overrides)
    run(Order(recipe, settings, str(film), str(output)))
    return str(output)


def test_persons_of_a_video(catalogue, film, tmp_path):
    run_ = of_video(
        "face_generation-gpu", catalogue, film, tmp_path / "run", "fetch.accept.min_height=100",
        "sampling.per_segment=2", "detections.detector_side=160", "detections.min_score=0.2", "faces.mesh_model=null",
        "faces.min_score=0", "faces.min_face_px=1", "faces.min_sharpness=0", "faces.max_yaw=180", "faces.max_pitch=180",
        "faces.min_frontality=0", "selection.temporal=0",
    )  # fmt: skip
    assert tally(run_, "embeddings").count("failed") == 0
    assert len(column(run_, "embeddings", "face_id")) >= 6
    assert {number for number in column(run_, "identities", "identity") if number is not None}
    assert column(run_, "selection", "face_id")


def test_clips_of_a_video(catalogue, film, tmp_path):
    """CLIP's and the judges' places are taken by small networks of the same inputs and outputs."""
    blocks = yaml.safe_load(catalogue.read_text())["models"] | {
        "clip-vit-b32": means(tmp_path / "clip.onnx", 512),
        "hyperiqa": means(tmp_path / "hyperiqa.onnx", 1),
        "clipiqa-plus": means(tmp_path / "clipiqa.onnx", 1),
    }
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"models": blocks}))
    run_ = of_video(
        "face_clips-gpu", tmp_path / "models.yaml", film, tmp_path / "run",
        "spans.detector_side=160", "spans.min_score=0.2", "spans.min_size=0.01",
    )  # fmt: skip
    (clip,) = read_column(run_, "clips", ["first_frame", "end_frame", "clip_score", "hyperiqa", "clipiqa"]).to_pylist()
    assert (clip["first_frame"], clip["end_frame"]) == (0, 59)
    assert 0 <= clip["clip_score"] < 0.01
    assert clip["hyperiqa"] == pytest.approx(clip["clipiqa"])


def test_tracks_of_a_video(catalogue, film, tmp_path, monkeypatch):
    """OWLv2 in small, the network for cartoons, and a small network in place of the judge of beauty; no plates."""
    monkeypatch.setitem(owlv2.SIZES, "tiny", tiny_owlv2.TINY)
    torch.save(tiny_owlv2.made().state_dict(), tmp_path / "owlv2.pt")
    torch.manual_seed(2)
    torch.save(resnet18(num_classes=2).state_dict(), tmp_path / "cartoon.pth")
    mine = {"framework": "onnx", "licence": "none", "commercial": True, "task": "quality", "codec": "image_quality"}
    blocks = yaml.safe_load(catalogue.read_text())["models"] | {
        "cartoon-resnet18": sources(tmp_path / "cartoon.pth"),
        "owlv2-base": sources(tmp_path / "owlv2.pt")
        | {"network_options": {"size": "tiny"}, "options": {"side": tiny_owlv2.SIDE, "grey": 128}},
        "aesthetics-vit-l14": mine | means(tmp_path / "judge.onnx", 1),
    }
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"models": blocks}))
    run_ = of_video(
        "object_tracks-gpu", tmp_path / "models.yaml", film, tmp_path / "run",
        "shots.min_seconds=1", "filters.cartoon.most=100", "filters.aesthetics.least=-100",
        "covers.find.plate_model=null", "covers.find.detector_side=160", "covers.find.min_face_score=0.2",
        "covers.every_frames=20", "objects.vocabulary=coco", "objects.frame_rate=4", "objects.max_objects=4",
        "tracks.tracker.high_score=0.1",
        "tracks.tracker.new_score=0.1", "tracks.min_seconds=1", "tracks.min_area=0", "clips.expansions=[0]",
        "clips.max_side=64",
    )  # fmt: skip
    (shot,) = read_column(run_, "passed_shots", ["filters", "filter_scores"]).to_pylist()
    assert shot["filters"] == ["cartoon", "aesthetics"]
    assert np.isfinite(shot["filter_scores"]).all()
    tracks = read_column(run_, "tracks", ["top_names", "feature", "numbers"]).to_pylist()
    assert tracks
    for track in tracks:  # nothing moves, so that much is found in every frame
        assert len(track["numbers"]) > 4
        assert np.linalg.norm(track["feature"]) == pytest.approx(1, abs=1e-3)
        assert len(set(track["top_names"])) == 10
    assert tally(run_, "clips").count("kept") == tally(run_, "distinct").count("kept") > 0
    assert all(column(run_, "clips", "covered"))


def sources(path) -> dict[str, list[dict[str, str]]]:
    return {"sources": [{"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}]}


def means(path, outputs: int) -> dict[str, list[dict[str, str]]]:
    """Write a network whose outputs are multiples of the mean of its input; gives its sources."""
    weights = {"weights": np.ones((3, outputs), np.float32)}
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["y"]),
    ]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", 3, 224, 224))
    save(path, nodes, weights, [given], [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("N", outputs))])
    return sources(path)


def test_without_weights_and_consent_it_says_what_to_write(catalogue, capsys):
    assert main(["config", "check", "webbody-gpu"]) == UNUSABLE
    assert "write `vit-kprpe: {sources: [{uri: PATH, sha256: ITS SHA-256}]}`" in capsys.readouterr().err
    more = ["--set", f"models.catalogue={catalogue}"]
    assert main(["config", "check", "webbody-gpu", *more]) == UNUSABLE
    assert "set models.accept_copyleft: true" in capsys.readouterr().err
    more += ["--set", "models.accept_copyleft=true", "--set", "models.accept_noncommercial=true"]
    assert main(["config", "check", "webbody-gpu", *more]) == 0
