# `make demo` and `make test` set up everything that they need, once, and then do their job.
# A second call goes straight to the job; after the first run no network is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHINHCHU_TEST_DATA ?= ../shared/data
export CHINHCHU_TEST_DATA

# The extras `fuzz` and `peers` stay out: large, and no user needs them.
LOCKED_EXTRAS := demo dev evaluation npm pcsc pdf pkcs11 scan
# The interpreter's venv and headers and a compiler (pyscard is built from source), PC/SC, the virtual reader, the font that MRZs are printed in (photos of cards are drawn for the tests), a software HSM and a second opinion on signed PDFs.
SYSTEM_PACKAGES := python3-venv python3-dev gcc libc6-dev swig libpcsclite-dev pcscd vsmartcard-vpcd fonts-ocr-b softhsm2 poppler-utils
MODELS_FOLDER = $(wildcard $(CHINHCHU_TEST_DATA)/models)

.PHONY: demo test lint verifier bench bench-peers evaluation pad-evaluation fuzz constraints clean

demo: $(VENV)/.weights
	@$(BIN)/chinhchu demo $(DEMO_ARGS)

test: $(VENV)/.weights lint
	@$(BIN)/pytest -n auto --dist loadgroup $(TEST_ARGS)

lint: $(VENV)/.packages
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# What a relying party needs to verify, in one file: Python and its package cryptography run it.
verifier: $(VENV)/.packages
	@$(BIN)/python -m api.cli.build_verifier dist/chinhchu-verify.pyz

bench: $(VENV)/.weights
	@$(BIN)/chinhchu bench all --out benchmarks/results/reference.json
	@$(BIN)/python -m benchmarks.report benchmarks/results/reference.json

# The same with dlib's face_recognition beside ours.
bench-peers: $(VENV)/.packages
	@$(BIN)/python -m pip install -q --disable-pip-version-check "dlib-bin>=20" "face_recognition_models>=0.3"
	@$(MAKE) --no-print-directory bench

# The error rates, table and plots of docs/evaluation.md.
evaluation: $(VENV)/.weights
	@$(BIN)/python -m benchmarks.evaluation_page $(CHINHCHU_TEST_DATA)/faces/lfw_pairs.csv

# The error rates, tables and plots of docs/pad.md: an hour and a half on two cores; called again, it goes on where it stopped.
pad-evaluation: $(VENV)/.weights
	@$(BIN)/chinhchu evaluate pad --rig 300 --seed 2000000 --people $(CHINHCHU_TEST_DATA)/faces/lfw_pairs.csv --folds 2 --threads 2 --out .pad-evaluation/rig --resume >/dev/null
	@$(BIN)/chinhchu evaluate pad $(CHINHCHU_TEST_DATA)/pad --out .pad-evaluation/pictures >/dev/null
	@$(BIN)/python -m benchmarks.pad_page .pad-evaluation/rig .pad-evaluation/pictures

# Every parser for ten minutes, or: make fuzz PARSERS="dg2 sod" SECONDS=60
SECONDS := 600
fuzz: $(VENV)/.packages
	@$(BIN)/python -m pip install -q --disable-pip-version-check "atheris>=3.0"
	@for parser in $(or $(PARSERS),$$($(BIN)/python -m tests.fuzz list)); do \
		$(BIN)/python -m tests.fuzz $$parser --seconds $(SECONDS) || exit 1; \
	done

# What every file of the lock must record is its digest, never the host that it came from.
constraints: $(VENV)/.packages
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile pyproject.toml $(LOCKED_EXTRAS:%=--extra %) --universal --python-version 3.11 --upgrade \
		--no-header --no-annotate --no-emit-index-url --generate-hashes -q -o constraints.txt

clean:
	rm -rf $(VENV) demo-output dist .pad-evaluation .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.stamps/system: Makefile
	@missing=; \
	if command -v dpkg-query >/dev/null; then \
		for p in $(SYSTEM_PACKAGES); do \
			[ "$$(dpkg-query -W -f='$${db:Status-Status}' $$p 2>/dev/null)" = installed ] || missing="$$missing $$p"; \
		done; \
	else echo "no dpkg here: make sure that the counterparts of these are installed: $(SYSTEM_PACKAGES)" >&2; fi; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ]; then \
			echo "installing system packages:$$missing"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing >/dev/null; \
		else \
			echo "system packages are missing. An administrator must run:" >&2; \
			echo "  sudo apt-get install --no-install-recommends$$missing" >&2; exit 1; \
		fi; \
	fi
	@mkdir -p .stamps && touch $@

$(VENV)/.packages: constraints.txt pyproject.toml .stamps/system
	@echo "installing Python packages into $(VENV) (about a minute)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; if it has another name: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Required models must arrive; an optional one that does not is said once and left out.
$(VENV)/.weights: models/manifest.toml $(VENV)/.packages
	@$(BIN)/chinhchu models fetch --all $(if $(MODELS_FOLDER),--folder $(MODELS_FOLDER))
	@touch $@
