# From the image that holds nothing else; its name in a registry, where one has it.
ARG VERSION=2.0.0
FROM oci-archive:build/dist/dumb-init_${VERSION}.oci.tar AS dumb-init
FROM debian:stable-slim
COPY --from=dumb-init /dumb-init /usr/bin/dumb-init
ENTRYPOINT ["/usr/bin/dumb-init", "--"]
CMD ["sh", "-c", "exit 7"]
