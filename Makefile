# nonrecours — une machine avec Python ≥ 3.11, git et make suffit.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export UV_PYTHON_DOWNLOADS = never
UV     := $(BIN)/uv

.PHONY: install demo test oracle check fix bench bench-linkage bench-scale bench-source bench-droits bench-quasi-identifiants preuves preuve-spark locks clean

install: $(VENV)/.chaine

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv

$(VENV)/.chaine: $(BIN)/uv requirements/developpement.txt pyproject.toml
	VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --require-hashes requirements/developpement.txt
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

NR       := $(CURDIR)/$(BIN)/nonrecours
HABITANTS ?= 44000
GRAINE   ?= 1
DEMO     ?= demo

# Invente un territoire, puis lance les vraies commandes, celles du README.
demo: install
	@bash demo.sh "$(NR)" "$(DEMO)" "$(HABITANTS)" "$(GRAINE)"

# Deux processus de test : un fil de calcul chacun.
test: export POLARS_MAX_THREADS := 1
test: export OMP_NUM_THREADS := 1
test: install $(VENV)/.navigateur oracle
	$(BIN)/pytest -n 2 --dist loadgroup -m "not preuve"

# Les cas de test d'OpenFisca-France, lus dans sa distribution source (pip) ; sans réseau, test passé outre.
oracle: install
	@$(BIN)/python -m tests.eligibility.oracle.distribution

# Les tests du rapport ouvrent un vrai navigateur.
$(VENV)/.navigateur: | install
	command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium)
	touch $@

check: install
	@status=0; for step in "ruff check ." "ruff format --check ." mypy lint-imports; do \
	  echo "— $$step"; $(BIN)/$$step || status=1; done; exit $$status

fix: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Les comptes entiers ; reprend où elle s'est arrêtée (travail/preuves). Écrit docs/preuves/*.json.
# Plusieurs processus à la fois : un fil de calcul chacun.
preuves: export POLARS_MAX_THREADS := 1
preuves: export OMP_NUM_THREADS := 1
preuves: install
	$(BIN)/python -m tests.preuves.fuites
	$(BIN)/nonrecours prouver
	$(BIN)/python -m tests.preuves.petites_zones
	$(BIN)/python -m tests.preuves.chaine
	$(BIN)/python -m tests.preuves.appariement

# Le même territoire lié par DuckDB, puis par Spark (Java 17). Écrit docs/preuves/spark.json.
SPARK := .venv-spark
preuve-spark: $(SPARK)/.chaine
	$(SPARK)/bin/python -m tests.preuves.spark

$(SPARK)/.chaine: $(BIN)/uv requirements/spark.txt pyproject.toml
	$(PYTHON) -m venv $(SPARK)
	VIRTUAL_ENV=$(SPARK) $(UV) pip sync --quiet --require-hashes requirements/spark.txt
	VIRTUAL_ENV=$(SPARK) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Temps et mémoire de chaque étape, dans une même exécution.
bench: install
	bash demo.sh "$(NR)" travail/bench "$(HABITANTS)" "$(GRAINE)"

# Chez un partenaire, à sa taille : pseudonymiser sur deux cœurs. Écrit docs/preuves/source.json.
PERSONNES ?= 1500000
bench-source: install
	$(BIN)/python -m bench.source --personnes $(PERSONNES) --graine $(GRAINE)

# L'appariement de 3 × 45 000 et 3 × 1,4 million de fiches, face au même travail en SQL écrit à la main.
bench-scale: install
	$(BIN)/python -m bench.echelle

# Les droits de 50 000 foyers sur douze mois, face à OpenFisca seul. Écrit docs/preuves/droits.json.
bench-droits: install
	$(BIN)/python -m bench.droits

# Qui se reconnaît par recoupement, sans la clé. Écrit docs/preuves/quasi_identifiants.json.
bench-quasi-identifiants: install
	$(BIN)/python -m bench.appariement.quasi_identifiants --habitants $(HABITANTS) --graine $(GRAINE)

# L'identité livrée, mesurée : façons d'encoder × jeux étiquetés × attaques. Reprend (travail/appariement).
bench-linkage: install
	$(BIN)/python -m bench.appariement

clean:
	rm -rf $(VENV) $(SPARK) demo

# Ce qui est livré est ce qui est éprouvé : les autres verrous suivent celui des tests.
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
          --no-header --no-annotate pyproject.toml
TESTED  = --constraints requirements/developpement.txt
locks: $(BIN)/uv
	$(COMPILE) --extra chaine --extra developpement -o requirements/developpement.txt
	$(COMPILE) $(TESTED) -o requirements/partenaire.txt
	$(COMPILE) $(TESTED) --extra chaine -o requirements/chaine.txt
	$(COMPILE) $(TESTED) --extra chaine --extra developpement --extra spark -o requirements/spark.txt
