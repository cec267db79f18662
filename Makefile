# Every target does its own set-up, so that it works in a fresh clone; a second run starts at once.

PYTHON ?= python3
JOBS ?= 2
SECONDS ?= 60
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# What an installed extension was made from. Python sources are not among it: the install is editable.
CORE := pyproject.toml CMakeLists.txt $(shell find cmake cpp -name '*.cmake' -o -name '*.[chi]pp')

CXX_FILES := find cpp tests benchmarks -name '*.[chi]pp' -o -name '*.c'

export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test wheel lint lint-python lint-cpp format bench fuzz sanitize clean system

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(STAMPS)/installed ## load a CT series and a generated one; DICOM=folder for your own
	@PYTHONPATH=. $(BIN)/python examples/demo.py $${DICOM:+"$$DICOM"}

test: $(STAMPS)/installed ## build and run the C++ tests, then the Python tests; ARGS="FILES" names some
	cmake --workflow --preset default
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

wheel: $(STAMPS)/wheel | system ## build a wheel; test it with the system's libraries hidden
	JOBS=$(JOBS) bash .ci/wheel

lint: lint-python lint-cpp ## ruff, mypy, stubtest, clang-format, clang-tidy, codespell

lint-python: $(STAMPS)/installed $(STAMPS)/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	MYPYPATH=src $(BIN)/stubtest --mypy-config-file pyproject.toml torchdicom._ext

lint-cpp: $(STAMPS)/installed $(STAMPS)/lint
	$(CXX_FILES) | xargs $(BIN)/clang-format --dry-run -Werror
	cmake --workflow --preset tidy

format: $(STAMPS)/lint ## let ruff and clang-format rewrite the sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(CXX_FILES) | xargs $(BIN)/clang-format -i

bench: $(STAMPS)/installed $(STAMPS)/bench ## run the benchmarks, fail where a bar is missed; ARGS="headers --quick" asks one
	@PYTHON="$(PYTHON)" bash .ci/system-packages bench
	$(BIN)/python -m benchmarks.run $(ARGS)
	$(if $(ARGS),,PYTHONPATH=tests $(BIN)/python -m benchmarks.traps)
	$(if $(ARGS),,$(BIN)/python -m benchmarks.render)

fuzz: $(STAMPS)/installed | system ## SECONDS=60 of each fuzz target (TARGET=rle: of one); GROW=1 merges into the corpora
	@bash .ci/system-packages clang
	cmake --preset asan
	cmake --build --preset fuzz
	PYTHONPATH=tests $(BIN)/python -m fuzz.run --seconds $(SECONDS) $(if $(GROW),--grow) $(TARGET)

sanitize: $(STAMPS)/installed ## the tests under the sanitizers; PARTS="core python threads" names some
	@bash .ci/system-packages clang
	@JOBS=$(JOBS) bash .ci/sanitize

clean: ## remove the virtual environment and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

system:
	@PYTHON="$(PYTHON)" bash .ci/system-packages

# Groups need pip 25.1; Debian 12's venv starts with 23.0.
$(STAMPS)/venv: | system
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade "pip>=25.1"
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/test: pyproject.toml $(STAMPS)/venv
	@echo "installing what the build and the tests need"
	@$(PIP) install --group build --group test --group interop
	@touch $@

$(STAMPS)/bench: pyproject.toml $(STAMPS)/venv
	@echo "installing what torchdicom is measured beside"
	@$(PIP) install --group bench
	@touch $@

$(STAMPS)/wheel: pyproject.toml $(STAMPS)/venv
	@echo "installing what builds and repairs wheels"
	@$(PIP) install --group build --group wheel
	@touch $@

$(STAMPS)/lint: pyproject.toml $(STAMPS)/venv
	@echo "installing the linters"
	@$(PIP) install --group lint
	@touch $@

$(STAMPS)/installed: $(CORE) $(STAMPS)/test | system
	@echo "building and installing torchdicom (the first time this also fetches torch)"
	@$(PIP) install --no-build-isolation --editable ".[reference]"
	@touch $@
