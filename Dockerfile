# The service, run by Node from its TypeScript sources: there is nothing to build.
FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages packages
# Without optional packages: the database is DATABASE_URL's, so the embedded one isn't needed.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY migrations migrations
COPY providers providers
COPY src src
USER node
EXPOSE 3000
# Not /readyz: an outage of Postgres or Redis is no reason to replace the container, which goes on by itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
