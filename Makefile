# Two commands matter: `make demo` shows it, `make test` proves it. Needs Python 3.11 or newer, make, and a package index.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PHOTOS ?=
# of the tests
PROCESSES ?= $(shell nproc 2>/dev/null || echo 2)
PY := .venv/bin/python

.PHONY: demo test install check format lint types imports scripts words lock clean-install

demo: install
	@$(PY) waterhole.py demo $(if $(PHOTOS),--photos "$(PHOTOS)") || [ $$? -eq 130 ] # Ctrl-C is the way to stop it

test: install
	@$(PY) -m pytest -n $(PROCESSES) --dist worksteal

# Set up only: a virtual environment with exactly what requirements.lock names.
install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Waterhole needs Python 3.11 or newer; set PYTHON=")'
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@echo "Installing what requirements.lock names (several GB the first time, torch among them)"
	@$(PY) -m uv pip install --quiet --python $(PY) --require-hashes -r requirements.lock
	@$(PY) -m uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

check: install format lint types imports

format:
	@$(PY) -m ruff format --check .

lint:
	@$(PY) -m ruff check .

types:
	@$(PY) -m mypy

imports:
	@.venv/bin/lint-imports --no-cache

# The types of the browser's scripts (their JSDoc). Beside `make check`, because it needs node; npx keeps the compiler in its own cache.
scripts:
	@command -v npx >/dev/null || { echo "The scripts are checked by TypeScript, and npx is missing: install Node.js with npm (apt-get install nodejs npm)" >&2; exit 1; }
	@npx --yes --package typescript@5.9.3 tsc -p tests/static

# After a change of words: every English sentence of templates, Python and scripts into locale/waterhole.pot.
words:
	@$(PY) -m tests.messages

# After a change of dependencies in pyproject.toml.
lock:
	@$(PY) -m uv pip compile pyproject.toml --quiet --universal --generate-hashes --python-version 3.11 --extra worker --extra dev -o requirements.lock
	@$(PY) -m uv pip compile pyproject.toml --quiet --universal --generate-hashes --python-version 3.11 -o requirements-app.lock
