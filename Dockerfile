# syntax=docker/dockerfile:1
FROM python:3.12-slim AS build
COPY requirements.txt /requirements.txt
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r /requirements.txt

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=tformance.settings.production TFORMANCE_VAR=/srv/var
RUN useradd --system --create-home --home-dir /srv tformance && install -d -o tformance /srv/var
WORKDIR /srv/tformance
COPY --from=build /venv /venv
COPY manage.py ./
COPY tformance tformance
COPY apps apps
COPY templates templates
COPY static static
USER tformance
# Nothing here reaches a database, and none of these values is used again.
RUN SECRET_KEY=build FIELD_ENCRYPTION_KEYS=build ALLOWED_HOSTS=build DATABASE_URL=postgres://build/build \
    REDIS_URL=redis://build python manage.py collectstatic --no-input
EXPOSE 8000
CMD ["gunicorn", "tformance.wsgi", "--bind", "0.0.0.0:8000", "--workers", "4", "--threads", "8", "--max-requests", "10000", "--no-control-socket"]
