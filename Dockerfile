# Plantão and, for compose.yaml, the pipeline it watches. `docker build --target plantao .` is the
# service alone; the other targets are named below. Everything installed is pinned with its hash.

FROM python:3.11.14-slim-bookworm AS python
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

# --- the service

FROM python AS plantao-build
COPY requirements.txt .
RUN python -m venv /opt/plantao && /opt/plantao/bin/pip install --require-hashes -r requirements.txt
WORKDIR /srv/plantao
COPY pyproject.toml README.md ./
COPY app app
COPY migrations migrations
# In place: the service reads runbooks/ beside app/.
RUN /opt/plantao/bin/pip install --no-deps --no-build-isolation --editable . \
    && /opt/plantao/bin/python -m compileall -q app migrations

FROM python AS plantao
RUN useradd --system --uid 10001 --create-home plantao \
    && install -d -o plantao -g plantao /var/lib/plantao
COPY --from=plantao-build /opt/plantao /opt/plantao
COPY --from=plantao-build /srv/plantao /srv/plantao
COPY runbooks /srv/plantao/runbooks
WORKDIR /var/lib/plantao
VOLUME /var/lib/plantao
USER plantao
ENV PATH=/opt/plantao/bin:$PATH \
    PLANTAO_DATABASE_URL=sqlite:////var/lib/plantao/plantao.db \
    PLANTAO_LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ.get('PLANTAO_PORT', 8080)}/healthz\", timeout=2)"]
ENTRYPOINT ["plantao"]
CMD ["serve"]

# --- its exporter: the same, with what reads Delta Lake

FROM plantao-build AS exporter-build
COPY requirements-exporter.txt .
RUN /opt/plantao/bin/pip install --require-hashes -r requirements-exporter.txt

FROM plantao AS exporter
COPY --from=exporter-build /opt/plantao /opt/plantao
EXPOSE 9108
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9108/metrics', timeout=2)"]
CMD ["exporter", "--host", "0.0.0.0"]

# --- the pipeline, for compose.yaml

FROM maven:3.9.9-eclipse-temurin-17 AS agent
RUN mvn --quiet --batch-mode dependency:copy \
    -Dartifact=io.prometheus.jmx:jmx_prometheus_javaagent:1.0.1 \
    -DoutputDirectory=/jars -Dmdep.stripVersion=true

FROM apache/kafka:4.0.0 AS kafka
COPY --from=agent /jars/jmx_prometheus_javaagent.jar /opt/jmx/
COPY prometheus/jmx/kafka.yml /opt/jmx/
ENV KAFKA_OPTS=-javaagent:/opt/jmx/jmx_prometheus_javaagent.jar=9404:/opt/jmx/kafka.yml

FROM python AS mlflow
COPY requirements-mlflow.txt .
RUN pip install --require-hashes -r requirements-mlflow.txt \
    && useradd --system --uid 10001 --create-home mlflow \
    && install -d -o mlflow -g mlflow /var/lib/mlflow /tmp/prometheus
USER mlflow
WORKDIR /var/lib/mlflow

FROM maven:3.9.9-eclipse-temurin-17 AS spark-jars
COPY tests/pipeline/jars /poms
RUN mvn --quiet --batch-mode --file /poms/pom.xml -Djars=/jars dependency:copy-dependencies

# The programs that the pipeline test runs: payments, streaming queries, training, scoring.
FROM python AS pipeline
RUN apt-get update && apt-get install --yes --no-install-recommends openjdk-17-jre-headless procps \
    && rm -rf /var/lib/apt/lists/*
COPY requirements-pipeline.txt .
RUN pip install --require-hashes -r requirements-pipeline.txt \
    && useradd --system --uid 10001 --create-home pipeline \
    && install -d -o pipeline -g pipeline /var/lib/pipeline
COPY --from=spark-jars /jars /jars
WORKDIR /srv/pipeline
COPY app/__init__.py app/
COPY app/exporters app/exporters
COPY tests/__init__.py tests/
COPY tests/pipeline/__init__.py tests/pipeline/
COPY tests/pipeline/apps tests/pipeline/apps
USER pipeline
ENTRYPOINT ["python", "-m"]
