# BASE_IMAGE needs Python 3.11 or newer as python3 with its venv module. Nothing of it is in the image but the files that
# the operator needs: no shell, no package manager, no pip. tools/image_root.py says which these are.
#
# Behind a proxy that opens TLS, its certificates are given for the build alone:
#   docker build --secret id=ca-bundle,src=/etc/ssl/certs/ca-certificates.crt .
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
ARG UV_VERSION=0.13.9
ENV UV_PROJECT_ENVIRONMENT=/opt/seatpool \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /src
RUN --mount=type=secret,id=ca-bundle \
    bundle=/run/secrets/ca-bundle; if [ -s "$bundle" ]; then export PIP_CERT="$bundle"; fi; \
    python3 -m venv /opt/uv && \
    /opt/uv/bin/pip install --no-cache-dir --only-binary=:all: "uv==${UV_VERSION}"
# The dependencies first: this layer stays while only the code changes.
COPY pyproject.toml uv.lock ./
RUN --mount=type=secret,id=ca-bundle \
    bundle=/run/secrets/ca-bundle; if [ -s "$bundle" ]; then export SSL_CERT_FILE="$bundle"; fi; \
    /opt/uv/bin/uv sync --frozen --no-default-groups --extra history --extra tracing --extra web --no-install-project \
    --python "$(command -v python3)"
COPY README.md LICENSE ./
COPY operator operator
RUN --mount=type=secret,id=ca-bundle \
    bundle=/run/secrets/ca-bundle; if [ -s "$bundle" ]; then export SSL_CERT_FILE="$bundle"; fi; \
    /opt/uv/bin/uv sync --frozen --no-default-groups --extra history --extra tracing --extra web --no-editable \
    --python "$(command -v python3)"
COPY tools/image_root.py ./
RUN python3 image_root.py /opt/seatpool /root-of-image

FROM scratch
COPY --from=build /root-of-image /
# Everything is compiled, so nothing has to be written and the root file system can be read-only.
# LOGNAME and USER: Kopf asks for the user's name, and a numeric user has none in /etc/passwd.
ENV PATH=/opt/seatpool/bin:/usr/local/bin:/usr/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    HOME=/tmp \
    LOGNAME=seatpool \
    USER=seatpool
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["seatpool"]
CMD ["run"]
