# The studio in one image. ROLE selects what a container runs: all, web, worker, sweeper or migrate (docs/deployment.md).
#
#   docker build -t content-studio .
#
# BASE is a Debian with Python 3.13 and apt. Both stages use the same one, as the virtual environment refers to its Python.
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# pg_dump and pg_restore, for backups; only these two are kept, as their package would bring Perl.
# Debian's packages are not pinned: each build should get its security updates.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements.lock deploy/unused-packages.txt deploy/without_unused.py ./
RUN python3 without_unused.py requirements.lock unused-packages.txt > used.lock \
    && python3 -m venv tools \
    && python3 -m venv --without-pip /opt/venv \
    && tools/bin/pip --python /opt/venv/bin/python install --no-deps --only-binary :all: --require-hashes -r used.lock

WORKDIR /app
COPY . .
# Compiled and collected here: the file system is read-only later. A key is only needed to read the settings.
RUN /opt/venv/bin/python -m compileall -q . \
    && VAR=/tmp/var SECRET_KEY=build STATIC_ROOT=/app/static-collected \
       /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0


FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpq5 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/lib/postgresql/17/bin/pg_dump /usr/lib/postgresql/17/bin/pg_restore /usr/local/bin/
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app

# Any user may run it. The volume is writable for all, like /tmp; in it the studio creates a directory that only its user can open.
RUN install --directory --mode 1777 /data
VOLUME /data
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    VAR=/data/studio \
    STATIC_ROOT=/app/static-collected \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001:0
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=25s --start-period=60s --retries=3 \
    CMD ["python", "-m", "contentstudio.runtime.healthcheck"]
ENTRYPOINT ["python", "manage.py"]
CMD ["studio"]

ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="Content Studio" \
      org.opencontainers.image.description="A self-hosted AI content studio: a brief becomes a finished, sourced article, live." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
