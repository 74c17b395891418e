# wa_apikeys: the extension (PGXS); the gateway builds in gateway/.
EXTENSION = wa_apikeys
MODULE_big = wa_apikeys
OBJS = wa_apikeys.o $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/common/*.c)))
# Updates are schema/updates/OLD--NEW.sql.
UPDATES := $(patsubst schema/updates/%,wa_apikeys--%,$(sort $(wildcard schema/updates/*.sql)))
DATA_built = wa_apikeys--1.0.sql $(UPDATES)
EXTRA_CLEAN = $(DATA_built)

PG_CONFIG ?= pg_config

# PostgreSQL's own headers are no business of these warnings.
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server 2>/dev/null) -I$(CURDIR)
# Unused parameters belong to the calling convention of hooks and functions.
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Werror -Wmissing-prototypes \
	-Wstrict-prototypes -Wundef -Wformat=2 -Wshadow \
	-Wno-unused-parameter -Wno-declaration-after-statement
# ICU is what the server compares and sorts by.
SHLIB_LINK = -lcrypto -licui18n -licuuc -lidn2

# Bitcode for the JIT would double the build and inline nothing that matters.
override with_llvm = no
# scripts/installcheck brings its own server.
NO_INSTALLCHECK = 1
# What has to run in this order; scripts/installcheck appends all other tests.
REGRESS = init secret permissions ids keys context isolation plans oracles expiry \
	seal messages sessions deleted content limits actions conversations webhooks events deliveries signing targets pages search people sign_in user_tokens ended names tickets numbers usage protect needs leaks partitions strangers privileges claims org_limits find_key key_sessions uninstall
# On a fresh machine there is no PGXS before `make run` or `make test` has
# installed it; then only the targets that are scripts work.
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifneq ($(PGXS),)
include $(PGXS)
all: gateway
clean: clean-gateway
else
all install clean:
	@echo "make $@ needs PostgreSQL's server headers: scripts/install-packages run" >&2; exit 1
endif

# PGXS does not follow includes.
$(OBJS): $(wildcard src/*.h src/common/*.h)

STATEMENTS := $(sort $(wildcard gateway/statements/*/*.sql))
SCHEMA := $(sort $(wildcard schema/*.sql))
# A file that is taken away changes its folder.
FOLDERS := schema $(sort $(wildcard gateway/statements/*))

# The install script: the parts of schema/ in order, then the statements that
# the sealed roles may run.  Every script begins with what pins its search path.
wa_apikeys--1.0.sql: $(SCHEMA) $(STATEMENTS) $(FOLDERS) scripts/statements scripts/extension-script
	@{ scripts/extension-script head 1.0 && cat $(filter schema/%,$(SCHEMA)) && scripts/statements sql; } > $@.tmp && \
		scripts/extension-script check $@.tmp && mv $@.tmp $@

wa_apikeys--%.sql: schema/updates/%.sql scripts/extension-script
	@{ scripts/extension-script head $* && cat $<; } > $@.tmp && scripts/extension-script check $@.tmp && mv $@.tmp $@

gateway:
	$(MAKE) -C gateway
clean-gateway:
	$(MAKE) -C gateway clean

# Tests: all of them, or one kind.
test:
	scripts/test
# What tests need beside what `make run` has installed.
packages:
	scripts/install-packages run test
installcheck: all
	REGRESS="$(REGRESS)" scripts/installcheck
installcheck-asan: packages
	scripts/installcheck-instrumented asan
installcheck-valgrind: packages
	scripts/installcheck-instrumented valgrind
unit: packages
	$(MAKE) -C gateway unit
unit-asan: packages
	$(MAKE) -C gateway unit-asan
# make fuzz [FUZZ_RUNS=n] [FUZZ_SECONDS=n for each target]
fuzz: packages
	$(MAKE) -C gateway fuzz
e2e: packages
	scripts/e2e
# What an attacker does with a login of a program and the protocol in his hands.
attack: packages
	scripts/e2e attack
e2e-asan: packages
	scripts/e2e e2e sanitized
# make connector-test [CONNECTOR="cmd"] [FAR_SIDE=module.mjs]: whether a connector keeps to
# docs/connectors.md; by default the sandbox.
connector-test: packages
	CONNECTOR='$(subst ','\'',$(value CONNECTOR))' FAR_SIDE='$(FAR_SIDE)' TESTS=gateway/tests/connector/conformance.test.mjs scripts/e2e connector

browser: packages
	scripts/browser
# Other releases of PostgreSQL, in Debian roots of their own; takes root.
test-versions:
	scripts/test-versions $(RELEASES)

# make run [DETACH=1] [PORT=n] [WA_RUN_DIR=folder], make stop
run:
	@scripts/run
stop:
	@scripts/stop

# make bench [BENCH="GROUP ..."] [ROUNDS=n] [JSON=FILE] [QUICK=yes]
bench:
	scripts/install-packages run bench
	scripts/bench/run

format: packages
	scripts/format
check-style: packages
	scripts/check-style
analyze: packages
	scripts/analyze

.PHONY: packages gateway clean-gateway test installcheck unit unit-asan fuzz e2e attack connector-test browser test-versions run stop bench format check-style analyze e2e-asan installcheck-asan installcheck-valgrind
