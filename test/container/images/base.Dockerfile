# A base image: what is built on it runs under dumb-init without another word.
FROM busybox
COPY build/dumb-init /usr/bin/dumb-init
ENTRYPOINT ["/usr/bin/dumb-init", "--"]
