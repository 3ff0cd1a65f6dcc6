# Images for Beam workers (Dataflow, Flink, any portable runner) that also have the command `manyfaces`:
#   docker build --target cpu      -t manyfaces:cpu .        CPU models; all jobs without GPUs
#   docker build --target cuda     -t manyfaces:cuda .       ONNX Runtime, PyTorch and FAISS for CUDA 12
#   docker build --target template -t manyfaces:template --build-arg LAUNCHER=... .   the launcher of the Flex Template
# --build-arg BAKE_MODELS=true puts the models of the CPU profile in, and workers then need no network for them.
# Each image takes a lock file as it is, hashes verified, and resolves nothing: requirements-cpu.lock, requirements-gpu.lock.
ARG BEAM=2.77.0
ARG PYTHON=3.11
# Google's base image for Flex Templates in Python 3.11; only the target `template` needs it.
ARG LAUNCHER=scratch

FROM apache/beam_python${PYTHON}_sdk:${BEAM} AS beam
FROM ${LAUNCHER} AS launcher

FROM python:${PYTHON}-slim AS build
ARG UV=0.13.8
RUN pip install --no-cache-dir uv==${UV} && uv venv /opt/venv
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1
WORKDIR /src
COPY requirements.lock requirements-cpu.lock requirements-gpu.lock ./

FROM build AS build-cpu
RUN uv pip sync --require-hashes --build-constraints requirements.lock requirements-cpu.lock
COPY . .
RUN uv pip install --build-constraints requirements.lock --no-deps .

FROM build AS build-cuda
RUN uv pip sync --require-hashes --build-constraints requirements.lock requirements-gpu.lock
COPY . .
RUN uv pip install --build-constraints requirements.lock --no-deps .

FROM build-cpu AS models
ARG BAKE_MODELS=false
ENV MANYFACES_CACHE=/opt/models
RUN mkdir -p /opt/models && if [ "$BAKE_MODELS" = true ]; then manyfaces models fetch; fi

FROM python:${PYTHON}-slim AS worker
# Else Beam's boot program makes an environment of its own for every process, which does not see /opt/venv.
ENV RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH MANYFACES_CACHE=/opt/models
COPY --from=beam /opt/apache/beam /opt/apache/beam
COPY --from=models /opt/models /opt/models
ENTRYPOINT ["/opt/apache/beam/boot"]

FROM worker AS cuda
# Where the machine's driver appears: /usr/local/nvidia on Dataflow; NVIDIA's container runtime reads the other two.
ENV LD_LIBRARY_PATH=/usr/local/nvidia/lib64 NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build-cuda /opt/venv /opt/venv

FROM worker AS cpu
COPY --from=build-cpu /opt/venv /opt/venv

FROM cpu AS template
COPY --from=launcher /opt/google/dataflow/python_template_launcher /opt/google/dataflow/python_template_launcher
COPY beam_pipelines/launch.py /template/launch.py
ENV FLEX_TEMPLATE_PYTHON_PY_FILE=/template/launch.py
ENTRYPOINT ["/opt/google/dataflow/python_template_launcher"]

# Without --target this is what is built.
FROM cpu
