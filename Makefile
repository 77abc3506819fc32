# make setup | run | test | check. Each works alone on a machine with Python 3.11+, git and make.

PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin

.PHONY: setup run test check clean

setup: .venv/.ready

run: setup
	@exec $(BIN)/zega up

# Hundreds of processes start: each module is compiled once. A file is run in one process; the slow ones come first.
test: setup .venv/.test-tools
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis *.egg-info

.venv/.ready: requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "ZEGA needs Python 3.11 or newer. Install it, or name one: make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ echo "Python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing into .venv; the first time this takes a few minutes."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/.test-tools: scripts/test_tools.sh | .venv/.ready
	sh scripts/test_tools.sh
