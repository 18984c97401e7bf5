# The official Airflow image with the project and its DAGs added.
#
#   docker build -f docker/airflow.Dockerfile -t credit-signals-airflow:0.1.0 .
#
# The packages are those of requirements.lock, with which the DAGs are tested, where they differ from the image's own;
# `uv pip check` ends the build if a provider of the image does not go with them. AIRFLOW_IMAGE pins the base by digest.
ARG AIRFLOW_IMAGE=apache/airflow:3.3.2-python3.12

FROM ${AIRFLOW_IMAGE}
ARG UV_VERSION=0.13.9
ARG VERSION=0.1.0
ARG SOURCE=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Credit Signals on Airflow" \
      org.opencontainers.image.description="Airflow with the DAGs that crawl, read and score companies" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
USER root
RUN mkdir -p /data /opt/credit-signals && chown airflow:0 /data /opt/credit-signals && chmod g+w /data
USER airflow
WORKDIR /opt/credit-signals
COPY --chown=airflow:0 pyproject.toml requirements.lock README.md LICENSE ./
COPY --chown=airflow:0 docker/airflow-excludes.txt docker/build-constraints.txt docker/
ENV UV_NO_CACHE=1 UV_SYSTEM_CERTS=1 UV_LINK_MODE=copy
RUN python -m venv /tmp/uv \
    && /tmp/uv/bin/pip install --no-cache-dir --disable-pip-version-check "uv==${UV_VERSION}" \
    && /tmp/uv/bin/uv pip install --require-hashes --constraint requirements.lock \
       --excludes docker/airflow-excludes.txt --build-constraint docker/build-constraints.txt \
       --requirement pyproject.toml --extra airflow \
    && /tmp/uv/bin/uv pip check
COPY --chown=airflow:0 src src
# the reader's manifest tells its id; the models lie with the workers
COPY --chown=airflow:0 workers/section_reader/*.toml workers/section_reader/
COPY --chown=airflow:0 workers/section_reader/questions workers/section_reader/questions
COPY --chown=airflow:0 dags /opt/airflow/dags
RUN /tmp/uv/bin/uv pip install --no-deps --build-constraint docker/build-constraints.txt --editable . \
    && rm -r /tmp/uv
ENV AIRFLOW__CORE__DAGS_FOLDER=/opt/airflow/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/airflow/dags/plugins \
    CREDIT_SIGNALS_DATA_DIR=/data
WORKDIR /opt/airflow
