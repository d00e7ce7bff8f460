# 墨灵 Inkling: small, not as root, one volume, asked by /readyz whether it is well.
#
#   docker build -t inkling .
#   docker run -p 8501:8501 -v inkling:/data -e INKLING_TOKENS=me:a-token-of-16-letters-or-more inkling
#
# Callers from outside the container are "elsewhere": open /enter with the token.

FROM python:3.12-slim AS build
# s3fs: for INKLING_ARCHIVE_URL and INKLING_BACKUP_TO at s3://; leave it out with --build-arg EXTRAS=
ARG EXTRAS="s3fs"
COPY requirements.txt /tmp/
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --no-compile -r /tmp/requirements.txt $EXTRAS

FROM python:3.12-slim
RUN useradd --uid 10001 --user-group --home-dir /data --no-create-home inkling \
    && install -d -o inkling -g inkling -m 700 /data
COPY --from=build /venv /venv
WORKDIR /app
COPY app.py LICENSE requirements.txt ./
COPY .streamlit/config.toml .streamlit/config.toml
COPY core core
COPY pages pages
COPY static static
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    INKLING_DATA_DIR=/data HOME=/data
USER inkling
VOLUME /data
EXPOSE 8501
STOPSIGNAL SIGINT
HEALTHCHECK --interval=15s --timeout=5s --start-period=40s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/readyz', timeout=4)"]
CMD ["streamlit", "run", "app.py", "--server.address", "0.0.0.0", "--server.headless", "true", "--browser.serverAddress", "localhost"]
