# No entrypoint: the script names dumb-init in its first line.
FROM busybox
COPY build/dumb-init /usr/bin/dumb-init
COPY test/container/images/two-part-service /usr/local/bin/two-part-service
CMD ["two-part-service"]
