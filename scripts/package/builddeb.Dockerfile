# What builds the Debian package, for `make builddeb-docker`.
FROM debian:bookworm
RUN apt-get update && apt-get install -y --no-install-recommends build-essential devscripts equivs
WORKDIR /dumb-init
COPY debian/control debian/control
RUN mk-build-deps --install --remove --tool 'apt-get -y --no-install-recommends' debian/control
COPY . .
