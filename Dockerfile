# BASE_IMAGE needs Python 3.11 or newer as python3 with its venv module; the same image builds and runs.
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
ARG UV_VERSION=0.13.9
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --only-binary=:all: "uv==${UV_VERSION}"
ENV UV_PROJECT_ENVIRONMENT=/opt/seatpool \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /src
# The dependencies first: this layer stays while only the code changes.
COPY pyproject.toml uv.lock ./
RUN /opt/uv/bin/uv sync --frozen --no-dev --no-install-project --python "$(command -v python3)"
COPY README.md LICENSE ./
COPY operator operator
RUN /opt/uv/bin/uv sync --frozen --no-dev --no-editable --python "$(command -v python3)"

FROM ${BASE_IMAGE}
COPY --from=build /opt/seatpool /opt/seatpool
# Bytecode was compiled above, so nothing has to be written and the root file system can be read-only.
# LOGNAME and USER: Kopf asks for the user's name, and a numeric user has none in /etc/passwd.
ENV PATH=/opt/seatpool/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    LOGNAME=seatpool \
    USER=seatpool
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["seatpool"]
CMD ["run"]
