# SPDX-License-Identifier: GPL-2.0-only
# `make help` says what can be made. Nothing here needs more than make itself
# until a recipe runs, so that `make run` can install the rest.

VERSION := 0.1

PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man
BUILD   ?= build

HOST_ARCH := $(patsubst aarch64,arm64,$(shell uname -m))
ARCH      ?= $(HOST_ARCH)
OUT       := $(BUILD)/$(ARCH)

CLANG      ?= clang
LLVM_STRIP ?= llvm-strip
# Debian keeps it where only root looks.
BPFTOOL    ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
INSTALL    ?= install

ifeq ($(ARCH),$(HOST_ARCH))
ifeq ($(origin CC),default)
CC := gcc
endif
else ifeq ($(ARCH),arm64)
CROSS_COMPILE ?= aarch64-linux-gnu-
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
else ifneq ($(findstring clang,$(CC)),)
override CC += --target=aarch64-linux-gnu
endif
PKG_CONFIG := PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig $(PKG_CONFIG)
else
$(error ARCH=$(ARCH): fpstat builds for this machine ($(HOST_ARCH)) and for arm64)
endif

LIBS := libbpf libzstd zlib ncursesw
ifneq ($(STATIC),)
PKG_CONFIG += --static
STATIC_FLAG := -static
endif

WARNINGS := -Wall -Wextra -Werror
CFLAGS   ?= -O2 -g
INCLUDES := -Iinclude -Isrc -I$(BUILD)/bpf -I$(OUT)
# The same numbers on each machine: arm64 would round a * b + c once.
ALL_CFLAGS = -std=gnu11 -ffp-contract=off -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) \
	     $(INCLUDES)
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	    -fno-omit-frame-pointer

# Asked once, and only when a recipe needs the answer.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell $(PKG_CONFIG) --cflags $(LIBS)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell $(PKG_CONFIG) --libs $(LIBS)))$(PKG_LIBS)
# clang -target bpf does not look where Debian keeps <asm/types.h>.
BPF_SYSTEM = $(eval BPF_SYSTEM := $$(shell $(CLANG) -v -E - </dev/null 2>&1 | \
	sed -n '/<...> search starts here/,/End of search/s/^ \(.*\)/-idirafter \1/p'))$(BPF_SYSTEM)
BPF_CFLAGS := -target bpf -D__TARGET_ARCH_arm64 -O2 -g -mcpu=v2 \
	      -fno-stack-protector $(WARNINGS) \
	      -Wno-unused-parameter -Iinclude

SRCS  := $(sort $(wildcard src/*.c src/*/*.c))
OBJS  := $(SRCS:%.c=$(OUT)/%.o)
SKELS := $(patsubst bpf/%.bpf.c,$(BUILD)/bpf/%.skel.h,$(wildcard bpf/*.bpf.c))
MANS  := $(sort $(wildcard man/*.[578]))

ifeq ($(V),)
Q := @
say = @printf '  %-8s %s\n'
else
say = @:
endif

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all help clean install uninstall setup run check check-full check-unit \
	check-lab lint unit benches lab-programs bench bench-host bench-cost bench-start bench-peers \
	fuzz FORCE
MAKEFLAGS += --no-print-directory

all: $(OUT)/fpstat

help:
	@sed -n 's/^#: //p' Makefile

#: make                       build/ARCH/fpstat for this machine
#: make ARCH=arm64 STATIC=1   one static arm64 binary, also from an x86 machine
#: make run                   install what is missing, build, show fpstat live: on
#:                            this machine if it is arm64 with KVM, else in the lab
#: make check [T=WORD]        all tests; with T only the files whose name has WORD
#: make check-full [T=WORD]   the same, with 1,000 cycles and 10,000 VMs: hours
#: make check-unit            those that need no virtual machine
#: make check-lab             those that run fpstat on real arm64 kernels
#: make lint                  only the rules about the sources
#: make bench                 all that follow
#: make bench-host            how fast a stream is merged, judged, written and read, and
#:                            what a frame of the screen takes; RECORDS=N
#: make bench-cost            instructions that fpstat adds to an exit, a KVM_RUN and a
#:                            switch, beside budget, floor and other programs, in the
#:                            lab; KERNELS="6.1 7.3" MODES="vhe nvhe"; BASELINE=1
#: make bench-start           time to start, and memory, with 1 to 64 CPUs, in the lab
#: make bench-peers           traces of fpstat, perf and trace-cmd of one load in the
#:                            lab, side by side; KERNELS=6.1 TURNS=1000 EXITS=20000
#: make fuzz [FUZZ=OPTIONS]   traces that libFuzzer makes up, with clang
#: make setup                 only install what is missing
#: make install               DESTDIR= PREFIX=/usr/local SBINDIR= MANDIR=
#: make clean
#: Variables: V=1 (show commands) CC= CFLAGS= LDFLAGS= BUILD=build

$(OUT)/fpstat: $(OBJS) $(OUT)/link.flags
	$(say) LINK $@
	$(Q)$(CC) $(STATIC_FLAG) $(CFLAGS) $(LDFLAGS) -o $@ $(OBJS) $(PKG_LIBS)

$(OUT)/%.o: %.c $(OUT)/cc.flags | $(SKELS) $(OUT)/version.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(BUILD)/bpf/cc.flags
	@mkdir -p $(@D)
	$(say) BPF $@
	$(Q)$(CLANG) $(BPF_CFLAGS) $(BPF_SYSTEM) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@.tmp $<
	$(Q)$(LLVM_STRIP) -g $@.tmp && mv $@.tmp $@

# bpftool wants a C identifier, and names the skeleton after the file.
$(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

$(OUT)/version.h: FORCE
	@mkdir -p $(@D)
	@v=$$(git rev-parse --short HEAD 2>/dev/null); \
	echo "#define FPSTAT_VERSION \"$(VERSION)$${v:+-$$v}\"" >$@.tmp
	@cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@

# Flags that changed rebuild what was built with them.
remember = @mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@
$(OUT)/cc.flags: FORCE
	$(call remember,$(CC) $(ALL_CFLAGS))
$(OUT)/link.flags: FORCE
	$(call remember,$(CC) $(STATIC_FLAG) $(CFLAGS) $(LDFLAGS) $(OBJS))
$(BUILD)/bpf/cc.flags: FORCE
	$(call remember,$(CLANG) $(BPF_CFLAGS))

install: $(OUT)/fpstat
	$(say) INSTALL $(DESTDIR)$(SBINDIR)/fpstat
	$(Q)$(INSTALL) -d $(DESTDIR)$(SBINDIR)
	$(Q)$(INSTALL) -m 755 $(OUT)/fpstat $(DESTDIR)$(SBINDIR)/fpstat
	$(Q)for m in $(MANS); do \
		d=$(DESTDIR)$(MANDIR)/man$${m##*.}; \
		$(INSTALL) -d $$d && $(INSTALL) -m 644 $$m $$d/ || exit 1; \
	done

uninstall:
	$(Q)rm -f $(DESTDIR)$(SBINDIR)/fpstat
	$(Q)for m in $(MANS); do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done

clean:
	$(Q)rm -rf $(BUILD)
	$(Q)$(MAKE) -s -C tests/lab/workloads clean

# Unit tests: tests/unit/t_NAME.c with all of src/ but main.c to draw from,
# everything instrumented.
SAN       := $(OUT)/san
UNIT_SRCS := $(sort $(wildcard tests/unit/t_*.c))
UNITS     := $(UNIT_SRCS:tests/unit/%.c=$(SAN)/%)
SAN_OBJS  := $(patsubst %.c,$(SAN)/%.o,$(filter-out src/main.c,$(SRCS)))

# The whole program with tests/unit/fake_capture.c in the place of
# src/capture.c, for shell tests: $FPSTAT_FAKE_PROGRAM.
FAKE := $(if $(wildcard tests/unit/fake_capture.c),$(SAN)/fpstat-fake)

unit: $(UNITS) $(FAKE)

$(SAN)/fpstat-fake: $(SAN)/src/main.o $(SAN)/tests/unit/fake_capture.o $(SAN)/fpstat.a
	$(say) LINK $@
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(SAN)/%.o: %.c $(OUT)/cc.flags | $(SKELS) $(OUT)/version.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZE) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

$(SAN)/fpstat.a: $(SAN_OBJS)
	@rm -f $@
	$(Q)ar rcs $@ $(SAN_OBJS)

$(SAN)/t_%: $(SAN)/tests/unit/t_%.o $(SAN)/fpstat.a
	$(say) LINK $@
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $(filter %.o,$^) $(SAN)/fpstat.a -lcmocka $(PKG_LIBS)

# They have the programs of the kernel as user space.
$(SAN)/tests/unit/t_settle.o $(SAN)/tests/unit/t_infer.o $(SAN)/tests/unit/t_usual.o: INCLUDES += -Ibpf

# What the fuzzers run is also run on their corpus, in the unit tests.
FUZZED := $(patsubst %.c,$(SAN)/%.o,$(wildcard tests/fuzz/*.c))
$(SAN)/t_corpus: $(FUZZED)
$(FUZZED): Makefile
$(FUZZED): ALL_CFLAGS += -DLLVMFuzzerTestOneInput=fuzz_$(basename $(@F))

# tests/fuzz/NAME.c, for as long as FUZZ says, from tests/fuzz/corpus/NAME.
FUZZ     ?= -runs=1000000 -max_len=65536
FUZZERS  := $(patsubst tests/fuzz/%.c,$(OUT)/fuzz/%,$(wildcard tests/fuzz/*.c))

fuzz: $(FUZZERS)
	@for f in $(FUZZERS); do \
		mkdir -p $$f.found && $$f $(FUZZ) -malloc_limit_mb=32 \
			-artifact_prefix=$$f. $$f.found tests/fuzz/corpus/$${f##*/} || exit 1; \
	done

# All of it with clang, and with what libFuzzer steers by.
FUZZ_OBJS := $(patsubst %.c,$(OUT)/fuzz/%.o,$(filter-out src/main.c,$(SRCS)))
$(OUT)/fuzz/%.o: %.c $(OUT)/cc.flags | $(SKELS) $(OUT)/version.h
	@mkdir -p $(@D)
	$(say) FUZZ $@
	$(Q)$(CLANG) $(ALL_CFLAGS) $(SANITIZE) -fsanitize=fuzzer-no-link $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/fuzz/%: $(OUT)/fuzz/tests/fuzz/%.o $(FUZZ_OBJS)
	$(say) LINK $@
	$(Q)$(CLANG) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

# tests/lab/NAME.c: programs for the lab with all of src/ to draw from.
LAB_SRCS  := $(sort $(wildcard tests/lab/*.c))
LAB_PROGS := $(LAB_SRCS:%.c=$(OUT)/%)
LAB_WRAP  := -Wl,--wrap=ksyms__find,--wrap=ksyms__free \
	     -Wl,--wrap=btf__load_vmlinux_btf,--wrap=btf__free

lab-programs: $(LAB_PROGS)

$(OUT)/tests/lab/%: $(OUT)/tests/lab/%.o $(filter-out $(OUT)/src/main.o,$(OBJS))
	$(say) LINK $@
	$(Q)$(CC) $(STATIC_FLAG) $(CFLAGS) $(LDFLAGS) $(LAB_WRAP) -o $@ $^ $(PKG_LIBS)

# It takes all CPUs; of the others each takes one.
MUTATE     := tests/unit/mutate.sh
TESTS_SH   := $(filter-out $(MUTATE),$(sort $(wildcard tests/unit/*.sh tests/lint/*.sh)))
TESTS_HERE := $(MUTATE) -- $(TESTS_SH) $(UNITS)
# Those that take longest begin first.
LONGEST    := $(addprefix tests/lab/t_,lifecycle.sh whatif.sh scenarios.sh trace.sh)
TESTS_LAB  := $(LONGEST) $(filter-out $(LONGEST),$(sort $(wildcard tests/lab/t_*.sh)))
RUN_TESTS  := FPSTAT_PROGRAM=$(OUT)/fpstat FPSTAT_FAKE_PROGRAM=$(FAKE) \
	      FPSTAT_ARM64=$(BUILD)/arm64/fpstat tests/run --logs $(BUILD)/check --match '$(T)' -j $(shell nproc)
FOR_ARM64  := ARCH=arm64 STATIC=1
FOR_LAB    := $(FOR_ARM64) all lab-programs
J           = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

setup:
	@contrib/setup check

# A part of the tests wants what they test built; all of them test that, too.
check:
	@contrib/setup check
ifeq ($(T),)
	@$(RUN_TESTS) tests/build.sh $(TESTS_HERE) $(TESTS_LAB)
else
	@$(MAKE) $(J) all unit
	@$(MAKE) $(J) $(FOR_LAB)
	@$(MAKE) $(J) -s -C tests/lab/workloads all modules
	@$(RUN_TESTS) $(TESTS_HERE) $(TESTS_LAB)
endif

# What an emulated machine takes too long for to be done each time.
check-full: export CYCLES := 1000
check-full: export KILLS := 50
check-full: export STARTS := 8
check-full: export VMS := 10000
check-full: export MIX := 60000
check-full: export MODES := vhe nvhe
check-full: export SVE := off on
check-full: export STRUCK := 10000
check-full: export FORMATS := 3000
check-full: export FPSTAT_FAULTS := all
check-full: export LAB_TIMEOUT := 14000
check-full: export FPSTAT_TEST_TIMEOUT := 30000
check-full: check

check-unit: all unit
	@$(RUN_TESTS) $(TESTS_HERE)

lint:
	@$(RUN_TESTS) $(sort $(wildcard tests/lint/*.sh))

# Programs that print what they measured; nothing fails. The peers take minutes:
# they run in the lab, and are fetched first.
RECORDS ?= 20000000
BENCHES     := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/bench/*.c)))
BENCH_TOOLS := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/bench/tools/*.c)))
bench:
	@$(MAKE) bench-host
	@$(MAKE) bench-start
	@$(MAKE) bench-cost
	@$(MAKE) bench-peers

benches: $(BENCHES) $(BENCH_TOOLS)

bench-host: $(BENCHES)
	@tests/bench/host $(RECORDS) $(BENCHES)

bench-start:
	@$(MAKE) $(J) $(FOR_ARM64)
	@tests/bench/start

bench-cost: $(OUT)/fpstat
	@$(MAKE) $(J) $(FOR_ARM64) all $(addprefix $(BUILD)/arm64/tests/bench/tools/,floor longest)
	@$(MAKE) $(J) -s -C tests/lab/workloads
	@FPSTAT_PROGRAM=$(OUT)/fpstat tests/bench/cost

bench-peers: $(OUT)/fpstat $(BENCH_TOOLS)
	@$(MAKE) $(J) $(FOR_ARM64)
	@$(MAKE) $(J) -s -C tests/lab/workloads all modules
	@FPSTAT_PROGRAM=$(OUT)/fpstat FPSTAT_EXITS=$(OUT)/tests/bench/tools/exits tests/bench/peers

$(OUT)/tests/bench/%: $(OUT)/tests/bench/%.o $(filter-out $(OUT)/src/main.o,$(OBJS))
	$(say) LINK $@
	$(Q)$(CC) $(STATIC_FLAG) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

check-lab:
	@$(MAKE) $(J) $(FOR_LAB)
	@$(MAKE) $(J) -s -C tests/lab/workloads all modules
	@$(RUN_TESTS) -- $(TESTS_LAB)

run:
	@contrib/setup run
	@$(MAKE) $(J) $(FOR_ARM64)
	@$(MAKE) $(J) -s -C tests/lab/workloads
	@contrib/run

-include $(OBJS:.o=.d) $(SRCS:%.c=$(SAN)/%.d)
-include $(patsubst %.c,$(SAN)/%.d,$(wildcard tests/unit/*.c))
-include $(LAB_PROGS:%=%.d) $(BENCHES:%=%.d) $(BENCH_TOOLS:%=%.d)
-include $(FUZZ_OBJS:.o=.d) $(FUZZERS:$(OUT)/fuzz/%=$(OUT)/fuzz/tests/fuzz/%.d)
-include $(wildcard $(BUILD)/bpf/*.d)
