# make run      starts captionbot: a web page, and chat bots whose tokens are set (first makes .venv, without PyTorch)
# make samples  captions the sample photos
# make test     runs the tests             (first makes .venv-dev: everything)
# make check    format, lint, types, import rules
# make clean    removes both environments and what tools left behind

PYTHON ?= python3
SERVING = .venv/.installed
DEV = .venv-dev/.installed

.PHONY: run samples test check dev serving clean
.DELETE_ON_ERROR:

run: serving
	.venv/bin/captionbot up

samples: serving
	.venv/bin/captionbot caption samples/

test: dev
	.venv-dev/bin/python -m pytest -n auto

check: dev
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/ruff check .
	.venv-dev/bin/mypy
	.venv-dev/bin/lint-imports

serving: $(SERVING)

dev: $(DEV)

# The stamp is older than pyproject.toml when dependencies may have changed: then pip looks again.
$(SERVING): EXTRAS = bots,worker
$(DEV): EXTRAS = bots,worker,train,dev
$(SERVING) $(DEV): pyproject.toml
	@test -x $(@D)/bin/pip || { $(CHECK_PYTHON) && $(PYTHON) -m venv $(@D); }
	@echo 'Installing what .[$(EXTRAS)] needs into $(@D); this takes minutes the first time.'
	@$(@D)/bin/python -m pip install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

define CHECK_PYTHON
{ $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo 'captionbot needs Python 3.11 or newer. Say which: make PYTHON=python3.12 run' >&2; exit 1; }; } && \
{ $(PYTHON) -c 'import ensurepip, venv' || { \
	echo 'This Python cannot make environments. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }; }
endef

clean:
	rm -rf .venv .venv-dev .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis captionbot.egg-info
	find bots db model roles training worker tests -name __pycache__ -type d -prune -exec rm -rf {} +
