# `make demo` and `make test` set up all they need: the virtual environment from the lock file, then the models.
PYTHON ?= python3
RECIPE ?= webbody
VENV   := .venv
BIN    := $(VENV)/bin
UV     := VIRTUAL_ENV=$(VENV) $(BIN)/uv pip
READY  := $(VENV)/.ready
# PyTorch, TensorFlow and what else runs models of the GPU profile: an environment of their own, for their tests.
HEAVY  := .venv-frameworks
# Where it is set, every process compiles all that it imports anew: three seconds for Beam alone.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick lint format docs bench lock clean

$(READY): requirements.lock setup.py
	@echo "== setting up $(VENV) from requirements.lock (about a minute; needs the network once)"
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v <= (3, 14) else "Python 3.10 to 3.14 is needed, this is %d.%d: make PYTHON=python3.11" % v)'
	@$(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.lock
	@$(UV) sync --quiet --require-hashes --build-constraints requirements.lock requirements.lock
	@$(UV) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(HEAVY)/.ready: $(READY) requirements-frameworks.lock
	@echo "== setting up $(HEAVY) from requirements-frameworks.lock (about a minute and 9 GB; needs the network once)"
	@$(PYTHON) -m venv $(HEAVY)
	@VIRTUAL_ENV=$(HEAVY) $(BIN)/uv pip sync --quiet --require-hashes --build-constraints requirements-frameworks.lock requirements-frameworks.lock
	@VIRTUAL_ENV=$(HEAVY) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## a recipe on real photographs, or videos of them, with real models: make demo RECIPE=face_clips
	@$(BIN)/manyfaces demo $(RECIPE)

# Whole runs wait for processes as much as they work: twice as many workers as a small machine has cores.
WORKERS ?= 4
# They are the parallelism: threads of OpenMP and BLAS beside them would only wait in loops.
ALONE := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
PYTEST := -m pytest --durations=25 --dist loadgroup --no-loadscope-reorder
TESTS := $(ALONE) $(BIN)/python $(PYTEST) --numprocesses $(WORKERS)
ELSEWHERE := integration or jobs or server or gcs or s3 or flink or prism or dataflow or mxnet

test: $(READY) $(HEAVY)/.ready  ## the whole suite: all that needs no heavy framework, then all that does
	@$(TESTS) -m "not frameworks"
	@$(ALONE) $(HEAVY)/bin/python $(PYTEST) --numprocesses 2 -m frameworks

quick: $(READY)  ## the tests that need no engine, no server and no model
	@$(TESTS) -m "not ($(ELSEWHERE) or frameworks)"

lint: $(READY)  ## style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(READY)  ## the page of all settings, written anew
	@$(BIN)/python -m beam_pipelines.reports.settings_page > docs/settings.md

bench: $(READY)  ## the figures of docs/benchmarks.md, measured anew
	@$(BIN)/python -m benchmarks

COMPILE := $(UV) compile --quiet --generate-hashes --no-annotate --no-header
ANYWHERE := --universal --python-version 3.10
IMAGE := --constraints requirements.lock --extra gcp --extra video

lock: $(READY)  ## compile requirements.lock from setup.py, and with its versions those of the frameworks and the images
	@$(COMPILE) $(ANYWHERE) --extra dev setup.py -o requirements.lock
	@$(COMPILE) $(ANYWHERE) --constraints requirements.lock --overrides tests/frameworks.txt --extra dev --extra frameworks setup.py -o requirements-frameworks.lock
	@$(COMPILE) $(ANYWHERE) $(IMAGE) --extra cpu setup.py -o requirements-cpu.lock
	@$(COMPILE) --python-version 3.11.9 --python-platform x86_64-manylinux_2_28 $(IMAGE) --extra gpu setup.py -o requirements-gpu.lock

clean:
	rm -rf $(VENV) $(HEAVY) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
