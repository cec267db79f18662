# Every target does its own set-up, so that it works in a fresh clone; a second run starts at once.

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# What an installed extension was made from. Python sources are not among it: the install is editable.
CORE := pyproject.toml CMakeLists.txt $(shell find cmake cpp -name '*.cmake' -o -name '*.[chi]pp')

export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format bench clean system

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(STAMPS)/installed ## load a CT series and a generated one; DICOM=folder for your own
	@$(BIN)/python -m examples.demo $${DICOM:+"$$DICOM"}

test: $(STAMPS)/installed ## build and run the C++ tests, then the Python tests
	cmake --workflow --preset default
	$(BIN)/python -m pytest

lint: $(STAMPS)/installed $(STAMPS)/lint ## ruff, mypy, stubtest, clang-format, clang-tidy, codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	MYPYPATH=src $(BIN)/stubtest --mypy-config-file pyproject.toml torchdicom._ext
	find cpp tests/cpp -name '*.[chi]pp' | xargs $(BIN)/clang-format --dry-run -Werror
	cmake --workflow --preset tidy

format: $(STAMPS)/lint ## let ruff and clang-format rewrite the sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	find cpp tests/cpp -name '*.[chi]pp' | xargs $(BIN)/clang-format -i

bench: $(STAMPS)/installed ## run the benchmarks; fails where a bar is missed
	$(BIN)/python -m benchmarks.run

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
	@$(PIP) install --group build --group test
	@touch $@

$(STAMPS)/lint: pyproject.toml $(STAMPS)/venv
	@echo "installing the linters"
	@$(PIP) install --group lint
	@touch $@

$(STAMPS)/installed: $(CORE) $(STAMPS)/test | system
	@echo "building and installing torchdicom (the first time this also fetches torch)"
	@$(PIP) install --no-build-isolation --editable ".[reference]"
	@touch $@
