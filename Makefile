# StyleRec. `make help` explains every target; each sets up what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8000
OUT    ?= look

.DEFAULT_GOAL := help
.PHONY: help install demo demo-check site style test lint types contracts checks unit messages client clean

help:  ## show this list
	@echo "StyleRec: train styles, stylise products, show every shopper a storefront of their own."
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done
	@echo
	@echo "  PORT=9000 make demo   asks for another port; PYTHON=python3.12 for another Python."

$(VENV)/.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "StyleRec needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned requirements (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp requirements-dev.txt
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	@touch $@

messages: $(VENV)/.stamp  ## compile the translations
	@$(BIN)/python -m stylerec_site.translations

install: $(VENV)/.stamp messages  ## set up the virtual environment and nothing else

style: $(VENV)/.stamp  ## two folders of pictures in, a trained look and renderings out: make style SOURCE=photos TARGET=paintings
	@test -n "$(SOURCE)" && test -n "$(TARGET)" || \
		{ echo "Say which two folders: make style SOURCE=photos TARGET=paintings [OUT=look] [ARGS='--minutes 10 --preset painterly']"; exit 1; }
	@if test -f "$(OUT)/model/config.json"; then echo "The look in $(OUT)/model is trained; rendering with it."; else \
		$(BIN)/python manage.py train_style --source "$(SOURCE)" --target "$(TARGET)" --out "$(OUT)/model" \
			$$(test ! -d "$(OUT)/model" || echo --resume) $(ARGS); fi
	@$(BIN)/python manage.py stylize --model "$(OUT)/model" --input "$(SOURCE)" --output "$(OUT)/pictures"

demo: $(VENV)/.stamp messages  ## set up everything, run the main job, keep the shop open (Ctrl-C ends it)
	@$(BIN)/python -m stylerec_site.demo --port $(PORT)

demo-check: $(VENV)/.stamp messages  ## the same main job once, from nothing; fails when a step did not really happen
	@$(BIN)/python -m stylerec_site.demo --check --port $(PORT)

site: $(VENV)/.stamp messages  ## the same parts without the demo shop, for a shop of your own
	@$(BIN)/python -m stylerec_site.demo --empty --port $(PORT)

lint: $(VENV)/.stamp-dev  ## ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.stamp-dev  ## mypy with django-stubs
	@$(BIN)/mypy

contracts: $(VENV)/.stamp-dev  ## import contracts between the rooms
	@$(BIN)/lint-imports

checks: $(VENV)/.stamp-dev  ## migrations complete, deployment settings clean
	@STYLEREC_DATA="$$(mktemp -d)" $(BIN)/python manage.py makemigrations --check --dry-run
	@STYLEREC_ENV=production STYLEREC_HOSTS=shop.example \
		STYLEREC_SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
		STYLEREC_PRIVACY_KEYS="$$($(BIN)/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')" \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

unit: $(VENV)/.stamp-dev messages  ## pytest on SQLite, then on a real PostgreSQL
	@$(BIN)/python -m pytest -q -n 2
	@STYLEREC_TEST_DATABASE=postgres $(BIN)/python -m pytest -q -n 2 -m "not browser and not worker and not pure"

test: lint types contracts checks unit  ## everything that must hold before a change lands

client: $(VENV)/.stamp-dev  ## generate a typed Python client of the API into clients/stylerec_client
	@mkdir -p clients
	@$(BIN)/python manage.py spectacular --format openapi-json --file clients/openapi.json
	@$(BIN)/openapi-python-client generate --path clients/openapi.json --config docs/python-client.yml --meta none \
		--overwrite --output-path clients/stylerec_client

clean:  ## forget the demo shop (database, pictures, models); keeps the virtual environment
	rm -rf var media staticfiles
