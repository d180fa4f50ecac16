# Two targets: `app` (web server, no torch) and `worker` (networks; runs on the CPU or, with the GPU profile, on CUDA).
FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 WATERHOLE_HOME=/var/lib/waterhole
RUN pip install --no-cache-dir uv && useradd --create-home --uid 10001 waterhole \
    && install -d -o waterhole -g waterhole /var/lib/waterhole
WORKDIR /srv/waterhole

FROM base AS app
COPY requirements-app.lock ./
RUN uv pip install --system --no-cache --require-hashes -r requirements-app.lock
COPY waterhole.py alembic.ini ./
COPY models models
COPY app app
COPY migrations migrations
COPY templates templates
COPY static static
COPY locale locale
USER waterhole
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python", "waterhole.py", "serve", "--host", "0.0.0.0", "--behind-proxy"]

FROM base AS worker
COPY requirements.lock ./
RUN uv pip install --system --no-cache --require-hashes -r requirements.lock
COPY waterhole.py alembic.ini ./
COPY models models
COPY app app
COPY worker worker
COPY migrations migrations
COPY templates templates
COPY static static
COPY locale locale
USER waterhole
CMD ["python", "waterhole.py", "worker"]
