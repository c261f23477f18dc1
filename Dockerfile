# Build: docker build --network host --build-arg VERSION=0.1.0 --build-arg REVISION=$(git rev-parse HEAD) -t ostiary .
# Run:   docker run --read-only --cap-drop ALL -v ./manifests:/manifests:ro -p 8080:8080 ostiary run --manifests /manifests
ARG BASE_IMAGE=node:26-bookworm-slim

# A layer of its own, so that a change of the source leaves it as it is. Declarations and source maps of packages are
# half of their size, and nothing reads them at run time. Install scripts are not run: none of these packages needs one.
FROM ${BASE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts \
 && find node_modules -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' \) -delete

FROM ${BASE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM ${BASE_IMAGE}
WORKDIR /app
ENV NODE_ENV=production
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY --from=build /app/dist ./dist
# A number, so that Kubernetes can tell that it is not root. Nothing below / is written.
USER 65532:65532
EXPOSE 8080 8443 10254
# Not through npm or a shell: SIGTERM must reach Ostiary itself.
ENTRYPOINT ["node", "--enable-source-maps", "/app/dist/main.js"]
CMD ["run"]

# Last, so that another version or revision costs no layer of its own to build. Where the source is published, say so:
# --label org.opencontainers.image.source=URL
ARG BASE_IMAGE
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Ostiary" \
      org.opencontainers.image.description="Kubernetes ingress controller with its own proxy that enforces OpenID Connect" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
