# The entrypoint is the base image's.
FROM base
COPY test/container/images/my-server /usr/local/bin/my-server
CMD ["my-server"]
