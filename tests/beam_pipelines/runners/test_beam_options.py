"""Which of Beam's options the record of a run has."""

import pytest

from beam_pipelines.runners.beam_options import to_record

WORDS = [
    (["--direct_num_workers", "2", "--runner=FlinkRunner"], ["--direct_num_workers=2", "--runner=FlinkRunner"], []),
    (["--no_use_public_ips", "--experiments", "a=b"], ["--no_use_public_ips", "--experiments=a=b"], []),
    (["--s3_secret_access_key", "x", "--s3_region_name=y"], ["--s3_region_name=y"], ["--s3_secret_access_key"]),
    (["--azure_connection_string=AccountKey=x"], [], ["--azure_connection_string"]),
    (["--environment_config", '{"env": {"KEY": "x"}}'], [], ["--environment_config"]),
    (["--s3_endpoint_url=https://me:x@host"], [], ["--s3_endpoint_url"]),
    (["--s3_endpoint_url=https://host:443/a@b"], ["--s3_endpoint_url=https://host:443/a@b"], []),
    (["--dataflow_kms_key=projects/p/keys/k"], ["--dataflow_kms_key=projects/p/keys/k"], []),
]  # fmt: skip


@pytest.mark.parametrize(("words", "kept", "secret"), WORDS)
def test_options_are_recorded_without_secrets(words, kept, secret):
    assert to_record(words) == (kept, secret)
