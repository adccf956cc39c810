# A server that wants QUIT for an orderly end, where the platform sends INT.
FROM base
COPY build/test/signals /usr/local/bin/signals
ENTRYPOINT ["dumb-init", "--rewrite", "2:3", "--"]
CMD ["signals", "2"]
