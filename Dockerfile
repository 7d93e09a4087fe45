# One image for every role; the command chooses the role: docker run captionbot:cpu worker
#
#   docker build --target cpu -t captionbot:cpu .    front-ends, and workers on a CPU; without PyTorch
#   docker build --target gpu -t captionbot:gpu .    workers on NVIDIA GPUs

FROM python:3.12-slim AS base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    DATA_DIR=/data WEB_HOST=0.0.0.0
RUN useradd --create-home captionbot && install -d -o captionbot -g captionbot /data
VOLUME /data
WORKDIR /app
# First what needs installing, which changes seldom; the packages are found in this folder when they come.
COPY pyproject.toml constraints.txt README.md LICENSE captionbot.py ./
ENTRYPOINT ["captionbot"]

FROM base AS gpu
ENV ENGINE=torch
RUN pip install --constraint constraints.txt --editable '.[bots,gpu]'
COPY . .
USER captionbot
CMD ["worker"]

FROM base AS cpu
RUN pip install --constraint constraints.txt --editable '.[bots,worker]'
COPY . .
USER captionbot
EXPOSE 8000
CMD ["up"]
