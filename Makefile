# Every target works from a fresh clone at any path; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
ENGINE ?= distribution
SCENARIO ?=
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

.PHONY: molecule
molecule: lab-image ## every scenario, or SCENARIO=x
	@scripts/molecule $(SCENARIO)
