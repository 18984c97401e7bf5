# The image of a reader worker. It also serves the results page and migrates the store.
#
#   docker build -f docker/worker.Dockerfile -t credit-signals-worker:0.1.0 .
#
# Build arguments: PYTHON_IMAGE pins the base by digest (docs/images.md), MODELS=mounted leaves the models out,
# SOURCE and REVISION go into the labels.
ARG PYTHON_IMAGE=python:3.12-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ARG UV_VERSION=0.13.9
# the compiler ends with this stage
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/* \
    && python -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check "uv==${UV_VERSION}"
ENV PATH=/opt/uv/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin VIRTUAL_ENV=/opt/venv \
    UV_NO_CACHE=1 UV_SYSTEM_CERTS=1 UV_LINK_MODE=copy
WORKDIR /app
COPY docker/build-constraints.txt docker/llama.txt docker/llama_library_only.cmake /build/
# One llama.cpp for every node: a back end per processor generation, of which the best is chosen when it is loaded.
# Without OpenMP: a reader has one thread, and the base image has no libgomp.
RUN export CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON \
        -DGGML_OPENMP=OFF -DCMAKE_INSTALL_BINDIR=llama_cpp/lib \
        -DCMAKE_PROJECT_llama.cpp_INCLUDE=/build/llama_library_only.cmake" \
    && uv venv --python "$(command -v python)" /opt/venv \
    && uv pip install --no-deps --require-hashes --build-constraint /build/build-constraints.txt \
       --requirement /build/llama.txt \
    && find /opt/venv/lib -path '*/llama_cpp/lib/*.so*' -type f -exec strip --strip-unneeded {} + \
    && ls /opt/venv/lib/python*/site-packages/llama_cpp/lib/libggml-cpu-*.so
# of pyproject.toml: traces, and models fetched from S3
ARG EXTRAS="otel s3"
COPY docker/worker-excludes.txt /build/
COPY pyproject.toml requirements.lock ./
RUN uv pip install --require-hashes --constraint requirements.lock --excludes /build/worker-excludes.txt \
       --requirement pyproject.toml $(for extra in $EXTRAS; do echo "--extra $extra"; done)
COPY README.md LICENSE ./
COPY src src
COPY workers workers
# a wheel holds three copies of a library where there were two links, and llama.cpp's files for developers
RUN cd /opt/venv/lib/python3*/site-packages \
    && rm -rf lib include \
    && cd llama_cpp/lib \
    && for file in *.so.*.*; do for name in .so .so.0; do ln -sf "$file" "${file%%.so*}$name"; done; done
ARG MODELS=baked
RUN uv pip install --no-deps --build-constraint /build/build-constraints.txt --editable . \
    && mv workers/section_reader/models /models \
    && mkdir workers/section_reader/models \
    && if [ "$MODELS" = mounted ]; then rm -r /models && mkdir /models; fi \
    && /opt/venv/bin/python -m compileall -q /opt/venv/lib src workers

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG SOURCE=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Credit Signals worker" \
      org.opencontainers.image.description="Reads sections of company websites with small llama.cpp models" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN echo 'reader:x:10001:10001:reader:/tmp:/usr/sbin/nologin' >>/etc/passwd \
    && echo 'reader:x:10001:' >>/etc/group \
    && mkdir /data && chown 10001:10001 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /models /app/workers/section_reader/models
COPY --from=build /app /app
# bytecode was made above: the root file system may be read-only
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONPATH=/app/src PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 HOME=/tmp CREDIT_SIGNALS_DATA_DIR=/data
WORKDIR /app
USER 10001:10001
EXPOSE 8000 8080
STOPSIGNAL SIGTERM
CMD ["python", "-m", "workers.section_reader"]
