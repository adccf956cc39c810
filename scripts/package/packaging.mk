# --- packaging: what it is installed from, for one architecture (ARCH) or for both ----------------

VERSION := $(shell sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)
# Whatever is made bears the date of the release, so that making it again gives the same bytes.
export SOURCE_DATE_EPOCH := $(shell date --date="$$(sed -n 's/^ -- .*>  //p;T;q' debian/changelog)" +%s)
export TZ := UTC
DIST := build/dist
DOC := build/doc

# What building for the other architecture needs of Debian.
.PHONY: cross-packages
cross-packages:
	$(call need,gcc-$(subst _,-,$(OTHER))-linux-gnu libc6-dev-$(DEB.$(OTHER))-cross)

$(DIST):
	mkdir -p $@

# Man page and completions.
$(DOC)/dumb-init.1: scripts/package/documents.ts docs/dumb-init.1.in src/option-table.ts src/signals.ts src/values.ts package.json debian/changelog $(NODE)
	$(NODE) scripts/package/documents.ts $(DOC)

# Whose work is in the executable, with the licences in full: the same for both architectures.
$(DOC)/NOTICES: debian/copyright $(NODE)
	mkdir -p $(DOC)
	cat debian/copyright $(dir $(NODE))../LICENSE /usr/share/common-licenses/LGPL-2.1 \
	  /usr/share/common-licenses/GPL-3 > $@

.PHONY: documents
documents: $(DOC)/dumb-init.1 $(DOC)/NOTICES

.PHONY: built-using
built-using: $(OUT)/libraries.txt
	$(NODE) scripts/package/components.ts built-using $<

# By the GNU conventions: `make install PREFIX=/usr DESTDIR=…`
PREFIX := /usr/local
INSTALL := install
SHARE = $(DESTDIR)$(PREFIX)/share
.PHONY: install
install: $(OUT)/dumb-init $(DOC)/dumb-init.1
	$(INSTALL) -D $(OUT)/dumb-init $(DESTDIR)$(PREFIX)/bin/dumb-init
	$(INSTALL) -D -m 644 $(DOC)/dumb-init.1 $(SHARE)/man/man1/dumb-init.1
	$(INSTALL) -D -m 644 $(DOC)/dumb-init.bash $(SHARE)/bash-completion/completions/dumb-init
	$(INSTALL) -D -m 644 $(DOC)/_dumb-init $(SHARE)/zsh/vendor-completions/_dumb-init
	$(INSTALL) -D -m 644 $(DOC)/dumb-init.fish $(SHARE)/fish/vendor_completions.d/dumb-init.fish

# --- for one architecture ---
# `debian/rules binary` and not dpkg-buildpackage, which would write beside this folder and ask for
# Debian's own npm. `dpkg-buildpackage -b` works too.
DEBIAN_PACKAGE := $(DIST)/dumb-init_$(VERSION)_$(DEB.$(ARCH)).deb
$(DEBIAN_PACKAGE): $(OUT)/dumb-init $(DOC)/dumb-init.1 $(DOC)/NOTICES $(wildcard debian/*) | $(DIST)
	$(call need,debhelper)
	env -u CC -u MAKEFLAGS DEB_RULES_REQUIRES_ROOT=no DEB_DESTINATION=$(DIST) \
	  dpkg-architecture --host-arch $(DEB.$(ARCH)) --force --command debian/rules binary
	rm -rf debian/.debhelper debian/debhelper-build-stamp debian/dumb-init debian/dumb-init.substvars \
	  debian/dumb-init.*debhelper* debian/files
.PHONY: builddeb
builddeb: $(DEBIAN_PACKAGE)

WHEEL := $(DIST)/dumb_init-$(VERSION)-py3-none-manylinux2014_$(ARCH).manylinux_2_17_$(ARCH).musllinux_1_1_$(ARCH).whl
$(WHEEL): scripts/package/wheel.ts scripts/platforms.ts $(OUT)/dumb-init $(DOC)/NOTICES README.md LICENSE | $(DIST)
	$(NODE) scripts/package/wheel.ts $(ARCH) $(OUT)/dumb-init $(DOC)/NOTICES $(DIST)
.PHONY: wheel
wheel: $(WHEEL)

NPM_PLATFORM := $(DIST)/dumb-init-linux-$(CPU.$(ARCH))-$(VERSION).tgz
$(NPM_PLATFORM): scripts/package/npm.ts scripts/platforms.ts $(OUT)/dumb-init $(DOC)/NOTICES README.md LICENSE | $(DIST)
	$(NODE) scripts/package/npm.ts $(OUT)/npm platform $(ARCH) $(OUT)/dumb-init $(DOC)/NOTICES
	npm pack --silent --pack-destination $(DIST) ./$(OUT)/npm
NPM_MAIN := $(DIST)/dumb-init-$(VERSION).tgz
$(NPM_MAIN): scripts/package/npm.ts scripts/platforms.ts scripts/package/npm-dumb-init package.json README.md LICENSE | $(DIST)
	$(NODE) scripts/package/npm.ts build/npm main
	npm pack --silent --pack-destination $(DIST) ./build/npm
.PHONY: npm-packages
npm-packages: $(NPM_PLATFORM) $(NPM_MAIN)

BINARY := $(DIST)/dumb-init_$(VERSION)_$(ARCH)
$(BINARY): $(OUT)/dumb-init | $(DIST)
	ln -f $< $@

SBOM := $(BINARY).cdx.json
$(SBOM): scripts/package/components.ts $(OUT)/dumb-init $(OUT)/libraries.txt | $(DIST)
	$(NODE) scripts/package/components.ts sbom $(OUT)/dumb-init $(OUT)/libraries.txt \
	  $(MODULES)/node-linux-$(CPU.$(ARCH)) $(dir $(ADDON)) > $@

.PHONY: artefacts
artefacts: $(BINARY) $(SBOM) $(DEBIAN_PACKAGE) $(WHEEL) $(NPM_PLATFORM) $(NPM_MAIN)

# --- for both ---
# What both would make, or make in the same folder, is made before.
.PHONY: artefacts-of-the-other
artefacts-of-the-other: build/$(OTHER)/dumb-init $(DEBIAN_PACKAGE) $(NPM_MAIN)
	+$(MAKE) ARCH=$(OTHER) CC=$(OTHER)-linux-gnu-gcc artefacts

IMAGE := $(DIST)/dumb-init_$(VERSION).oci.tar
TAR := tar --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mode=go=rX,u=rwX
$(IMAGE): scripts/package/image.ts scripts/platforms.ts $(DOC)/NOTICES build/x86_64/dumb-init build/aarch64/dumb-init | $(DIST)
	$(NODE) scripts/package/image.ts build/image $(DOC)/NOTICES \
	  x86_64=build/x86_64/dumb-init aarch64=build/aarch64/dumb-init
	$(TAR) --mtime=@$$SOURCE_DATE_EPOCH --create --file $@ --directory build/image .
.PHONY: image
image: $(IMAGE)

# The README, in whose Dockerfile the checksum is.
$(DIST)/README.md: README.md build/x86_64/dumb-init | $(DIST)
	sed "s/^ARG SHA256$$/&=$$(sha256sum build/x86_64/dumb-init | cut -d ' ' -f 1)/" $< > $@

# Everything that a release consists of, with its checksums, in build/dist.
.PHONY: release
release: artefacts artefacts-of-the-other image $(DIST)/README.md
	cd $(DIST) && LC_ALL=C sha256sum $$(ls | grep -Fv -e sha256sums -e .tmp) > sha256sums
	@cat $(DIST)/sha256sums

# Two releases, each from a clean clone at a path, with a umask and at a time of its own, are the same.
.PHONY: reproducible
reproducible:
	rm -rf build/reproducible
	for clone in 022/one 077/at/another/path; do \
	  (umask $${clone%%/*} && git clone -q . build/reproducible/$$clone && \
	    env -u MAKEFLAGS $(MAKE) -C build/reproducible/$$clone release) || exit; \
	done
	cd build/reproducible && diff 022/one/build/dist/sha256sums 077/at/another/path/build/dist/sha256sums
	rm -r build/reproducible

# An apt repository of the .deb files in build/dist, in build/apt: to be served as it is.
# `make apt-repo APT_KEY=ID` signs it with that key of gpg's, and puts the public one beside it, key.gpg.
APT := build/apt
DEBS := $(DEB.x86_64) $(DEB.aarch64)
.PHONY: apt-repo
apt-repo: builddeb
	$(call need,apt-utils)
	rm -rf $(APT)
	mkdir -p $(APT)/pool $(foreach deb,$(DEBS),$(APT)/dists/stable/main/binary-$(deb))
	ln -f $(DIST)/*.deb $(APT)/pool
	cd $(APT) && for deb in $(DEBS); do \
	  apt-ftparchive --arch $$deb packages pool > dists/stable/main/binary-$$deb/Packages && \
	  gzip -9nk dists/stable/main/binary-$$deb/Packages || exit; \
	done
	apt-ftparchive -o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=stable \
	  -o APT::FTPArchive::Release::Origin=dumb-init -o APT::FTPArchive::Release::Label=dumb-init \
	  -o APT::FTPArchive::Release::Components=main -o 'APT::FTPArchive::Release::Architectures=$(DEBS)' \
	  release $(APT)/dists/stable > $(APT)/Release
	mv $(APT)/Release $(APT)/dists/stable
ifdef APT_KEY
	gpg --batch --yes --local-user $(APT_KEY) --armor --clearsign --output $(APT)/dists/stable/InRelease \
	  $(APT)/dists/stable/Release
	gpg --batch --yes --local-user $(APT_KEY) --armor --detach-sign --output $(APT)/dists/stable/Release.gpg \
	  $(APT)/dists/stable/Release
	gpg --batch --yes --output $(APT)/key.gpg --export $(APT_KEY)
	@echo '$(APT) is signed with $(APT_KEY).'
else
	@echo '$(APT) is NOT signed: apt refuses it unless its line says [trusted=yes]. APT_KEY=ID signs it.'
endif

# The package, built in a container: for those who have Docker, whatever their machine.
.PHONY: builddeb-docker
builddeb-docker:
	docker build --tag dumb-init-build --file scripts/package/builddeb.Dockerfile .
	docker run --rm --volume "$$PWD/build/docker:/dumb-init/build/dist" dumb-init-build make builddeb
	@ls build/docker

# --- tests of all that ---
PACKAGING_PACKAGES := apt-utils bash-completion binutils clang debhelper fish gpg gpg-agent lintian man-db mmdebstrap \
  musl-tools python3-venv qemu-user-static zsh
DEBIANS_OWN := build/debian/dumb-init_1.2.5-2_$(DEB.$(MACHINE)).deb
.PHONY: packaging-tests
packaging-tests: release build/debian/root/etc/debian_version $(DEBIANS_OWN)

# A minimal Debian from where the machine's own packages come from, and Debian's own dumb-init.
build/debian:
	mkdir -p $@
build/debian/root/etc/debian_version: | build/debian
	$(call need,mmdebstrap)
	rm -rf build/debian/root
	$(DEBIAN_SOURCES) > build/debian/sources
	mmdebstrap --quiet --variant=minbase --include=libatomic1,python3-venv --aptopt='Dir::Etc::Parts "/etc/apt/apt.conf.d"' \
	  $$(. /etc/os-release; echo $$VERSION_CODENAME) build/debian/root build/debian/sources
$(DEBIANS_OWN): | build/debian
	cd build/debian && apt-get download dumb-init=1.2.5-2
