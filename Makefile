# Two commands do everything on a fresh machine: `make demo` and `make test`. Each makes its own
# .venv from pyproject.toml and constraints.txt; nothing is taken from outside it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TRITON := triton==3.7.1; sys_platform == "linux" and platform_machine == "x86_64"
# Test workers: one per core, at most four (each may hold a framework in memory).
JOBS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$n -gt 4 ] && echo 4 || echo $$n)

.PHONY: help venv demo test check bench bench-detection docs false-alarms clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

venv: $(STAMP) ## .venv with the project and everything it needs

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Training Auditor needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 venv")'
	@echo "Making $(VENV): PyTorch, TensorFlow and Ray take about 4 GB and a minute or two, once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip -c constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[dev]' -c constraints.txt
	@# As a wheel's installation does: where PYTHONDONTWRITEBYTECODE is set each command would compile it all anew.
	@$(BIN)/python -m compileall -q auditor agents
	@touch $@

# The GPU kernel's tests run in Triton's interpreter. Triton stands aside, where only their child
# processes see it: imported after TensorFlow it takes the process down, and torch imports it unasked.
# Its version is not a constraint, for PyTorch's CUDA builds bring the one they need.
$(VENV)/triton: $(STAMP)
	-@$(BIN)/python -m pip install --quiet --no-deps --target $@ '$(TRITON)' \
		|| echo "No Triton for this machine: the tests of the GPU kernel will be skipped."

demo: venv ## train three models, watch one go NaN, compare two frameworks
	@$(BIN)/auditor demo

test: venv $(VENV)/triton check ## lint, types, and every test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

check: venv ## ruff, mypy strict, generated files up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python scripts/generated.py --check

docs: venv ## write again every file that is generated from code
	$(BIN)/python scripts/generated.py

bench: venv ## measure: agent, ingest, store, false alarms (medians, ratios; takes minutes)
	@for script in $(filter-out benchmarks/detection.py benchmarks/blind.py,$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

bench-detection: venv ## the zoo under audit: recall, false alarms, five alternatives (minutes; recordings are kept)
	$(BIN)/python benchmarks/detection.py --json out/detection.json

false-alarms: venv ## 20 seeds of healthy PyTorch and Keras training: no alert may come
	$(BIN)/python benchmarks/false_alarms.py

clean: ## remove what make made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
