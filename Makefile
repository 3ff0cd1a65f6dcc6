# `make demo` and `make test` set up all they need: the virtual environment from the lock file, then the models.
PYTHON ?= python3
RECIPE ?= webbody
VENV   := .venv
BIN    := $(VENV)/bin
UV     := VIRTUAL_ENV=$(VENV) $(BIN)/uv pip
READY  := $(VENV)/.ready
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

demo: $(READY)  ## a recipe on real photographs, or videos of them, with real models: make demo RECIPE=face_clips
	@$(BIN)/manyfaces demo $(RECIPE)

# Whole runs wait for processes as much as they work: twice as many workers as a small machine has cores.
WORKERS ?= 4
# They are the parallelism: threads of OpenMP and BLAS beside them would only wait in loops.
TESTS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --durations=25 --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder
ELSEWHERE := integration or jobs or server or gcs or flink or prism or dataflow or mxnet

test: $(READY)  ## the whole suite
	@$(TESTS)

quick: $(READY)  ## the tests that need no engine, no server and no model
	@$(TESTS) -m "not ($(ELSEWHERE))"

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

lock: $(READY)  ## compile requirements.lock from setup.py, and with its versions those of the images cpu and cuda
	@$(COMPILE) $(ANYWHERE) --extra dev setup.py -o requirements.lock
	@$(COMPILE) $(ANYWHERE) $(IMAGE) --extra cpu setup.py -o requirements-cpu.lock
	@$(COMPILE) --python-version 3.11.9 --python-platform x86_64-manylinux_2_28 $(IMAGE) --extra gpu setup.py -o requirements-gpu.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
