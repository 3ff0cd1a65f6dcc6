"""Sending an export to a dataset repository of the Hugging Face Hub."""

import re
from typing import Any

from beam_pipelines.errors import ConfigError, RunFailed
from transforms.tables.files import is_local

_PLACE = re.compile(r"hf://(?:datasets/)?([\w.-]+/[\w.-]+)/?", re.ASCII)


def check_place(place: str, folder: str) -> str:
    """The repository `owner/name` of `hf://owner/name`; ConfigError if the export in this folder cannot go there."""
    found = _PLACE.fullmatch(place)
    if found is None:
        raise ConfigError(f"--push {place}: a repository is named hf://owner/name.")
    if not is_local(folder):
        raise ConfigError(f"--push {place}: only a local folder can be sent; name one with --to.")
    _client()
    return found[1]


def push(folder: str, repository: str) -> str:
    """Have the repository hold the folder's files and no others; returns its address. RunFailed if the Hub refuses.

    A repository that is not there is made, and private. The account is that of HF_TOKEN or `hf auth login`, the Hub
    that of HF_ENDPOINT. What it held before stays in its history.
    """
    api = _client().HfApi()
    try:
        address = api.create_repo(repository, repo_type="dataset", private=True, exist_ok=True)
        api.upload_folder(
            repo_id=repository,
            repo_type="dataset",
            folder_path=folder,
            delete_patterns="*",
            commit_message="Export of manyfaces",
        )
    except Exception as error:  # of the Hub's client, of its HTTP client, of the network
        told = " ".join(str(error).split())[:300]
        raise RunFailed(
            f"--push {repository}: the Hub did not take it ({told}); the export is whole in {folder}: mend the cause "
            "(HF_TOKEN, the name, the network) and send it with `hf upload`."
        ) from error
    return str(address)


def _client() -> Any:
    try:
        import huggingface_hub  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise ConfigError("--push needs huggingface_hub: install manyfaces[hf].") from error
    return huggingface_hub
