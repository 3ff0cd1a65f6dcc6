"""A worker process of the local runner or of a worker pool: Beam's own, quieter, and gone when those it works for are.

It ends with the process that started it, as all processes of ours, and when the engine that it takes work from is gone.
"""

import logging
import os
import sys

PROVISION_VARIABLE = "MANYFACES_PROVISION"  # where the engine tells the job's options, if it does
_PROVISION_SECONDS = 60


def _provision(address: str) -> None:
    """Put the job's options and what the engine can do where Beam's worker looks for them."""
    import grpc
    from apache_beam.portability.api import beam_provision_api_pb2, beam_provision_api_pb2_grpc
    from google.protobuf import json_format

    with grpc.insecure_channel(address) as channel:
        stub = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel)
        answer = stub.GetProvisionInfo(
            beam_provision_api_pb2.GetProvisionInfoRequest(),
            metadata=[("worker_id", os.environ["WORKER_ID"])],
            timeout=_PROVISION_SECONDS,
            wait_for_ready=True,
        )
    os.environ["PIPELINE_OPTIONS"] = json_format.MessageToJson(answer.info.pipeline_options, indent=None)
    os.environ["RUNNER_CAPABILITIES"] = " ".join(answer.info.runner_capabilities)


def _line(error: BaseException) -> str:
    """The error on one line; of gRPC's, which have many, what the engine last said."""
    details = getattr(error, "details", None)
    text = details() if callable(details) else str(error)
    return f"{type(error).__name__.strip('_')}: {' '.join(str(text).split())[:300]}"


def say_errors_once() -> None:
    """Have no traceback printed where an error breaks out: it is reported to the runner, and logged, all the same."""
    from apache_beam.runners.worker import sdk_worker

    sdk_worker.print = lambda *words, **how: None  # its only use of print


def main() -> None:
    """Serve the engine until it hangs up.

    The process ends at once then: Beam's threads would finish their bundles first, and commit beside the worker that
    has taken over.
    """
    logging.disable(logging.WARNING)
    from apache_beam.runners.worker import sdk_worker_main  # which takes seconds, and logs

    say_errors_once()
    code = 0
    try:
        if address := os.environ.get(PROVISION_VARIABLE):
            _provision(address)
        sdk_worker_main.main(sys.argv)
    except BaseException as error:
        code = 1
        print(f"worker {os.environ.get('WORKER_ID', '')}: {_line(error)}", file=sys.stderr, flush=True)
    os._exit(code)
