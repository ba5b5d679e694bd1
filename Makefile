# SPDX-License-Identifier: Apache-2.0
# Every task of the repository; `make` alone lists them. CI runs `make ci`, which is `make test`.

SWIFT ?= swift
PYTHON := .venv/bin/python
# One configuration for the product and its tests, so that nothing is built twice and what is tested
# is what runs. Across modules the optimiser needs the flag: without it hot calls cost 6 times more.
RELEASE := -c release -Xswiftc -cross-module-optimization
SERVER := --package-path Server
EXAMPLES ?= Exporters Web Messaging Database Macro
KILLS ?= 50
CRASHES ?= 100000
# Which golden directory `make golden` writes: the one of the newest format version.
GOLDEN ?= v3

.DEFAULT_GOAL := help
.PHONY: help demo run build build-tests test test-root test-examples test-server test-blackbox \
	test-sdk-costs test-storm bench-sdk build-sdk-bench \
	test-slow simulate golden bench bench-memory bench-store bench-traceql bench-codecs bench-analysis \
	bench-page pictures \
	bench-programs build-bench \
	build-examples fuzz fuzz-short sanitize format format-check tidy docs sdk-check ci install-build install-test \
	install-bench install-peers install-pictures bundle-page

help:
	@printf 'make TARGET, where TARGET is one of\n\n'
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' \
		| while IFS='|' read -r name text; do printf '  %-13s %s\n' "$$name" "$$text"; done

demo: build ## Run the server and a small traced shop, and print the address of the page
	bin/skein demo

run: build ## Run the server alone on its default ports, data in ./skein-data
	bin/skein serve

build: install-build bundle-page ## Build the release binary bin/skein
	$(SWIFT) build $(RELEASE) $(SERVER) --product skein
	@scripts/install-binary.sh

test: install-test format-check tidy docs sdk-check test-root test-sdk-costs test-storm test-examples test-server test-blackbox fuzz-short ## Run every check and every test of a change

test-slow: install-test build ## Run the long tests: 2,000 kills, every failing call, 1,000,000 simulated crashes, outages, 100,000,000 spans under TSan, fuzzing
	$(MAKE) --no-print-directory simulate CRASHES=1000000
	SKEIN_KILLS=2000 SKEIN_FAULTS=0 $(PYTHON) -m pytest Tests/blackbox -m "slow or kill or fault"
	SKEIN_EVERY_BYTE=1 $(SWIFT) test $(RELEASE) $(SERVER) --filter GoldenTests
	SWIFT="$(SWIFT)" scripts/span-storm.sh 1000 100000
	$(SWIFT) build -c release --package-path Examples/Exporters --scratch-path Examples/.build \
		--disable-build-manifest-caching --product Outages
	SKEIN_OUTAGE_SECONDS=600 SKEIN_EXAMPLES=Examples/.build/release \
		$(PYTHON) -m pytest Tests/blackbox/test_outages.py
	$(MAKE) --no-print-directory fuzz T=all SECONDS_MAX=600

simulate: install-build ## Crash the engine on a simulated disk: make simulate CRASHES=1000000 [SEED=7]
	$(SWIFT) build $(RELEASE) $(SERVER) --product skein-simulate
	scripts/simulate.sh "$$($(SWIFT) build $(RELEASE) $(SERVER) --show-bin-path)/skein-simulate" \
		$(CRASHES) $(SEED)

golden: install-build ## Write the data directory that later versions have to read: Golden/README.md
	$(SWIFT) build $(RELEASE) $(SERVER) --product skein-simulate
	rm -rf Server/Tests/EngineTests/Golden/$(GOLDEN)
	"$$($(SWIFT) build $(RELEASE) $(SERVER) --show-bin-path)/skein-simulate" golden \
		Server/Tests/EngineTests/Golden/$(GOLDEN)

bench: install-test build bench-programs build-sdk-bench ## Measure receiving and the SDK beside their floors, and the page (ROUNDS=3 SPANS=1000000; 14 minutes)
	$(PYTHON) bench/run.py
	$(PYTHON) bench/sdk.py
	$(PYTHON) bench/page.py

bench-sdk: install-bench build-sdk-bench ## Measure what a span costs an application (ROUNDS=3; 2 minutes)
	$(PYTHON) bench/sdk.py

bench-memory: install-bench build bench-programs ## Measure memory at a steady rate (MINUTES=10 RATE=50000; 12 minutes)
	$(PYTHON) bench/memory.py

bench-store: install-peers build build-bench bench-programs ## Measure questions beside other engines (SPANS=5000000; 5 minutes, 20 at 20000000)
	$(PYTHON) bench/store.py

bench-codecs: install-bench build-bench bench-programs ## Measure the decoders and encoders (1 minute)
	$(PYTHON) bench/codecs.py

bench-traceql: install-peers build build-bench bench-programs ## Measure questions in TraceQL beside chDB (SPANS=10000000; 10 minutes)
	$(PYTHON) bench/traceql.py

bench-analysis: install-bench ## Measure explaining traces, and laying out the map of CALLS=FILE (1 minute)
	$(SWIFT) build $(RELEASE) $(SERVER) --product AnalysisBench
	$(PYTHON) bench/analysis.py $(CALLS)

bench-page: install-test build ## Measure the page in headless Chromium (ROUNDS=3; 2 minutes)
	@mkdir -p bench/build
	$(PYTHON) bench/page.py

pictures: install-pictures build ## Take the pictures in docs/images from a demo that ran for MINUTES=16, or of SKEIN_URL (25 minutes)
	$(PYTHON) tools/pictures.py $(PICTURES)

fuzz: install-build ## Fuzz a decoder, or all: make fuzz T=otlp-protobuf|store-part|all SECONDS_MAX=60
	SWIFT="$(SWIFT)" scripts/fuzz.sh "$(T)"

# A look at every decoder: long enough for what a careless change breaks.
fuzz-short:
	SECONDS_MAX=5 SWIFT="$(SWIFT)" scripts/fuzz.sh all

sanitize: install-build ## Run the tests of the engine and all else without sockets under ASan [FILTER=EngineTests]
	SWIFT="$(SWIFT)" FILTER="$(FILTER)" scripts/sanitize.sh

format: ## Format all Swift code in place
	@scripts/swift-files.sh | xargs -0 swift format -i --parallel

tidy: ## Check arrows, imports, sizes, banned calls, licence lines
	python3 tools/tidy

docs: ## Check the titles, the links and the listings of the documentation
	python3 tools/tidy --only docs
	SWIFT="$(SWIFT)" scripts/check-docc.sh

ci: ## Run what CI runs
	.ci/run

# The steps of `make test`, cheap ones first.

format-check:
	@scripts/swift-files.sh | xargs -0 swift format lint --strict --parallel

sdk-check:
	SWIFT="$(SWIFT)" scripts/check-sdk-dependencies.sh

test-root:
	$(SWIFT) test --disable-default-traits

# Instructions and allocations of the SDK's hot paths against bench/sdk-costs.json.
test-sdk-costs: build-sdk-bench
	$(PYTHON) bench/sdk_costs.py

# Spans of many tasks under the thread sanitizer.
test-storm:
	SWIFT="$(SWIFT)" scripts/span-storm.sh 1000 100

# What needs a trait of the SDK, so that the root's own tests build little. The packages share one
# scratch folder, so that what several of them need is built once; with its cached plan, SwiftPM has been
# seen to test the package before once more.
test-examples:
	for example in $(EXAMPLES); do \
		$(SWIFT) test --package-path Examples/$$example --scratch-path Examples/.build \
			--disable-build-manifest-caching || exit 1; \
	done

build-sdk-bench:
	$(SWIFT) build -c release --package-path bench/sdk-bench --product SDKBench
	@$(MAKE) --no-print-directory -C bench sdk

build-bench:
	$(SWIFT) build $(RELEASE) $(SERVER) --product StoreBench
	$(SWIFT) build $(RELEASE) $(SERVER) --product WireBench

bench-programs:
	@$(MAKE) --no-print-directory -C bench

build-tests: bundle-page
	$(SWIFT) build $(RELEASE) $(SERVER) --build-tests
	@scripts/install-binary.sh

test-server: build-tests
	$(SWIFT) test $(RELEASE) $(SERVER) --skip-build

# Programs of the SDK that the black-box tests run beside others' clients.
build-examples:
	$(SWIFT) build --package-path Examples/Exporters --scratch-path Examples/.build --disable-build-manifest-caching

test-blackbox: build-tests build-examples
	SKEIN_KILLS=$(KILLS) $(PYTHON) -m pytest Tests

# The page's modules as the one script and style sheet that the binary embeds.
bundle-page: | install-build
	@scripts/bundle-page.sh

install-build:
	@scripts/install-dependencies.sh build

install-test:
	@scripts/install-dependencies.sh test

install-bench:
	@scripts/install-dependencies.sh bench

install-pictures:
	@scripts/install-dependencies.sh pictures

install-peers:
	@scripts/install-dependencies.sh peers
