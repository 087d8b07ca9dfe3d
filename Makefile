# nonrecours — une machine avec Python ≥ 3.11, git et make suffit.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export UV_PYTHON_DOWNLOADS = never
UV     := $(BIN)/uv
LOCKS  := requirements/partenaire.txt requirements/chaine.txt requirements/developpement.txt

.PHONY: install demo test check fix bench preuves locks clean

install: $(VENV)/.chaine

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv

$(VENV)/.chaine: $(BIN)/uv requirements/developpement.txt pyproject.toml
	VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --require-hashes requirements/developpement.txt
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

locks: $(BIN)/uv
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements/partenaire.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra chaine pyproject.toml -o requirements/chaine.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra chaine --extra developpement pyproject.toml -o requirements/developpement.txt
