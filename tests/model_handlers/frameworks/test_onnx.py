import pickle
import weakref
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from model_handlers.errors import ModelError
from model_handlers.frameworks.handler import NetworkHandler
from model_handlers.frameworks.loading import Loading
from model_handlers.interface import Answer, Request
from tests.onnx_files import save

TABLE = 8


def onnx_handler(path, *, name="onnx", batch_size=1, device="cpu", threads=1) -> NetworkHandler:
    return NetworkHandler(Loading("onnx", path, name, device=device, threads=threads), batch_size=batch_size)


@pytest.fixture(scope="module")
def looks_up(tmp_path_factory) -> Path:
    """(N,2) int64 -> (N,2,3): rows of a table; an index that is not in the table is an error of the whole batch."""
    return save(
        tmp_path_factory.mktemp("onnx") / "gather.onnx",
        [helper.make_node("Gather", ["table", "x"], ["y"], axis=0)],
        {"table": np.arange(TABLE * 3, dtype=np.float32).reshape(TABLE, 3)},
        [helper.make_tensor_value_info("x", TensorProto.INT64, ("N", 2))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("N", 2, 3))],
    )


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> Path:
    """(N,3,16,16) -> (N,10) and (N,8,16,16): a convolution and a matrix product, whose kernels depend on the batch."""
    random = np.random.default_rng(1)
    return save(
        tmp_path_factory.mktemp("onnx") / "network.onnx",
        [
            helper.make_node("Conv", ["x", "kernel"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c"], ["map"]),
            helper.make_node("Flatten", ["map"], ["f"]),
            helper.make_node("MatMul", ["f", "weights"], ["y"]),
        ],
        {
            "kernel": random.normal(size=(8, 3, 3, 3)).astype(np.float32),
            "weights": random.normal(size=(8 * 256, 10)).astype(np.float32),
        },
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", 3, 16, 16))],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ("N", 10)),
            helper.make_tensor_value_info("map", TensorProto.FLOAT, ("N", 8, 16, 16)),
        ],
    )


def answers(handler: NetworkHandler, requests: list[Request], network=None) -> list[Answer]:
    return list(handler.run_inference(requests, network or handler.load_model()))


def request(*rows, carry=None) -> Request:
    return Request(tuple(np.array(row, np.int64) for row in rows), carry)


def test_no_requests(looks_up):
    assert answers(onnx_handler(looks_up), []) == []


def test_requests_without_inputs(looks_up):
    found = answers(onnx_handler(looks_up, batch_size=4), [request(carry="a"), request(carry="b")])
    assert [(a.outputs, a.carry, a.error) for a in found] == [((), "a", None), ((), "b", None)]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 16])
def test_answers_belong_to_their_requests(looks_up, batch_size):
    rows = [[(0, 1)], [], [(2, 3), (4, 5), (6, 7)], [(7, 0)]]
    requests = [request(*inputs, carry=i) for i, inputs in enumerate(rows)]
    found = answers(onnx_handler(looks_up, batch_size=batch_size), requests)
    assert [a.carry for a in found] == [0, 1, 2, 3]
    for inputs, answer in zip(rows, found, strict=True):
        assert len(answer.outputs) == len(inputs)
        for indices, (output,) in zip(inputs, answer.outputs, strict=True):
            assert output[:, 0].tolist() == [3 * i for i in indices]


@pytest.mark.parametrize("poisoned", [[0], [2], [4], [1, 3]])
def test_a_poisoned_request_costs_itself_only(looks_up, poisoned):
    requests = [request((TABLE + 5, 0) if i in poisoned else (i, i), carry=i) for i in range(5)]
    found = answers(onnx_handler(looks_up, name="table", batch_size=4), requests)
    assert [a.carry for a in found] == list(range(5))
    assert [i for i, a in enumerate(found) if a.error] == poisoned
    assert all(found[i].outputs == () and not found[i].out_of_memory for i in poisoned)
    assert [a.outputs[0][0][0, 0] for i, a in enumerate(found) if i not in poisoned] == [
        3 * i for i in range(5) if i not in poisoned
    ]


def test_an_input_of_another_shape_costs_itself_only(looks_up):
    found = answers(onnx_handler(looks_up, batch_size=3), [request((0, 1)), request((0, 1, 2)), request((2, 3))])
    assert [bool(a.error) for a in found] == [False, True, False]


@pytest.mark.parametrize("batch_size", [1, 2, 8, 13])
def test_results_do_not_depend_on_the_batching(network, batch_size):
    """Bit for bit: alone, all at once, in any groups, in another order."""
    random = np.random.default_rng(2)
    inputs = [random.normal(size=(3, 16, 16)).astype(np.float32) for _ in range(21)]
    handler = onnx_handler(network, batch_size=batch_size)
    network = handler.load_model()

    def outputs(groups: list[list[int]]) -> dict[int, list[bytes]]:
        found = {}
        for group in groups:
            for answer in answers(handler, [Request((inputs[i],), i) for i in group], network):
                found[answer.carry] = [output.tobytes() for output in answer.outputs[0]]
        return found

    alone = outputs([[i] for i in range(21)])
    assert outputs([list(range(21))]) == alone
    assert outputs([list(range(21))[::-1]]) == alone
    assert outputs([[4, 9], [0, 1, 2, 3, 5], [20], list(range(6, 20))]) == alone
    (grouped,) = answers(handler, [Request(tuple(inputs), None)], network)
    assert [[o.tobytes() for o in outs] for outs in grouped.outputs] == [alone[i] for i in range(21)]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8])
def test_a_file_of_one_batch_size_runs_in_that(tmp_path, batch_size):
    sums = save(
        tmp_path / "sums.onnx",
        [helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)],
        {"axes": np.array([1], np.int64)},
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (3, 2))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (3,))],
    )
    requests = [Request(tuple(np.full(2, n, np.float32) for n in range(count)), None) for count in (1, 5, 0, 3)]
    found = answers(onnx_handler(sums, batch_size=batch_size), requests)
    assert [[float(y) for (y,) in answer.outputs] for answer in found] == [[0], [0, 2, 4, 6, 8], [], [0, 2, 4]]


@pytest.fixture(scope="module")
def flat(tmp_path_factory) -> Path:
    """(N,2,3) float32 -> (2 N,3), as detectors do that leave the batch axis off, and the sum (N,1,3)."""
    return save(
        tmp_path_factory.mktemp("onnx") / "flat.onnx",
        [
            helper.make_node("Reshape", ["x", "rows"], ["y"]),
            helper.make_node("ReduceSum", ["x", "second"], ["sum"]),
        ],
        {"rows": np.array([-1, 3], np.int64), "second": np.array([1], np.int64)},
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", 2, 3))],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, (None, 3)),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, ("N", 1, 3)),
        ],
    )


def test_outputs_without_batch_axis_belong_to_one_example(flat):
    examples = np.arange(18, dtype=np.float32).reshape(3, 2, 3)
    found = answers(onnx_handler(flat), [Request((one,), None) for one in examples])
    for answer, one in zip(found, examples, strict=True):
        rows, total = answer.outputs[0]
        np.testing.assert_array_equal(rows, one)
        np.testing.assert_array_equal(total, one.sum(axis=0, keepdims=True))


def test_outputs_without_batch_axis_are_an_error_in_batches(flat):
    (answer,) = answers(onnx_handler(flat, name="flat", batch_size=4), [Request((np.ones((2, 3), np.float32),), None)])
    assert answer.error == "an output (8, 3) of 4 examples has no batch axis: set batch_size to 1"


def test_cuda_that_is_not_there_is_an_error(looks_up):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime can use CUDA")
    with pytest.raises(RuntimeError, match=r"^table: the configuration asks for cuda, but .* set the device to cpu\.$"):
        onnx_handler(looks_up, name="table", device="cuda").load_model()


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"threads": 0}])
def test_wrong_options(looks_up, wrong):
    with pytest.raises(ValueError, match=r"^onnx: "):
        onnx_handler(looks_up, **wrong)


def test_what_beam_asks(looks_up):
    handler = onnx_handler(looks_up, name="table", batch_size=7)
    assert handler.batch_elements_kwargs() == {"min_batch_size": 7, "max_batch_size": 7}
    assert handler.get_num_bytes([request((0, 1), (2, 3)), request()]) == 32
    assert handler.get_metrics_namespace() == "model/table"
    assert len(pickle.dumps(handler)) < 2000
    answer = answers(pickle.loads(pickle.dumps(handler)), [request((0, 1))])
    assert answer[0].error is None


def test_the_path_is_asked_for_when_the_model_loads(looks_up):
    called = []
    handler = onnx_handler(lambda: called.append(1) or looks_up)
    assert not called
    handler.load_model()
    assert called == [1]


def test_steps_of_a_process_share_a_model_as_long_as_one_uses_it(looks_up, network):
    networks = [onnx_handler(looks_up, batch_size=size).load_model() for size in (1, 4)]
    assert networks[0] is networks[1]
    others = [onnx_handler(network).load_model(), onnx_handler(looks_up, threads=2).load_model()]
    assert not {id(other) for other in others} & {id(networks[0])}
    gone = weakref.ref(networks[0])
    del networks
    assert gone() is None


@pytest.mark.parametrize("place", ["../secret.bin", "{folder}/secret.bin", "near.bin"])
def test_a_file_with_weights_in_another_file_is_refused(tmp_path, monkeypatch, place):
    """Wherever the other file lies, and whatever the working directory is."""
    inside = tmp_path / "inside"
    inside.mkdir()
    for other in (tmp_path / "secret.bin", inside / "near.bin"):
        other.write_bytes(np.arange(4, dtype=np.float32).tobytes())
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    weights.external_data.add(key="location", value=place.format(folder=tmp_path))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ("N", 4)) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (inside / "m.onnx").write_bytes(model.SerializeToString())
    for folder in (tmp_path, inside):
        monkeypatch.chdir(folder)
        with pytest.raises(
            ModelError, match=r"^model 'onnx': .*m\.onnx keeps weights in another file, .* as one file\.$"
        ):
            onnx_handler(inside / "m.onnx").load_model()
