# `make` alone says what there is. Everything runs in .venv, which `make setup` makes and keeps up to date.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help dev setup test lint format migrations migrate bench assets requirements

VENV := .venv/bin
DEVTOOLS := $(VENV)/python -m devtools
# The first Python of a supported version that works (a shim may be there and lead nowhere).
PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' >/dev/null 2>&1 && echo "$$p" && break; done)

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

dev: setup  ## everything on this machine, with a sandbox GitHub and a demo team; Ctrl-C stops it
	@$(DEVTOOLS) dev --with-parent

setup:  ## make .venv and install what is missing; quick when nothing changed
	@test -n "$(PYTHON)" || { echo "setup: Python 3.11 or 3.12 is needed, and none was found." >&2; exit 1; }
	@$(PYTHON) devtools/bootstrap.py

test: setup $(if $(ARGS),,lint)  ## lint, then every test; a part of them with ARGS='apps.integrations -k sync'
	@$(DEVTOOLS) test $(ARGS)

lint: setup  ## style, types, imports, templates, migrations
	@$(DEVTOOLS) lint

format: setup  ## let ruff mend style and format
	@$(VENV)/ruff check -q --fix
	@$(VENV)/ruff format -q

migrations: setup  ## write migrations for changed models
	@$(DEVTOOLS) exec --with-parent --join -- python manage.py makemigrations

migrate: setup  ## apply migrations to the development database
	@$(DEVTOOLS) exec --with-parent --join -- python manage.py migrate

bench: setup  ## measure what benchmarks/ holds
	@TFORMANCE_VAR="$${TFORMANCE_VAR:-var}/bench" $(DEVTOOLS) exec --with-parent -- python -m benchmarks $(ARGS)

assets: setup  ## fetch the JavaScript of static/vendor again, at its pinned versions (needs npm)
	@$(VENV)/python -m devtools.assets

requirements: setup  ## compile requirements*.in into requirements*.txt, with hashes
	@$(VENV)/uv pip compile -q --universal --generate-hashes --python-version 3.11 requirements.in -o requirements.txt
	@$(VENV)/uv pip compile -q --universal --generate-hashes --python-version 3.11 requirements-dev.in -o requirements-dev.txt
