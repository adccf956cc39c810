# The package, from an apt repository that `make apt-repo` wrote; [signed-by=…] for one that is signed.
FROM debian:stable-slim
COPY build/apt /srv/apt
RUN echo 'deb [trusted=yes] file:/srv/apt stable main' > /etc/apt/sources.list.d/dumb-init.list \
 && apt-get update -o Dir::Etc::sourcelist=sources.list.d/dumb-init.list -o Dir::Etc::sourceparts=- \
 && apt-get install -y dumb-init
ENTRYPOINT ["/usr/bin/dumb-init", "--"]
CMD ["sh", "-c", "exit 7"]
