# Images for Beam workers (Dataflow, Flink, any portable runner) that also have the command `manyfaces`.
#   docker build --target cpu  -t manyfaces:cpu  .
#   docker build --target cuda -t manyfaces:cuda .
# The Beam version is that of requirements.lock; BEAM must name the same.
ARG BEAM=2.77.0
ARG PYTHON=3.11

FROM apache/beam_python${PYTHON}_sdk:${BEAM} AS beam

FROM python:${PYTHON}-slim AS cpu
WORKDIR /opt/manyfaces
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
COPY --from=beam /opt/apache/beam /opt/apache/beam
# The models of the CPU profile are baked in at build time when asked for, and workers then need no network for them.
ARG BAKE_MODELS=false
ENV MANYFACES_CACHE=/opt/manyfaces-cache
RUN if [ "$BAKE_MODELS" = true ]; then manyfaces models fetch; fi
ENTRYPOINT ["/opt/apache/beam/boot"]

FROM nvidia/cuda:12.6.3-cudnn-runtime-ubuntu22.04 AS cuda
ARG PYTHON
RUN apt-get update \
    && apt-get install --yes --no-install-recommends software-properties-common \
    && add-apt-repository --yes ppa:deadsnakes/ppa \
    && apt-get install --yes --no-install-recommends python${PYTHON} python${PYTHON}-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python${PYTHON} -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /opt/manyfaces
COPY requirements.lock ./
# onnxruntime-gpu and faiss-gpu take the places of their CPU builds, which write the same folders.
RUN pip install --no-cache-dir --require-hashes -r requirements.lock \
    && pip uninstall --yes onnxruntime faiss-cpu
COPY . .
RUN pip install --no-cache-dir --no-build-isolation '.[gpu]'
COPY --from=beam /opt/apache/beam /opt/apache/beam
ENV MANYFACES_CACHE=/opt/manyfaces-cache
ENTRYPOINT ["/opt/apache/beam/boot"]
