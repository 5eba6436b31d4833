# Everything that these targets need is installed into .tools by the first of them that needs it.

EVENT ?= events/eventbridge-scheduler.json
CASES ?= 10000

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(CURDIR)/.tools/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export __SAM_CLI_APP_DIR := $(CURDIR)/.tools/sam-home

# SAM asks for a Region even to validate.
validate := AWS_REGION=$${AWS_REGION:-us-east-1} sam validate --lint --template-file
build := sam build
ifdef ARCHITECTURE
build += --parameter-overrides Architecture=$(ARCHITECTURE)
endif
ifdef PORT
port := --port $(PORT)
endif

ifdef POLICY
audit := python3 tools/audit.py --policy
else
audit := .tools/checks/bin/python tools/audit.py $(if $(PROFILE),--profile '$(PROFILE)') $(if $(REGIONS),--regions '$(REGIONS)') $(if $(JSON),--json)
endif

.DEFAULT_GOAL := help
.PHONY: help tools browser invoke audit exemptions test test-rust test-python test-deployed build-tests build-deployed fuzz lint deny advisories sbom reproducible mutants mutants-collect coverage build deploy deploy-local bench bench-pure docs screenshot clean

help: ## Tell what there is
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /|/' | awk -F'|' '{ printf "make %-16s %s\n", $$1, $$2 }'
	@printf '%s\n' '' \
	  'EVENT=FILE           the event of make invoke (events/eventbridge-scheduler.json)' \
	  'CASES=N              the number of inputs of make fuzz for each property of events (10000)' \
	  'PORT=N               the port of the local Lambda in make invoke (a free one)' \
	  'PROFILE=NAME         the AWS profile of make audit (AWS_PROFILE, or the default)' \
	  'REGIONS=LIST         the Regions of make audit, separated by commas, or all (your own Region)' \
	  'JSON=1               make audit prints the report as JSON instead of the mail' \
	  'POLICY=1             make audit only prints the IAM policy that it needs' \
	  'FILE=FILE            the exemptions document of make exemptions' \
	  'REPORT=FILE          a report, of which make exemptions tells what would be exempted' \
	  'PARAMETERS=FILE      the parameters of make deploy, as in parameters.example.yaml (the defaults, or those of the stack)' \
	  'STACK=NAME           the stack of make deploy (macie-compliance), and that to which make exemptions uploads (none)' \
	  'CHECK=1              make deploy only checks' \
	  'SHARD=K/N            the part of the changes that make mutants-collect tries, from 0/N (all)' \
	  'ARCHITECTURE=x86_64  what make build builds for (arm64)' \
	  'HTML=1               make coverage writes pages that show the lines, into target/llvm-cov/html' \
	  'ROUNDS=N             how often make bench measures (5)' \
	  'BEFORE=FILE          another build of the function that make bench measures this one beside, and nothing else' \
	  'BEFORE_DISABLED_RULES=LIST  what that build leaves out (all but the first thirteen rules; empty where it has no more)' \
	  'QUICK=1              make bench over a tenth of the pages, to see that it works'

tools: ## Install the pinned tools into .tools
	@python3 tools/install.py

browser: tools ## Install Chromium as Debian's package, where it is missing and this is root
	@.tools/checks/bin/python tools/browser.py

invoke: ## Run the function once, locally, print its answer and the mail, and write the page to target/report.html
	@python3 tools/invoke.py $(EVENT) $(port)

audit: $(if $(POLICY),,tools) ## Audit your AWS account from here, as a dry run with your credentials, and print the mail
	@$(audit)

exemptions: tools ## Check an exemptions document, and upload it to the bucket of a stack
	$(if $(FILE),,$(error Name the exemptions document: make exemptions FILE=exemptions.json))
	@.tools/checks/bin/python tools/exemptions.py '$(FILE)' $(if $(REPORT),--report '$(REPORT)') $(if $(STACK),--stack '$(STACK)')

test: test-rust test-python test-deployed ## Run all tests, the local deployment among them

# What the Python tests start is built alone, with fewer features of the same crates.
build-tests:
	cargo build --locked --bin macie-compliance
	cargo build --locked --package simulator
	cargo build --locked --package macie-compliance-core --features deserialize --bin mail --bin page
	cargo test --workspace --locked --no-run

build-deployed:
	@python3 tools/install.py
	.tools/checks/bin/python tools/deploy_local.py --build

# Those over the wire are for what is deployed. Their names begin with a w, and no others do.
test-rust:
	cargo test --workspace --locked --lib --bins --test '[!w]*'
	cargo test --workspace --locked --doc

test-python: build-deployed browser
	FUNCTION_BUILT=1 pytest --numprocesses 3 --dist loadfile

# The tests mostly wait, hence more of them at a time than there are cores.
test-deployed: build-deployed
	FUNCTION_BINARY=$(CURDIR)/.aws-sam/local/Function/bootstrap cargo test --workspace --locked --test wire -- --test-threads 8

fuzz: ## Try the properties of the pure crate on many more inputs
	PROPTEST_CASES=$(CASES) cargo test --locked --package macie-compliance-core --test pure -- properties::

lint: ## Check formats, lints, documentation, templates, policies and scripts
	@python3 tools/install.py scans
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked
	cfn-lint template.yaml template-member-role.yaml examples/consumer/template.yaml
	$(validate) template.yaml
	$(validate) template-member-role.yaml
	$(validate) examples/consumer/template.yaml
	checkov --skip-download --quiet --compact --framework cloudformation --file template.yaml template-member-role.yaml examples/consumer/template.yaml
	.tools/checks/bin/python tools/policies.py
	shellcheck .ci/run
	actionlint
	zizmor --offline --quiet .github
	ruff check
	ruff format --check
	python3 tools/mail_svg.py --check

deny: ## Check what the dependencies are: licences, sources, versions, build scripts
	@python3 tools/install.py cargo-deny
	cargo deny --locked check bans licenses sources

advisories: ## Check the dependencies against the RustSec database, fetched from GitHub
	@python3 tools/install.py cargo-deny
	cargo deny --locked check advisories

sbom: ## Write what the function is made of, as CycloneDX JSON
	@python3 tools/sbom.py

reproducible: ## Build twice in two places, off the network, and compare (half an hour)
	@python3 tools/reproducible.py

mutants: ## Change the pure crate in small ways, one at a time, and see that the tests notice (under an hour)
	@python3 tools/mutants.py

# The tests over the wire mostly wait, hence more of them at a time than there are cores.
mutants-collect: ## Change what reads Macie in the same way, and see that the tests over the wire notice (half an hour)
	@python3 tools/install.py cargo-mutants
	cargo mutants --no-config --package macie-compliance --file 'src/collect/*.rs' --timeout 300 $(if $(SHARD),--shard $(SHARD)) \
	  -- --test wire -- paging rules failures outcomes targets deadline mutes filters answers --skip failures_of_earlier_runs --test-threads 8

# The tests kill the processes that they start, so these count in files that they map into their memory (%c).
coverage: ## Tell which lines of the function the Rust tests reach (needs rustup's llvm-tools, or LLVM_COV and LLVM_PROFDATA)
	@python3 tools/install.py cargo-llvm-cov
	CARGO_LLVM_COV_SETUP=no LLVM_PROFILE_FILE_NAME=macie-compliance-%p%c.profraw \
	  RUSTFLAGS='-C llvm-args=-runtime-counter-relocation' \
	  cargo llvm-cov --workspace --exclude bench --locked --ignore-filename-regex '/(tests|benches)/' $(if $(HTML),--html)

build: tools ## Build the function for Lambda, into .aws-sam/build
	$(build)

deploy: tools ## Check the parameters, build, show the changes, and deploy them to your AWS account
	$(if $(ARCHITECTURE),$(error Architecture is a parameter of the deployment: write it into the file PARAMETERS))
	@.tools/checks/bin/python tools/deploy.py $(if $(PARAMETERS),--parameters '$(PARAMETERS)') $(if $(STACK),--stack '$(STACK)') $(if $(CHECK),--check)

deploy-local: tools ## Deploy to an AWS on loopback, and wait for the report of the schedule
	@.tools/checks/bin/python tools/deploy_local.py

# The function is built alone, as it is for Lambda: what the bench needs of the same crates must not
# come into it.
bench: tools ## Measure start, run, CPU time and memory beside what bounds them, and beside boto3
	cargo build --release --locked --bin macie-compliance
	cargo build --release --locked --package bench
	target/release/bench

bench-pure: ## Measure judging, building, rendering and splitting alone
	cargo bench --locked --package bench --bench pure

docs: ## Write what is generated from the code anew: the JSON Schema of the report, and the reference
	UPDATE_DOCS=1 cargo test --locked --package macie-compliance-core --test pure -- docs::
	python3 tools/mail_svg.py

screenshot: browser ## Draw the page of the example report, for README
	@.tools/checks/bin/python tools/screenshot.py

clean: ## Remove what was built and installed
	cargo clean
	rm -rf .aws-sam .tools
