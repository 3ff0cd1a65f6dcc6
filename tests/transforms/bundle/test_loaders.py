"""What frameworks make of a bundle whose faces have one size: batches by their own loaders, without a word of code."""

import json

import pytest

from tests.transforms.bundle.synthetic_run import write_run
from tests.transforms.bundle.test_bundle_stage import BY_RECORD, IDENTITY, SHARDS, bundle
from transforms.bundle.settings import BundleSettings

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")
pytestmark = pytest.mark.frameworks
SETTINGS = BundleSettings(
    records_per_file=3, samples_per_file=2, body_side=64, face_side=32, sinks=("webdataset", "tfrecord")
)
LABELS = sorted(IDENTITY[number] for number in BY_RECORD)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """The folder of a small bundle's faces."""
    run = str(tmp_path_factory.mktemp("run"))
    write_run(run, SHARDS, IDENTITY, frozenset())
    bundle(run, SETTINGS)
    return f"{run}/bundle/faces"


def shards(folder):
    with open(f"{folder}/shards.json") as file:
        return json.load(file)["shardlist"]


def test_torch_collates_samples_of_webdataset(faces):
    import webdataset

    folder = f"{faces}/webdataset"
    data = webdataset.WebDataset([f"{folder}/{one['url']}" for one in shards(folder)], shardshuffle=False)
    loader = torch.utils.data.DataLoader(data.decode("torchrgb").to_tuple("jpg", "cls"), batch_size=5)
    ((images, labels),) = list(loader)
    assert images.shape == (5, 3, 32, 32)
    assert sorted(labels.tolist()) == LABELS


def test_tensorflow_batches_records(faces):
    from model_handlers.frameworks.tensorflow import tf  # in which order it and PyTorch are loaded is settled there

    folder = f"{faces}/tfrecord"
    features = {
        "image/encoded": tf.io.FixedLenFeature([], tf.string),
        "image/class/label": tf.io.FixedLenFeature([], tf.int64),
    }

    def read(record):
        parsed = tf.io.parse_single_example(record, features)
        return tf.io.decode_jpeg(parsed["image/encoded"], channels=3), parsed["image/class/label"]

    data = tf.data.TFRecordDataset([f"{folder}/{one['url']}" for one in shards(folder)]).map(read).batch(5)
    ((images, labels),) = list(data)
    assert images.shape == (5, 32, 32, 3)
    assert sorted(labels.numpy().tolist()) == LABELS
    assert sum(one["nsamples"] for one in shards(folder)) == len(LABELS)
