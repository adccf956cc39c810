# npm; in a package of yours it is node_modules/.bin/dumb-init.
FROM node:lts-slim
RUN npm install --global dumb-init@2.0.0
ENTRYPOINT ["dumb-init", "--"]
