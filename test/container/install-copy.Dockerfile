# COPY, from the image that holds nothing else.
FROM debian:stable-slim
COPY --from=dumb-init:2.0.0 /dumb-init /usr/bin/
ENTRYPOINT ["dumb-init", "--"]
