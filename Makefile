# Deep Learning Foundations. `make help` lists what there is.
PYTHON ?= python3
PIP_FLAGS ?=
VENV := $(CURDIR)/.venv
READY := $(VENV)/.installed
# nbgrader starts programs by their bare names, as an activated environment allows
export PATH := $(VENV)/bin:$(PATH)
# more threads than processors make small trainings many times slower
export OMP_NUM_THREADS ?= 1

# Jupyter's own way to start kernels may give two of them the same port: publishing/lesson_kernel.py
NBVAL := JUPYTER_DEFAULT_PROVISIONER_NAME=dlf-lesson \
	python -m pytest --nbval --nbval-sanitize-with tests/nbval_sanitize.cfg -n 2 --dist loadfile
# Older processors, other libraries and numbers of threads, no GPU: each setting changes which
# instructions compute the numbers of one framework, or in which order they are added up.
OLDER_COMPUTER := ATEN_CPU_CAPABILITY=default TF_ENABLE_ONEDNN_OPTS=1 CUDA_VISIBLE_DEVICES=-1
MORE_THREADS := --unset=OMP_NUM_THREADS ATEN_CPU_CAPABILITY=avx2

# test_postgres has a server of its own already
ABOUT_GRADES := $(filter-out %/test_postgres.py,$(wildcard tests/classes/test_*.py)) \
	tests/reports tests/notebooks/test_damaged.py

.DEFAULT_GOAL := help
.PHONY: help install lab test test-unit test-postgres test-lessons test-everywhere lint format hooks demo site release prove benchmark lessons readme doctor clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(READY)  ## make .venv with the pinned packages (a second call installs nothing)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}: name another with PYTHON=python3.11, say")'
	$(PYTHON) -m venv $(VENV)
	python -m pip install $(PIP_FLAGS) --constraint constraints.txt --editable '.[instructor,site,dev]'
	@touch $@

lab: install  ## open JupyterLab on the course
	@mkdir -p exchange
	JUPYTER_CONFIG_PATH="$(CURDIR)/.jupyter" jupyter lab $(LAB_FLAGS)

doctor: install  ## check this computer, and say how to mend what is wrong
	python -m helpers.doctor

test: lint test-unit test-postgres test-lessons test-everywhere  ## pass all tests (needs Linux; CONTRIBUTING.md says what else)

test-unit: install  ## the tests in tests/
	python -m pytest -n 2 --dist worksteal tests

test-postgres: install  ## those about grades once more, with the gradebook on PostgreSQL
	python -m pytest -n 2 --dist worksteal --gradebook=postgresql $(ABOUT_GRADES)

test-lessons: install  ## run every lesson and compare with its stored outputs
	$(NBVAL) notebooks

test-everywhere: install  ## the same as on older processors, with other threads, without a GPU
	env $(OLDER_COMPUTER) $(NBVAL) -q notebooks
	env $(MORE_THREADS) $(NBVAL) -q notebooks

lint: install  ## formatter, linter, type checker, and which room imports which
	ruff format --check .
	ruff check .
	mypy
	lint-imports

format: install  ## format all code, notebooks too
	ruff format .
	ruff check --fix .

hooks: install  ## set git up: checks before each commit, readable differences of notebooks
	pre-commit install
	nbdime config-git --enable

demo: install  ## grade a bundled demo class, and show who got what and why
	python -m grading.demo

site: install  ## build a site to read, dist/site/
	python -m publishing.site $(SITE_FLAGS)

release: install  ## generate release/ from source/
	@for folder in source/*/; do nbgrader generate_assignment --force $$(basename $$folder) || exit 1; done

prove: install  ## prove the graders, and store the proof in docs/proof.md (takes long)
	python -m tests.corpus.prove $(ASSIGNMENTS)

benchmark: install  ## measure how fast a class is graded, and store docs/benchmark.md (takes long)
	python -m tests.benchmark $(BENCHMARK)

lessons: install  ## run all lessons and store their outputs
	python -m publishing.lesson_setup
	python -m publishing.lesson_outputs

readme: install  ## write the README's tables of lessons and exercises
	python -m publishing.readme_tables

clean:  ## remove what can be made anew: demo, reports, results, site (no submissions or scores)
	rm -rf demo reports runs dist .nbgrader.log
