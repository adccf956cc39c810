# apt: from a repository that `make apt-repo APT_KEY=…` wrote.
FROM debian:stable-slim
ARG REPOSITORY=http://apt.dumb-init.invalid
ADD --chmod=644 $REPOSITORY/key.gpg /etc/apt/keyrings/dumb-init.gpg
RUN echo "deb [signed-by=/etc/apt/keyrings/dumb-init.gpg] $REPOSITORY stable main" > /etc/apt/sources.list.d/dumb-init.list \
 && apt-get update && apt-get install -y dumb-init
ENTRYPOINT ["dumb-init", "--"]
