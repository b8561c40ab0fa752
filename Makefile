# Two commands on a fresh machine: `make demo` and `make test`. Both set up what they need in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo test test-all sanitize check format docs benchmark accuracy clean

help:
	@echo "make demo       set up, then train, evaluate and predict on 33,530 real reviews (two to four minutes)"
	@echo "make test       set up, then run the tests"
	@echo "make test-all   the slow tests too"
	@echo "make sanitize   the native kernels' tests with the address and undefined-behaviour sanitizers (Linux, GCC)"
	@echo "make check      ruff, mypy --strict, import contracts, generated documents fresh"
	@echo "make format     let ruff format everything"
	@echo "make docs       write the generated documents anew"
	@echo "make benchmark  measure against the others (25 minutes); writes docs/benchmarks.md"
	@echo "make accuracy   train every side on every set (hours, resumable), e.g. ACCURACY=\"--sets mr --sides textrnn\""

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

KERNELS := CMakeLists.txt $(wildcard src/textrnn/native/*.cpp src/textrnn/native/*.h)

$(VENV)/.train: $(VENV)/bin/python pyproject.toml constraints.txt $(KERNELS)
	@echo "installing textrnn with PyTorch into $(VENV); this takes minutes the first time"
	$(PIP) --editable ".[train,notebook,demo]"
	@touch $@

$(VENV)/.dev: $(VENV)/.train
	$(PIP) --editable ".[train,notebook,demo,dev]"
	@touch $@

demo: $(VENV)/.train
	@$(BIN)/python examples/demo.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto -m "not slow"

test-all: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto

# The interpreter is not built with the sanitizers, so their run-time library is loaded before it; its exit with what
# Python leaves allocated is no leak of ours. The kernels cannot be built in place of the installed ones: they are named.
sanitize: $(VENV)/.dev
	cmake -S . -B build/sanitize -DCMAKE_BUILD_TYPE=Release -DTEXTRNN_SANITIZE=ON
	cmake --build build/sanitize --parallel
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so)" ASAN_OPTIONS=detect_leaks=0 \
	UBSAN_OPTIONS=print_stacktrace=1 TEXTRNN_LIBRARY=$(CURDIR)/build/sanitize/libtextrnn.so \
	$(BIN)/python -m pytest --capture=sys -m "not slow" tests/native tests/text/test_native_words.py \
	tests/text/test_ngrams.py tests/training/test_steps.py tests/runtime/test_parts_of_a_network.py

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev
	$(BIN)/python docs/generate.py

$(VENV)/.benchmark: $(VENV)/.dev
	$(PIP) --editable ".[train,notebook,demo,dev,benchmark]"
	@touch $@

benchmark: $(VENV)/.benchmark
	$(BIN)/python -m benchmarks

accuracy: $(VENV)/.benchmark
	$(BIN)/python -m benchmarks.accuracy $(ACCURACY)

clean:
	rm -rf $(VENV) build dist demo-output .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
