# An empty image: dumb-init brings all that it needs along.
FROM scratch
COPY build/dumb-init /dumb-init
COPY build/test/signals /signals
ENTRYPOINT ["/dumb-init", "--"]
CMD ["/signals", "1"]
