import struct

import apache_beam as beam
import google_crc32c
from apache_beam.io.tfrecordio import ReadFromTFRecord
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.bundle.synthetic_samples import read, sample
from transforms.bundle.tfrecord import encode_example, masked_crc, open_tfrecord


def example_class():
    """tf.train.Example, from its published field numbers (tensorflow/core/example/feature.proto)."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")

    def message(name, *fields):
        new = file.message_type.add(name=name)
        for field_name, number, kind, repeated, type_name in fields:
            label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            new.field.add(name=field_name, number=number, type=kind, label=label, type_name=type_name)
        return new

    message("BytesList", ("value", 1, field.TYPE_BYTES, True, None))
    message("Int64List", ("value", 1, field.TYPE_INT64, True, None))
    message(
        "Feature",
        ("bytes_list", 1, field.TYPE_MESSAGE, False, ".tensorflow.BytesList"),
        ("int64_list", 3, field.TYPE_MESSAGE, False, ".tensorflow.Int64List"),
    )
    features = message("Features", ("feature", 1, field.TYPE_MESSAGE, True, ".tensorflow.Features.FeatureEntry"))
    entry = features.nested_type.add(name="FeatureEntry")
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    entry.field.add(
        name="value", number=2, type=field.TYPE_MESSAGE, label=field.LABEL_OPTIONAL, type_name=".tensorflow.Feature"
    )
    entry.options.map_entry = True
    message("Example", ("features", 1, field.TYPE_MESSAGE, False, ".tensorflow.Features"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


EXAMPLE = example_class()


def decoded(data: bytes) -> dict:
    return {
        name: (feature.bytes_list.value or feature.int64_list.value)[0]
        for name, feature in EXAMPLE.FromString(data).features.feature.items()
    }


values = st.one_of(st.binary(max_size=300), st.integers(0, 2**63 - 1))


@given(st.dictionaries(st.text(max_size=20), values, max_size=5))
def test_protobuf_reads_any_example(features):
    assert decoded(encode_example(features)) == features


def test_protobuf_writes_the_same_bytes():
    example = EXAMPLE()
    example.features.feature["b"].bytes_list.value.append(b"x" * 200)
    example.features.feature["a"].int64_list.value.append(300)
    assert encode_example({"b": b"x" * 200, "a": 300}) == example.SerializeToString(deterministic=True)


def test_masked_crc_of_the_published_check_value():
    assert google_crc32c.value(b"123456789") == 0xE3069283
    assert masked_crc(b"123456789") == (((0xE3069283 >> 15) | (0xE3069283 << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def test_no_samples_make_an_empty_file(folder):
    with open_tfrecord(f"{folder}/x"):
        pass
    assert read(f"{folder}/x.tfrecord") == b""


def test_beam_reads_it(tmp_path):
    with open_tfrecord(str(tmp_path / "x")) as sink:
        sink.add(sample(5, 1, b"\xff\xd8 one"))
        sink.add(sample(2**40, 0, b"\xff\xd8 two" * 1000))
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        found = pipeline | ReadFromTFRecord(str(tmp_path / "x.tfrecord"), validate=True) | beam.Map(decoded)
        shown = found | beam.Map(lambda e: (e["record"], e["image/class/label"], e["image/encoded"], e["face_id"]))
        expected = [(5, 1, b"\xff\xd8 one", b"a-b0-f0"), (2**40, 0, b"\xff\xd8 two" * 1000, b"a-b0-f0")]
        assert_that(shown, equal_to(expected))


def test_lengths_and_checks_frame_each_record(tmp_path):
    with open_tfrecord(str(tmp_path / "x")) as sink:
        sink.add(sample(5, 1, b"image"))
    data = read(str(tmp_path / "x.tfrecord"))
    (length,) = struct.unpack("<Q", data[:8])
    assert len(data) == 16 + length
    assert struct.unpack("<I", data[8:12])[0] == masked_crc(data[:8])
    assert struct.unpack("<I", data[-4:])[0] == masked_crc(data[12:-4])
