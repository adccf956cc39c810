# dpkg: the package lies beside the Dockerfile.
FROM debian:stable-slim
RUN --mount=type=bind,source=dumb-init_2.0.0_amd64.deb,target=/dumb-init.deb dpkg -i /dumb-init.deb
ENTRYPOINT ["dumb-init", "--"]
