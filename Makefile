# sealift: make, make check, make demo, make lint, make install
BUILD ?= build
CC ?= gcc
ROOMS := base manifests registry bundle cmd

LIBS := libcurl jansson libarchive libcrypto yaml-0.1
CPPFLAGS += -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c17 $(WARN) $(HARDEN) $(shell pkg-config --cflags $(LIBS)) -pthread -MMD -MP $(CFLAGS)
WARN := -Wall -Wextra -Wpedantic -Wno-gnu-statement-expression -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Wcast-qual -Wcast-align \
	-Wwrite-strings -Wpointer-arith -Wswitch-enum -Wnull-dereference -Wredundant-decls -Wimplicit-fallthrough
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=3 -fstack-clash-protection -fcf-protection -fPIE
LDFLAGS += -pie -Wl,-z,relro,-z,now -fno-common -pthread
LDLIBS = $(shell pkg-config --libs $(LIBS))

src = $(wildcard $(1)/*.c)
obj = $(patsubst %.c,$(BUILD)/%.o,$(call src,$(1)))
all: $(BUILD)/sealift
$(BUILD)/sealift: $(foreach r,$(ROOMS),$(call obj,$(r)))
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# A room's unit tests link that room and what it may know, nothing else.
below_base := base
below_manifests := base manifests
below_registry := base manifests registry
below_bundle := base manifests bundle
below_cmd := base manifests registry bundle cmd
unit-%: $(BUILD)/unit/%
	$<
.SECONDEXPANSION:
$(BUILD)/unit/%: $$(patsubst %.c,$(BUILD)/%.o,$$(wildcard tests/unit/$$*/*.c)) $$(foreach r,$$(below_$$*),$$(filter-out $(BUILD)/cmd/main.o,$$(call obj,$$(r))))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcriterion

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all
