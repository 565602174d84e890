# Several stages: everything that builds stays behind. No shell is needed to run it or to stop it.
# For a release, `npm run pin` writes the digest of the base image here, as the registry has it on that day.
ARG NODE_IMAGE=node:24-bookworm-slim
FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json tsconfig.plugin.json ./
COPY scripts scripts
COPY src src
COPY samples samples
COPY machines machines
COPY migrations migrations
# Without the embedded Postgres, which is for trials and is half of the packages' size: `postgres: embedded` says so.
RUN npm run build && npm prune --omit=dev --omit=optional --ignore-scripts

FROM ${NODE_IMAGE} AS program
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
COPY scripts/health.sh health
COPY flows flows
COPY dialects dialects
COPY contracts contracts

# What Node.js has compiled of the program: a start takes a fifth less time. Node.js keeps it apart for each user.
FROM program AS compiled
RUN mkdir compiled && chown 65532:65532 compiled
USER 65532:65532
ENV NODE_COMPILE_CACHE=/app/compiled
RUN node -e "import('/app/dist/src/daemon/index.js')" \
  && node dist/src/cli/main.js health --help \
  && chmod -R a+rX compiled

FROM program
# Root's, so that the daemon cannot change what it runs.
COPY --from=compiled /app/compiled compiled
ENV NODE_COMPILE_CACHE=/app/compiled
# Written to only with embedded stores, and for the key that masks numbers in the log: mount a volume there.
RUN mkdir /data && chown 65532:65532 /data
VOLUME /data
ENV USSD_CONNECTOR_DATA=/data
USER 65532:65532
EXPOSE 8123
STOPSIGNAL SIGTERM
# Over HTTP, by bash of the base image: a Node.js each ten seconds would cost more than the daemon that is idle. On a base
# without bash: CMD ["node", "/app/dist/src/cli/main.js", "health", "--port", "8123"].
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s CMD ["/app/health", "8123"]
ENTRYPOINT ["node", "--max-semi-space-size=64", "/app/dist/src/cli/main.js"]
CMD ["run", "--config", "/etc/ussd-connector/connector.yaml"]
