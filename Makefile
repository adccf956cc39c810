# dumb-init: `make` builds build/dumb-init, `make run` shows it at work, `make test` tests it all.

# What is built, and on what: x86_64 or aarch64. `make ARCH=aarch64` builds build/aarch64/dumb-init
# on either, with Debian's cross compiler; build/dumb-init is the machine's own.
MACHINE := $(shell uname -m)
ARCH := $(MACHINE)
OUT := build/$(ARCH)
OTHER := $(filter-out $(MACHINE),x86_64 aarch64)
# The npm registry's word for an architecture.
CPU.x86_64 := x64
CPU.aarch64 := arm64
# And Debian's.
DEB.x86_64 := amd64
DEB.aarch64 := arm64

# The Node that runs the scripts, and where the Node and the addon that are shipped come from.
NODE := node_modules/node-linux-$(CPU.$(MACHINE))/bin/node
ifeq ($(ARCH),$(MACHINE))
  MODULES := node_modules
else
  MODULES := $(OUT)/node_modules
  CROSS := $(ARCH)-linux-gnu-
endif
SHIPPED_NODE := $(MODULES)/node-linux-$(CPU.$(ARCH))/bin/node
ADDON := $(MODULES)/@yuuang/ffi-rs-linux-$(CPU.$(ARCH))-gnu/ffi-rs.linux-$(CPU.$(ARCH))-gnu.node

# CC compiles src/image, which needs no libc: CC=clang and CC=musl-gcc work too.
ifeq ($(origin CC),default)
  CC := $(CROSS)gcc
endif
# Where the shared libraries are looked up, whatever compiles src/image. Those of the other architecture
# are out of Debian's packages for it: what comes with a cross compiler gets no security updates.
DEBIAN := $(OUT)/debian
DEBIAN_FOLDERS := $(foreach package,libc6 libgcc-s1,$(package)/lib) $(foreach package,libstdc++6 libatomic1,$(package)/usr/lib)
LIBRARY_CC := $(CROSS)gcc $(if $(CROSS),$(DEBIAN_FOLDERS:%=-B$(CURDIR)/$(DEBIAN)/%/$(ARCH)-linux-gnu))
STRIP := $(CROSS)strip

CFLAGS := -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-builtin -fno-stack-protector -fno-asynchronous-unwind-tables
# Between Node's fixed addresses and those of its libraries; scripts/build/pack.ts puts the headers before it.
THAW_BASE := 0x20000000
HEADERS_AT := 0x1fff0000

# Installs missing Debian packages when run as root, else names them.
#   $(call need,PACKAGES)
need = @missing=$$(for package in $(1); do \
	  dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q ' installed$$' || echo $$package; \
	done); \
	if [ "$$missing" ]; then \
	  if [ $$(id -u) -ne 0 ]; then echo "missing Debian packages:" $$missing >&2; exit 1; fi; \
	  apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy -o DPkg::Lock::Timeout=300 install --no-install-recommends $$missing; \
	fi

# Where the machine's packages of Debian come from, as lines of a sources.list.
DEBIAN_SOURCES := apt-get indextargets --format 'deb $$(REPO_URI) $$(CODENAME) $$(COMPONENT)' 'Identifier: Packages' 'Origin: Debian'

.DELETE_ON_ERROR:
.PHONY: all
all: $(if $(filter $(ARCH),$(MACHINE)),build/dumb-init,$(OUT)/dumb-init)

# Node modules come by the machine's npm; everything after that runs on the Node that is shipped.
# npm takes optional packages that it can't have for absent: then it is make that stops.
node_modules/.package-lock.json: package.json package-lock.json .npmrc
	npm ci
	test -x $(NODE)
	touch $@
$(NODE): node_modules/.package-lock.json

ifneq ($(ARCH),$(MACHINE))
# The same lock file serves the other architecture, of which only what is shipped is needed.
$(MODULES)/.package-lock.json: package.json package-lock.json .npmrc
	mkdir -p $(OUT)
	cp package.json package-lock.json .npmrc $(OUT)
	npm ci --prefix $(OUT) --omit=dev --os=linux --cpu=$(CPU.$(ARCH)) --libc=glibc
	test -f $(SHIPPED_NODE)
	touch $@
$(SHIPPED_NODE): $(MODULES)/.package-lock.json

# From where the machine's own packages come from, with a state of apt's that is not the machine's.
$(DEBIAN)/packages: | $(OUT)
	rm -rf $(DEBIAN) && mkdir -p $(DEBIAN)/apt/lists/partial
	$(DEBIAN_SOURCES) > $(DEBIAN)/apt/sources
	printf '%s;\n' 'APT::Architecture "$(DEB.$(ARCH))"' 'APT::Architectures "$(DEB.$(ARCH))"' 'Dir::State "$(CURDIR)/$(DEBIAN)/apt"' \
	  'Dir::State::Status "/dev/null"' 'Dir::Cache "$(CURDIR)/$(DEBIAN)/apt"' 'APT::Sandbox::User ""' \
	  'Dir::Etc::SourceList "$(CURDIR)/$(DEBIAN)/apt/sources"' 'Dir::Etc::SourceParts "/dev/null"' > $(DEBIAN)/apt/config
	cd $(DEBIAN)/apt && APT_CONFIG=config && export APT_CONFIG && \
	  apt-get -q update && apt-get -q download $(notdir $(patsubst %/usr,%,$(DEBIAN_FOLDERS:%/lib=%)))
	for package in $(DEBIAN)/apt/*.deb; do \
	  dpkg-deb --raw-extract $$package $(DEBIAN)/$$(dpkg-deb --field $$package Package) || exit; \
	done
	basename -a $(DEBIAN)/apt/*.deb > $@
	rm -r $(DEBIAN)/apt
$(OUT)/libraries.txt: $(DEBIAN)/packages
endif
$(ADDON): $(MODULES)/.package-lock.json

build $(OUT):
	mkdir -p $@

build/main.cjs: scripts/build/bundle.ts package.json $(wildcard src/*.ts src/*/*.ts) $(NODE) | build
	$(NODE) scripts/build/bundle.ts

# Without a snapshot or a code cache the blob is the same for both architectures.
build/sea.blob: sea-config.json build/main.cjs $(NODE)
	$(NODE) --experimental-sea-config sea-config.json

$(OUT)/node: $(addprefix scripts/build/,prepare.ts clock.ts elf.ts) $(SHIPPED_NODE) | $(OUT)
	$(STRIP) --strip-all -o $@ $(SHIPPED_NODE)
	$(NODE) scripts/build/prepare.ts $(CROSS)objdump $(SHIPPED_NODE) $@

SEA_BLOB := build/sea.blob
$(OUT)/node-sea: scripts/build/inject.ts $(OUT)/node $(SEA_BLOB)
	$(NODE) scripts/build/inject.ts $(OUT)/node $(SEA_BLOB) $@

# In one segment, so that no damage to its headers can part its code from its words.
$(OUT)/thaw: src/image/thaw.c $(wildcard src/image/*.h) Makefile | $(OUT)
	$(CC) $(CFLAGS) -fno-pie -static -nostdlib -Wl,-Ttext-segment=$(THAW_BASE) -Wl,--defsym=file_start=$(HEADERS_AT) \
	  -Wl,-z,noexecstack -Wl,-z,noseparate-code -Wl,-z,max-page-size=0x10000 -Wl,--build-id=none -o $@ $<

$(OUT)/guard.so: src/image/guard.c
$(OUT)/stage.so: $(wildcard src/image/stage/*)
$(OUT)/guard.so $(OUT)/stage.so: $(OUT)/%.so: $(wildcard src/image/*.h) Makefile | $(OUT)
	$(CC) $(CFLAGS) -fvisibility=hidden -fPIC -shared -nostdlib -Wl,-soname,$*.so -Wl,-z,noexecstack -Wl,-z,relro \
	  -Wl,-z,now -Wl,-z,max-page-size=0x10000 -Wl,--build-id=none -o $@ $(filter %.c,$^)

$(OUT)/libraries.txt: $(addprefix scripts/build/,libraries.ts elf.ts) $(SHIPPED_NODE) $(ADDON) | $(OUT)
	$(NODE) scripts/build/libraries.ts '$(LIBRARY_CC)' $(SHIPPED_NODE) $(ADDON) > $@

# The application boots, is rehearsed and frozen: the process, as it was then.
$(OUT)/frozen/memory: $(addprefix scripts/,platforms.ts $(addprefix build/,freeze.ts clock.ts layout.ts elf.ts)) $(OUT)/node-sea $(OUT)/stage.so $(OUT)/guard.so $(ADDON) $(OUT)/libraries.txt
	$(call need,qemu-user-static)
	$(NODE) scripts/build/freeze.ts $(ARCH) $(CROSS)objdump $(OUT)/node-sea $(OUT)/stage.so $(OUT)/guard.so $(ADDON) $(OUT)/frozen \
	  $$(cat $(OUT)/libraries.txt)

$(OUT)/dumb-init: $(addprefix scripts/build/,pack.ts amend.ts dump.ts elf.ts file.ts hot.ts layout.ts loaded.ts segments.ts trim.ts zva.ts) src/libc/frozen-layout.ts \
  $(OUT)/frozen/memory $(OUT)/thaw
	$(NODE) scripts/build/pack.ts $(OUT)/frozen $(OUT)/thaw $(SHIPPED_NODE) $@ $(OUT)/frozen/dumb-init \
	  $(OUT)/frozen/root/*.so $(OUT)/frozen/root/ffi-rs.node $(OUT)/frozen/root/lib/*

build/dumb-init: build/$(MACHINE)/dumb-init
	ln -f $< $@

# An architecture other than ARCH is another make, which is always asked whether there is anything to do.
ifeq ($(ARCH),$(MACHINE))
.PHONY: ask
build/$(OTHER)/dumb-init: build/sea.blob ask | cross-packages
	+@$(MAKE) --no-print-directory ARCH=$(OTHER) CC=$(OTHER)-linux-gnu-gcc $@
endif

# `make run` shows it as PID 1 of an empty root; `make run CMD="…"` runs a command of yours there.
.PHONY: run
run: build/dumb-init
	$(call need,busybox-static $$([ $$(id -u) -ne 0 ] || echo runc))
	@$(NODE) scripts/run.ts $(if $(CMD),'$(subst ','\'',$(CMD))')

include scripts/package/packaging.mk

# --- tests ---------------------------------------------------------------------------------------

FIXTURES := $(patsubst test/fixtures/%.c,build/test/%,$(wildcard test/fixtures/*.c))
build/test/layout: $(wildcard src/image/*.h)
build/test/%: test/fixtures/%.c
	mkdir -p build/test
	$(LIBRARY_CC) -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -static -o $@ $(filter %.c,$^)

# What the tests need of Debian, beyond Node, npm, make and gcc.
TEST_PACKAGES := busybox-static catatonit daemontools dumb-init golang-github-containers-common podman python3-minimal runc strace supervisor tini

.PHONY: test-packages
test-packages:
	$(call need,$(TEST_PACKAGES) $(if $(PACKAGING_TESTS),$(PACKAGING_PACKAGES)))

# The roots of container images, as none can be pulled: busybox with all its names, and a small Debian
# out of the packages on this machine.
IMAGES := build/test/busybox.tar build/test/debian.tar
build/test/busybox.tar: | test-packages
	rm -rf build/test/busybox && mkdir -p build/test/busybox/bin && cp /bin/busybox build/test/busybox/bin/
	for name in $$(busybox --list | grep -vx busybox); do ln -s busybox build/test/busybox/bin/$$name; done
	tar -C build/test/busybox -cf $@ bin && rm -r build/test/busybox
build/test/debian.tar: | test-packages
	mkdir -p build/test
	apt-cache depends --recurse --important --installed bash coreutils dash python3-minimal | grep '^[a-z]' | sort -u | \
	  xargs dpkg -L | sed -E '\,^[^/]|^/usr/share/(doc|info|locale|man),d; s,^/(bin|lib|lib64|sbin)/,/usr/\1/,; s,^/,,' | \
	  sort -u | tar --no-recursion -C / -cf $@ -T -

# Docker's seccomp profile, from Debian's package of its source; Podman's is installed with podman.
SECCOMP := build/test/docker-seccomp.json
$(SECCOMP):
	rm -rf $@.deb && mkdir -p $@.deb
	cd $@.deb && apt-get -q download golang-github-docker-docker-dev
	dpkg-deb --fsys-tarfile $@.deb/*.deb | tar --extract --to-stdout --wildcards '*/docker/profiles/seccomp/default.json' > $@
	rm -r $@.deb

# The tests run in a PID namespace with Debian's dumb-init as its PID 1: it reaps what a test leaves,
# and whatever should still run at the end is killed with it.
IN_NAMESPACE := unshare $$([ $$(id -u) -eq 0 ] || echo --user --map-root-user) --pid --fork --mount-proc --kill-child dumb-init

# `make test TESTS=test/unit/*` runs some; `make torture` tries harder.
TESTS := $(wildcard $(foreach folder,unit e2e parity container kernel packaging torture,test/$(folder)/*.test.ts))
TEST_TIMEOUT := 900
PACKAGING_TESTS = $(filter test/packaging/%,$(TESTS))
KERNEL_TESTS = $(filter test/kernel/%,$(TESTS))
.PHONY: test
test: test-packages build/dumb-init $(FIXTURES) $(IMAGES) $(SECCOMP) $(if $(KERNEL_TESTS),kernel-tests) $(if $(PACKAGING_TESTS),packaging-tests)
	$(IN_NAMESPACE) \
	  $(NODE) node_modules/.bin/tap run --jobs=2 --timeout=$(TEST_TIMEOUT) --disable-coverage --allow-empty-coverage \
	  --reporter=tap $(TESTS) > build/test/results.tap; \
	$(NODE) scripts/test-summary.ts < build/test/results.tap

.PHONY: torture reliability
# What an init has to bear, in full (about 10 minutes), and its figures in
# docs/reliability.md.
torture:
	rm -f build/test/figures.txt
	TORTURE=full $(MAKE) test TEST_TIMEOUT=3600 TESTS='$(wildcard test/torture/*.test.ts)'
	@sort -s -k1,1 -t '	' build/test/figures.txt
reliability:
	$(NODE) scripts/reliability.ts

# The long run: an hour, or SOAK=seconds. SEED=n repeats one.
.PHONY: soak
soak: test-packages build/dumb-init $(FIXTURES)
	$(IN_NAMESPACE) \
	  $(NODE) test/torture/soak.ts

# --- kernels: real ones, emulated, with dumb-init as their init -----------------------------------

KERNEL_PACKAGES := cpio qemu-system-arm qemu-system-x86 qemu-user-static
# Each is called SUITE-FLAVOUR: a release of Debian, and its kernel package without `linux-image-`.
# With KERNELS=full in the environment all are booted, else those of one release.
KERNEL_IMAGES := $(addprefix build/test/kernels/,bookworm-amd64 bookworm-arm64 \
  $(if $(filter full,$(KERNELS)),bullseye-amd64 trixie-amd64 trixie-arm64-16k))

# From where the machine's own packages come from, with a state of apt's that is not the machine's.
build/test/kernels/%: SUITE = $(firstword $(subst -, ,$*))
build/test/kernels/%: FLAVOUR = $(*:$(SUITE)-%=%)
build/test/kernels/%: DEB_ARCH = $(firstword $(subst -, ,$(FLAVOUR)))
build/test/kernels/%:
	rm -rf $@.apt && mkdir -p $@.apt/lists/partial
	$(DEBIAN_SOURCES) | sort -u | sed -n 's,^deb \(.*\) [a-z]* main$$,deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \1 $(SUITE) main,p' > $@.apt/sources
	printf '%s;\n' 'APT::Architecture "$(DEB_ARCH)"' 'APT::Architectures "$(DEB_ARCH)"' 'Dir::State "$(CURDIR)/$@.apt"' \
	  'Dir::State::Status "/dev/null"' 'Dir::Cache "$(CURDIR)/$@.apt"' 'APT::Sandbox::User ""' \
	  'Dir::Etc::SourceList "$(CURDIR)/$@.apt/sources"' 'Dir::Etc::SourceParts "/dev/null"' > $@.apt/config
	cd $@.apt && APT_CONFIG=config && export APT_CONFIG && apt-get -q update && \
	  apt-get -q download $$(apt-cache --no-all-versions show linux-image-$(FLAVOUR) | sed -n 's/^Depends: \([^ ]*\).*/\1/p')
	dpkg-deb --fsys-tarfile $@.apt/*.deb | tar --extract --to-stdout --wildcards './boot/vmlinuz-*' > $@
	rm -r $@.apt

# What runs in the emulated machines.
MACHINES := $(foreach architecture,x86_64 aarch64,build/$(architecture)/test/machine)
$(MACHINES): build/%/test/machine: test/fixtures/machine.c | cross-packages
	mkdir -p $(@D)
	$*-linux-gnu-gcc -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -static -o $@ $<

.PHONY: kernel-packages kernel-tests test-kernels
kernel-packages:
	$(call need,$(KERNEL_PACKAGES))
kernel-tests: kernel-packages build/x86_64/dumb-init build/aarch64/dumb-init $(KERNEL_IMAGES) $(MACHINES)

# Every kernel with two processors each (about 8 minutes).
test-kernels:
	KERNELS=full $(MAKE) test TEST_TIMEOUT=3600 TESTS='$(wildcard test/kernel/*.test.ts)'

# --- what it costs -------------------------------------------------------------------------------

build/bench/probe: scripts/bench/probe.c
	mkdir -p build/bench
	$(LIBRARY_CC) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -o $@ $<

# The floor: another program frozen in place of src/run.ts. All else is the product's own, and made by the same rules.
build/bench/%/dumb-init: scripts/bench/%.ts sea-config.json build/dumb-init
	mkdir -p $(@D)
	$(NODE) scripts/build/bundle.ts $(@D)/main.cjs $<
	sed 's,build/,$(@D)/,' sea-config.json > $(@D)/sea-config.json
	$(NODE) --experimental-sea-config $(@D)/sea-config.json
	cp -p $(addprefix $(OUT)/,node thaw stage.so guard.so libraries.txt) $(@D)
	$(MAKE) SEA_BLOB=$(@D)/sea.blob OUT=$(@D) $@
	rm -r $(addprefix $(@D)/,node node-sea frozen)
FLOOR := build/bench/forwarder/dumb-init

# Beside its peers and the shipped Node, in under 15 minutes; BENCH=quick in two.
.PHONY: bench
bench: build/dumb-init $(FLOOR) build/bench/probe $(NODE)
	$(call need,catatonit dumb-init strace tini xz-utils)
	$$([ $$(id -u) -eq 0 ] || echo unshare --user --map-root-user) \
	  $(NODE) scripts/bench/bench.ts build/dumb-init $(NODE) build/bench/probe $(FLOOR)

# The figures and the picture of the last full run into docs/performance.md.
.PHONY: bench-docs
bench-docs:
	cp build/bench/bench.svg docs/bench.svg
	sed -i -e '/<!-- figures -->/,/<!-- .figures -->/{//!d}' -e '/<!-- figures -->/r build/bench/table.md' docs/performance.md
	$(MAKE) format

.PHONY: check format
# Formatter, linter, types and the house rules.
check: $(NODE)
	$(NODE) node_modules/.bin/biome check .
	$(NODE) node_modules/.bin/tsc
format: $(NODE)
	$(NODE) node_modules/.bin/biome check --write .

.PHONY: audit
# Whether the registry has signed every dependency.
audit:
	npm audit signatures

.PHONY: clean
clean:
	rm -rf build
