# The whole project through one door. `make` or `make help` lists what there is.

VENV ?= .venv
PYTHON ?=# a Python 3.11 or later; found by itself when empty
ARGS ?=# passed on to the program a target runs: make run ARGS="--port 9000 --open"
TORCH_INDEX ?=# address of an extra package index for PyTorch, see docs/docker.md

BIN := $(VENV)/bin

# The build of the package itself is held to the constraints, too: pip before 25.3 reads the first
# variable there, later ones the second.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
       $(BIN)/python -m pip --disable-pip-version-check
ifneq ($(TORCH_INDEX),)
export PIP_EXTRA_INDEX_URL := $(strip $(PIP_EXTRA_INDEX_URL) $(TORCH_INDEX))
endif

heading = @printf '\n== %s\n' "$(1)"

# The steps of `make test` come in this order, so that pytest has the last word.
.NOTPARALLEL:
.PHONY: help run test lint format types test-js test-python test-browser bench screenshot \
        constraints clean chromium
.DEFAULT_GOAL := help

help: ## list the targets
	@printf 'make TARGET [ARGS="…"]\n\n'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | \
	    while IFS='|' read -r name text; do printf '%-16s %s\n' "$$name" "$$text"; done
	@printf '\nOn Linux, PyTorch comes with CUDA (gigabytes) unless TORCH_INDEX names its index of\n'
	@printf 'CPU wheels: make run TORCH_INDEX=https://…\n'

run: $(VENV)/installed ## install what is needed, start the server and print its address
	@exec $(BIN)/python -m server $(ARGS)

test: lint types test-js test-python ## install what is needed and run every check and test

lint: $(VENV)/installed-dev node_modules/.package-lock.json ## ruff and prettier: mistakes and layout
	$(call heading,ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(call heading,prettier)
	npx --no-install prettier --check .

format: $(VENV)/installed-dev node_modules/.package-lock.json ## ruff and prettier: put the layout right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	npx --no-install prettier --write .

types: $(VENV)/installed-dev node_modules/.package-lock.json ## mypy and tsc, both strict
	$(call heading,mypy)
	$(BIN)/mypy
	$(call heading,tsc)
	npm run --silent types

test-js: node_modules/.package-lock.json ## node --test
	$(call heading,node --test)
	npm test --silent

test-python: chromium node_modules/.package-lock.json ## every pytest test, those in the browser and of the wheel included
	$(call heading,pytest)
	$(BIN)/python -m pytest $(ARGS)

test-browser: chromium node_modules/.package-lock.json ## only the tests in the browser
	$(call heading,pytest -m browser)
	$(BIN)/python -m pytest -m browser $(ARGS)

bench: chromium ## measure speed; prints a table and writes it as JSON
	$(BIN)/python -m tests.bench $(ARGS)

screenshot: chromium ## take the pictures of the README from the running app
	$(BIN)/python -m tests.browser.screenshot $(ARGS)

constraints: ## write constraints.txt anew: the latest of everything but torch
	$(call heading,Resolving versions in a fresh environment)
	rm -rf build/constraints && mkdir -p build
	$(find-python) && "$$python" -m venv build/constraints
	grep '^torch==' constraints.txt > build/torch.txt
	build/constraints/bin/pip install --quiet -c build/torch.txt -e '.[dev,train]'
	@# A local suffix such as +cpu would refuse the same version's other builds.
	{ grep '^#' constraints.txt; build/constraints/bin/pip freeze --all --exclude-editable \
	    --exclude pip | sed 's/+.*//' | LC_ALL=C sort -f; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/constraints build/torch.txt

clean: ## remove everything that make and the tests have made
	rm -rf $(VENV) node_modules build dist bench.json tests/browser/failures
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find lstm_core server tests -name __pycache__ -type d -prune -exec rm -rf {} +

chromium: $(VENV)/installed-dev
	@$(BIN)/python -m tests.browser.chromium --install

# --- Environments. Each stamp is made again when what it was made from has changed. ---

# Asked by running it: a command of that name need not work.
define find-python
for python in $(PYTHON) python3.13 python3.12 python3.11 python3 python none; do \
    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
done; \
if [ "$$python" = none ]; then \
    echo 'Gatescope needs Python 3.11 or later; name one with make PYTHON=…' >&2; exit 1; \
fi
endef

# Not the interpreter but pip shows that an environment is whole: a Debian without python3-venv
# leaves half of one behind.
$(VENV)/created:
	$(call heading,Making $(VENV))
	@test -x $(BIN)/pip || { $(find-python) && "$$python" -m venv $(VENV); }
	@touch $@

$(VENV)/installed: $(VENV)/created pyproject.toml constraints.txt
	$(call heading,Installing Gatescope (minutes the first time: PyTorch is large))
	$(PIP) install -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/created pyproject.toml constraints.txt
	$(call heading,Installing Gatescope and what its tests need)
	$(PIP) install -e '.[dev,train]'
	@touch $@ $(VENV)/installed

node_modules/.package-lock.json: package.json package-lock.json .npmrc
	$(call heading,npm ci)
	npm ci
	@touch $@
