# Every target works from a fresh clone at any path; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
ENGINE ?= dtr
SCENARIO ?=
# These take as long as all others together; `make test-long` runs them, before a release and after a change of what they prove.
LONG := dtr_ha dtr_upgrade interrupted
SHORT := $(filter-out $(LONG),$(patsubst molecule/%/molecule.yml,%,$(wildcard molecule/*/molecule.yml)))
BIN := .venv/bin
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
MOLECULE := $(BIN)/molecule -c .config/molecule/config.yml

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: machine
machine: ## what the machine itself must have: Python with venv, a Docker engine that answers
	@scripts/machine

.PHONY: setup
setup: machine ## .venv and collections
	@scripts/setup

.PHONY: lab-image
lab-image: setup ## the lab's node images
	@lab/node/build

.PHONY: standin-images
standin-images: lab-image ## images of the stand-in, named as docker/ucp and docker/dtr
	@lab/images/build

.PHONY: molecule
molecule: standin-images ## every scenario, or SCENARIO=x
	@scripts/molecule $(SCENARIO)

.PHONY: lab-up
lab-up: lab-image ## the quickstart's nodes, bare (ENGINE=dtr, or distribution)
	@scripts/lab up $(ENGINE)

.PHONY: lab-down
lab-down: ## remove every node, network, volume and file of the lab
	@scripts/lab down

.PHONY: quickstart
quickstart: $(if $(filter dtr,$(ENGINE)),standin-images,lab-image) ## from bare hosts to a registry in use, with proof (ENGINE=dtr, or distribution)
	@$(BIN)/python lab/quickstart.py $(ENGINE)

.PHONY: test
test: ## everything CI runs: lint sanity unit contract, and all scenarios but those of test-long
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory sanity
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory contract
	@$(MAKE) --no-print-directory molecule SCENARIO="$(SHORT)"

.PHONY: test-long
test-long: ## clusters that lose hosts, are upgraded, are killed while they are made: the scenarios that take long
	@$(MAKE) --no-print-directory molecule SCENARIO="$(LONG)"

.PHONY: lint
lint: setup ## ansible-lint (production), ruff, yamllint, antsibull-docs, changelog, role READMEs
	@scripts/lint

.PHONY: sanity
sanity: setup ## ansible-test sanity, no ignores
	@scripts/sanity

.PHONY: unit
unit: setup ## unit tests
	@PYTHONPATH=.ansible/collections $(BIN)/pytest --numprocesses auto --dist loadfile tests/unit

.PHONY: contract
contract: setup ## what the documents and the official interface say, held against the code
	@PYTHONPATH=.ansible/collections $(BIN)/pytest tests/contract

.PHONY: docs
docs: setup ## renew the generated parts of the role READMEs
	@$(BIN)/python scripts/role_readme.py

.PHONY: bench
bench: standin-images ## figures into benchmarks/results/
	@$(BIN)/python benchmarks/site.py $(ENGINE)
	@$(BIN)/python benchmarks/repositories.py

.PHONY: pins
pins: ## resolve scripts/requirements.in anew into scripts/requirements.txt
	@work=$$(mktemp -d) && trap 'rm -rf "$$work"' EXIT && python3 -m venv "$$work" && "$$work/bin/pip" install -q -r scripts/requirements.in \
	  && "$$work/bin/pip" freeze > scripts/requirements.txt
