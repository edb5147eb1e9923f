# Gatescope in a container: see docs/docker.md.
#
# The image fetches nothing at run time: the page, plotly.js and the models are inside.

ARG PYTHON_IMAGE=python:3.11-slim

# --- Builder: a virtual environment with everything ---------------------------------------------
FROM ${PYTHON_IMAGE} AS builder

# Address of PyTorch's index of CPU wheels. Empty: torch comes from pip's usual index, on Linux
# with CUDA, which makes the image several gigabytes larger.
ARG TORCH_INDEX=""

RUN python -m venv /opt/gatescope
WORKDIR /build

# What Gatescope stands on comes first: a change of our own code leaves this layer as it is.
# Some builds of torch carry their own tests and C++ headers, which nothing reads at run time.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && /opt/gatescope/bin/pip install --no-cache-dir --disable-pip-version-check \
        -c constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} \
        -r requirements.txt \
    && rm -rf /opt/gatescope/lib/python3.*/site-packages/torch/test \
              /opt/gatescope/lib/python3.*/site-packages/torch/include

COPY README.md LICENSE ./
COPY lstm_core lstm_core
COPY server server
COPY static static
# The build of the package is held to the constraints, too: pip before 25.3 reads the first
# variable there, later ones the second.
RUN PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
    /opt/gatescope/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps . \
    && /opt/gatescope/bin/pip uninstall --yes pip

# --- The image ----------------------------------------------------------------------------------
FROM ${PYTHON_IMAGE}

RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin gatescope \
    && install --directory --mode 0700 --owner 10001 --group 10001 /data
COPY --from=builder /opt/gatescope /opt/gatescope

# Everything is compiled already, and the file system may be read-only.
ENV PATH="/opt/gatescope/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GATESCOPE_TOKEN=auto \
    GATESCOPE_DATA_FOLDER=/data

# What people open. A volume takes over the owner of the folder it is mounted on.
VOLUME /data

# By number, so that a cluster can see that it is not root.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/api/health', timeout=4)"]

CMD ["gatescope", "--host", "0.0.0.0", "--port", "8000"]
