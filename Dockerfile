# The service as it is packed: what `npm pack` holds, on the dependencies of package-lock.json.
FROM node:24-slim AS pack
WORKDIR /build
COPY package.json package-lock.json ./
COPY packages packages
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# Last in PATH, because the package `node` in there has no binary without its install script.
RUN PATH=$PATH:/build/node_modules/.bin node build.ts \
  && npm pack --ignore-scripts --loglevel=error \
  && tar -xzf import-tracker-*.tgz

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/client/package.json packages/client/
# Without optional packages: the database is DATABASE_URL's, so the embedded one isn't needed.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY --from=pack /build/package ./
# As in a checkout.
RUN ln -s main.cjs src/main.ts
USER node
EXPOSE 3000
# Not /readyz: an outage of Postgres or Redis is no reason to replace the container, which goes on by itself.
HEALTHCHECK --interval=10s --timeout=10s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
