# One dumb-init under another, as where base image and platform each bring one.
FROM base
COPY build/test/signals /usr/local/bin/signals
ENTRYPOINT ["dumb-init", "-c", "dumb-init", "-c"]
CMD ["echo", "oh, hi"]
