# The npm package, and that of the platform; `npm install dumb-init` takes both where a registry has them.
FROM node:lts-slim
WORKDIR /app
COPY build/dist/dumb-init-*.tgz /tmp/
RUN npm install --offline --ignore-scripts $(ls /tmp/dumb-init-*.tgz | grep -v arm64)
ENTRYPOINT ["/app/node_modules/.bin/dumb-init", "--"]
CMD ["sh", "-c", "exit 7"]
