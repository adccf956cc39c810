# The bare executable. With a network: ADD --chmod=755 --checksum=sha256:… https://… /usr/local/bin/dumb-init
FROM debian:stable-slim
COPY --chmod=755 build/dist/dumb-init_*_x86_64 /usr/local/bin/dumb-init
ENTRYPOINT ["/usr/local/bin/dumb-init", "--"]
CMD ["sh", "-c", "exit 7"]
