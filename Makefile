# sealift: make, make check, make demo, make lint, make install (README.md tells them all).
# Objects of each variant have a tree of their own: BUILD=build, build/asan, build/tsan, ...

BUILD ?= build
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS ?= -O2 -g
PYTHON ?= /usr/bin/python3
VERSION = $(shell sed -n 's/.*SEALIFT_VERSION "\(.*\)"/\1/p' cmd/version.h)

# ---- what it is built from, and how -------------------------------------------------------

ROOMS := base manifests registry bundle cmd
LIBS := libcurl jansson libarchive libcrypto yaml-0.1
FLOORS := 'libcurl >= 7.85' 'jansson >= 2.14' 'libarchive >= 3.6' 'libcrypto >= 3.0' 'yaml-0.1 >= 0.2.5'
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Wcast-qual -Wcast-align -Wwrite-strings \
	-Wpointer-arith -Wswitch-enum -Wnull-dereference -Wredundant-decls -Wimplicit-fallthrough \
	$(if $(IS_CLANG),,-Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init \
	-Wformat-truncation=2) $(if $(WERROR),-Werror)
HARDEN := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
	$(if $(filter x86_64,$(shell uname -m)),-fcf-protection)
CPPFLAGS += -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
ALL_CFLAGS := -std=c17 $(WARN) $(HARDEN) $(shell pkg-config --cflags $(LIBS) 2>/dev/null) \
	-fPIE -fno-common -pthread $(CFLAGS)
LDFLAGS += -pie -Wl,-z,relro,-z,now -pthread
LDLIBS := $(shell pkg-config --libs $(LIBS) 2>/dev/null)

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))
link = @mkdir -p $(@D) && echo "link $@" && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LDLIBS)

.PHONY: all
all: $(BUILD)/sealift
$(BUILD)/sealift: $(foreach r,$(ROOMS),$(call objects,$(r)))
	$(link)
$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D) && echo "$(CC) $<"
	@$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Other flags or another compiler: all is built anew.
flags := $(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D) && pkg-config --exists --print-errors $(FLOORS)
	@echo "$(flags)" | cmp -s - $@ || echo "$(flags)" > $@
.PHONY: FORCE
FORCE:

-include $(wildcard $(foreach d,$(ROOMS) $(ROOMS:%=tests/unit/%) tests/fuzz tests/support,$(BUILD)/$(d)/*.d))

# ---- tests --------------------------------------------------------------------------------

# A room's unit tests link that room and what it may know, nothing else.
below_base := base
below_manifests := base manifests
below_registry := base manifests registry
below_bundle := base manifests bundle
below_cmd := base manifests registry bundle cmd
tested := $(foreach r,$(ROOMS),$(if $(wildcard tests/unit/$(r)/*.c),$(r)))
# Each tests/fuzz/NAME.c is a fuzz target; FUZZER is what calls it.
fuzzed := $(filter-out standalone,$(basename $(notdir $(wildcard tests/fuzz/*.c))))
FUZZER ?= $(BUILD)/tests/fuzz/standalone.o

.PHONY: units unit-% replays
unit-%: $(BUILD)/unit/%
	$<
units: $(tested:%=$(BUILD)/unit/%) $(BUILD)/verdicts $(BUILD)/floor $(BUILD)/splices
replays: $(fuzzed:%=$(BUILD)/targets/%)
$(BUILD)/unit/%: LDLIBS += -lcriterion
.SECONDEXPANSION:
$(BUILD)/unit/%: $$(call objects,tests/unit/$$*) \
    $$(foreach r,$$(below_$$*),$$(filter-out $(BUILD)/cmd/main.o,$$(call objects,$$(r))))
	$(link)
$(BUILD)/verdicts: $(BUILD)/tests/support/verdicts.o $(foreach r,$(below_bundle),$(call objects,$(r)))
	$(link)
$(BUILD)/splices: $(BUILD)/tests/support/splices.o $(foreach r,base manifests,$(call objects,$(r)))
	$(link)
$(BUILD)/floor: $(BUILD)/tests/support/floor.o $(call objects,base)
	$(link)
$(BUILD)/targets/%: $(BUILD)/tests/fuzz/%.o $(FUZZER) \
    $(foreach r,base manifests registry bundle,$(call objects,$(r)))
	$(link)
.SECONDARY:

.PHONY: check check-built matrix torture asan tsan fuzz coverage bench demo reliability ids
check: install-test
	@$(MAKE) --no-print-directory check-built
check-built: all units replays
	@$(PYTHON) tests/run.py --build $(BUILD) $(RUN)

# What PROTOCOL 20 lists, by what is done and where, and how many tests each cell has.
matrix: install-test all
	@$(PYTHON) tests/run.py --build $(BUILD) --matrix

# What takes minutes, and the table of figures that the last runs of check and torture wrote.
torture: install-test
	@$(MAKE) --no-print-directory check-built RUN=--torture
# Statements of registries and chart repositories that no test shows yet.
ids:
	@$(PYTHON) tests/support/ids.py
reliability:
	@$(PYTHON) tests/support/reliability.py $(BUILD) docs/RELIABILITY.md

# Programs whose every error of memory, arithmetic or threads ends a test.
SANITIZE = $(MAKE) --no-print-directory check-built HARDEN= LDFLAGS=-pie
asan: install-test
	@$(SANITIZE) BUILD=$(BUILD)/asan RUN="--sanitizer address" \
	    CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
tsan: install-test
	@$(SANITIZE) BUILD=$(BUILD)/tsan RUN="--sanitizer thread" CFLAGS="-O1 -g -fsanitize=thread"
coverage: install-test
	@$(MAKE) --no-print-directory check-built BUILD=$(BUILD)/cov HARDEN= CFLAGS="-O0 -g --coverage"
	@gcov -n $(ROOMS:%=$(BUILD)/cov/%/*.gcda) 2>/dev/null | awk -F"'|:|%" \
	    '/^File/ {f = $$2} /^Lines/ && f ~ /^[a-z]+\/[a-z0-9_]+\.c$$/ {printf "%6.2f %%%s  %s\n", $$2, $$3, f; f = ""}' | sort -n

# libFuzzer, FUZZ_SECONDS a target, from the corpora of tests/fuzz/corpus.
FUZZ_SECONDS ?= 20
fuzz: install-lint
	@$(MAKE) --no-print-directory replays BUILD=$(BUILD)/fuzz CC=clang HARDEN= FUZZER= \
	    LDFLAGS="-pie -fsanitize=fuzzer" CFLAGS="-O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all"
	@for t in $(fuzzed); do mkdir -p $(BUILD)/fuzz/corpus/$$t && echo "fuzz $$t" && \
	    $(BUILD)/fuzz/targets/$$t -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 \
	    -artifact_prefix=$(BUILD)/fuzz/$$t- $(BUILD)/fuzz/corpus/$$t tests/fuzz/corpus/$$t || exit 1; done

demo: install-demo
	@$(MAKE) --no-print-directory all
	@$(PYTHON) tests/demo/demo.py
bench: install-demo
	@$(MAKE) --no-print-directory all
	@$(PYTHON) tests/bench/bench.py

# The Debian packages that are missing; without root it names them and stops.
.PHONY: install-test install-demo install-lint
install-test install-demo install-lint: install-%:
	@tests/support/install.sh build $*

# ---- lint: one target a rule, so that make runs them beside one another --------------------

LINT := $(BUILD)/lint
sources := $(wildcard $(ROOMS:%=%/*.c))
headers := $(wildcard $(ROOMS:%=%/*.h))
test_sources := $(wildcard tests/*/*.c tests/unit/*/*.c)
lint_rules := rules ids cells selftest format spelling manuals curl-types gcc clang cppcheck tidy analyzer

.PHONY: lint lint-all format $(lint_rules:%=lint-%)
lint: install-test install-lint
	@$(MAKE) --no-print-directory -k -j$$(nproc) --output-sync=target lint-all && echo "lint: all is well"
lint-all: $(lint_rules:%=lint-%)
lint-rules:
	@$(PYTHON) tests/lint/rules.py .
lint-ids:
	@$(PYTHON) tests/support/ids.py
# PROTOCOL 20's cells and PROTOCOL 17's faults that no test is marked with.
lint-cells:
	@mkdir -p $(LINT) && $(PYTHON) -m pytest -p no:cacheprovider --collect-only -qq --matrix tests/e2e >$(LINT)/cells.txt || \
	    { grep -E '^(no test|E  )' $(LINT)/cells.txt; exit 1; }
lint-selftest:
	@$(PYTHON) tests/lint/selftest.py
lint-format:
	@for f in $(sources) $(headers) $(test_sources); do clang-format --dry-run -Werror $$f 2>/dev/null || \
	    { echo "$$f: not in format; make format" && bad=1; }; done && [ -z "$$bad" ]
lint-spelling:
	@codespell -I tests/lint/words.txt $(ROOMS) tests docs Makefile README.md CHANGES
lint-manuals:
	@mandoc -Tlint -W warning docs/*.[15]
# libcurl checks the types of its variable arguments only where its header is no system header.
lint-curl-types:
	@$(CC) $(CPPFLAGS) -std=c17 -O2 -Wsystem-headers -Werror=attribute-warning -c -o /dev/null registry/http.c
lint-gcc:
	@$(MAKE) --no-print-directory lint-objects BUILD=$(LINT)/gcc CC=gcc WERROR=1
lint-clang:
	@$(MAKE) --no-print-directory lint-objects BUILD=$(LINT)/clang CC=clang WERROR=1
.PHONY: lint-objects
lint-objects: $(patsubst %.c,$(BUILD)/%.o,$(sources) $(test_sources))
# STEAL looks like a value that is never used (the analyzers find real ones); scopes are a matter of taste.
lint-cppcheck:
	@cppcheck -q --std=c11 --enable=warning,style,performance,portability --error-exitcode=1 --inline-suppr \
	    --suppress=missingIncludeSystem --suppress=unreadVariable --suppress=variableScope \
	    $(CPPFLAGS) $(sources)
# The analyzers work file by file; analysis.h tells them what base/err.c promises.  One file a
# process for clang-tidy, too: several in one run give false reports.
model = $(CPPFLAGS) -std=c17 $(if $(filter base/err.c,$<),,-include tests/lint/analysis.h)
lint-tidy: $(sources:%.c=$(LINT)/%.tidy)
$(LINT)/%.tidy: %.c .clang-tidy tests/lint/analysis.h $(headers)
	@mkdir -p $(@D) && clang-tidy --quiet $< -- $(model) 2>/dev/null && touch $@
lint-analyzer: $(sources:%.c=$(LINT)/%.analyzed)
$(LINT)/%.analyzed: %.c tests/lint/analysis.h $(headers)
	@mkdir -p $(@D) && gcc $(model) -O2 -fanalyzer -Werror -c -o /dev/null $< && touch $@
format:
	clang-format -i $(sources) $(headers) $(test_sources)

# ---- install, release ---------------------------------------------------------------------

manuals := $(wildcard docs/*.1 docs/*.5)
.PHONY: install uninstall dist distcheck clean
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 \
	    $(DESTDIR)$(PREFIX)/share/sealift/releases
	install -m 755 $(BUILD)/sealift $(DESTDIR)$(PREFIX)/bin/sealift
	install -m 644 $(wildcard docs/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(wildcard docs/*.5) $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 644 $(wildcard manifests/*.yaml) $(DESTDIR)$(PREFIX)/share/sealift/releases
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/sealift
	rm -f $(foreach m,$(manuals),$(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m)))
	rm -rf $(DESTDIR)$(PREFIX)/share/sealift
dist: name = sealift-$(VERSION)
dist:
	@mkdir -p build
	git archive --prefix=$(name)/ -o build/$(name).tar.gz HEAD
distcheck: dist
	rm -rf build/distcheck && mkdir build/distcheck
	tar -xzf build/sealift-$(VERSION).tar.gz -C build/distcheck
	$(MAKE) -C build/distcheck/sealift-$(VERSION) check
	$(MAKE) -C build/distcheck/sealift-$(VERSION) install DESTDIR=$(CURDIR)/build/distcheck/root
	rm -rf build/distcheck
clean:
	rm -rf build
