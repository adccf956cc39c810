# --- packaging: what it is installed from, for both architectures --------------------------------

# What building for the other architecture needs of Debian.
CROSS_PACKAGES := gcc-$(subst _,-,$(OTHER))-linux-gnu libc6-dev-$(DEB.$(OTHER))-cross \
  libstdc++6-$(DEB.$(OTHER))-cross libatomic1-$(DEB.$(OTHER))-cross
.PHONY: cross-packages
cross-packages:
	$(call need,$(CROSS_PACKAGES))

# What test/packaging needs: of Debian, and of make.
PACKAGING_PACKAGES := qemu-user-static
.PHONY: packaging-tests
packaging-tests: build/$(OTHER)/dumb-init
