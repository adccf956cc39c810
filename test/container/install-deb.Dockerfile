# The package, by dpkg.
FROM debian:stable-slim
COPY build/dist/dumb-init_*_amd64.deb /tmp/
RUN dpkg -i /tmp/dumb-init_*.deb && rm /tmp/dumb-init_*.deb
ENTRYPOINT ["/usr/bin/dumb-init", "--"]
CMD ["sh", "-c", "exit 7"]
