# One image for every node: `docker build -t gnosis-ray:0.1.0 .`. Nothing is installed when a container starts.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/gnosis-ray
WORKDIR /src
COPY requirements-cluster.txt ./
RUN /opt/gnosis-ray/bin/python -m pip install --require-hashes --only-binary :all: -r requirements-cluster.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY config config
COPY actors actors
COPY cluster cluster
COPY gnosis_ray gnosis_ray
RUN /opt/gnosis-ray/bin/python -m pip install --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 gnosis && useradd --uid 10001 --gid gnosis --no-log-init --create-home gnosis
COPY --from=build /opt/gnosis-ray /opt/gnosis-ray
ENV PATH=/opt/gnosis-ray/bin:$PATH RAY_USAGE_STATS_ENABLED=0
USER 10001:10001
WORKDIR /home/gnosis
ENTRYPOINT ["gnosis-ray"]
CMD ["doctor"]
