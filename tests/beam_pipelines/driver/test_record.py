import json

import numpy as np
import pyarrow as pa
import pytest

from beam_pipelines.driver.record import read_record, record_path, versions, write_record
from beam_pipelines.errors import RunFailed
from transforms.tables.files import commit_file, open_binary


def test_a_folder_without_a_run_has_an_empty_record(folder):
    assert read_record(folder) == {}


@pytest.mark.parametrize(
    "record", [{}, {"stages": {"download": {"kept": 1}}}, {"manifest": "/data/naïve/\u5217\u8868.csv"}]
)
def test_a_record_comes_back(folder, record):
    write_record(folder, {"old": 1})
    write_record(folder, record)
    assert read_record(folder) == record
    assert "\\u" not in open_binary(record_path(folder)).read().decode()


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "this is not JSON"), (b'{"a": ', "this is not JSON"), (b"[1]", "this is no record")]
)
def test_a_file_that_is_no_record_is_one_sentence(folder, content, words):
    with commit_file(record_path(folder)) as out:
        out.write(content)
    with pytest.raises(RunFailed, match=rf"run\.json: {words}.*another --output"):
        read_record(folder)


def test_a_record_is_never_half_written(folder):
    write_record(folder, {"a": 1})
    with pytest.raises(TypeError):
        write_record(folder, {"a": object()})
    assert read_record(folder) == {"a": 1}


def test_versions_name_what_is_installed():
    found = versions()
    assert (found["pyarrow"], found["numpy"]) == (pa.__version__, np.__version__)
    assert json.loads(json.dumps(found)) == found
