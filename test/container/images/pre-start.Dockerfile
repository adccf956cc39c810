# Something to do before the server takes the shell's place.
FROM debian
COPY build/dumb-init /usr/bin/dumb-init
COPY test/container/images/do-some-pre-start-thing /usr/local/bin/do-some-pre-start-thing
COPY test/container/images/my-server /usr/local/bin/my-server
ENTRYPOINT ["/usr/bin/dumb-init", "--"]
CMD ["bash", "-c", "do-some-pre-start-thing && exec my-server"]
