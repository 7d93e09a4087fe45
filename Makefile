# make run      starts captionbot: a web page, and chat bots whose tokens are set (first makes .venv, without PyTorch)
# make samples  captions the sample photos
# make test     runs the tests             (first makes .venv-dev: everything)
# make check    format, lint, types, import rules
# make lock     writes constraints.txt anew: versions stay unless pyproject.toml rules them out or UPGRADE=1 is given
# make test-newest   runs the tests with the newest versions that pyproject.toml allows, in .venv-newest
# make clean    removes all environments and what tools left behind

PYTHON ?= python3
SERVING = .venv/.installed
DEV = .venv-dev/.installed

.PHONY: run samples test check lock test-newest dev serving clean
.DELETE_ON_ERROR:

run: serving
	.venv/bin/captionbot up

samples: serving
	.venv/bin/captionbot caption samples/

test: dev
	.venv-dev/bin/python -m pytest -n auto --dist worksteal

check: dev
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/ruff check .
	.venv-dev/bin/mypy
	.venv-dev/bin/lint-imports

# Names and versions only, for all extras, with markers where a version is for some systems alone.
lock:
	@test -x .venv-dev/bin/uv || $(MAKE) dev
	.venv-dev/bin/uv pip compile --quiet --universal --all-extras --no-header --no-annotate $(if $(UPGRADE),--upgrade) \
		--output-file constraints.txt pyproject.toml

test-newest:
	rm -rf .venv-newest
	$(PYTHON) -m venv .venv-newest
	.venv-newest/bin/python -m pip install --quiet --editable '.[bots,worker,train,dev]'
	.venv-newest/bin/python -m pytest -n auto --dist worksteal

serving: $(SERVING)

dev: $(DEV)

# The stamp is older than one of these files when dependencies may have changed: then pip looks again.
$(SERVING): EXTRAS = bots,worker
$(DEV): EXTRAS = bots,worker,train,dev
$(SERVING) $(DEV): pyproject.toml constraints.txt
	@test -x $(@D)/bin/pip || { $(CHECK_PYTHON) && $(PYTHON) -m venv $(@D); }
	@echo 'Installing what .[$(EXTRAS)] needs into $(@D); this takes minutes the first time.'
	@$(@D)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

define CHECK_PYTHON
{ $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo 'captionbot needs Python 3.11 or newer. Say which: make PYTHON=python3.12 run' >&2; exit 1; }; } && \
{ $(PYTHON) -c 'import ensurepip, venv' || { \
	echo 'This Python cannot make environments. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }; }
endef

clean:
	rm -rf .venv .venv-dev .venv-newest .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis captionbot.egg-info
	find bots db model roles training worker tests -name __pycache__ -type d -prune -exec rm -rf {} +
