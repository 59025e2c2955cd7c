# chorus-bench on processors: evaluation, baselines, the simulated world. No torch.
#
#   docker build --tag chorus-bench .
#   docker run --rm --volume "$PWD:/data" chorus-bench evaluate submission --split simulated
FROM python:3.12-slim

COPY . /source
RUN pip install --no-cache-dir --constraint /source/constraints.txt '/source[mesh,plots]' \
 && rm -r /source \
 && useradd --create-home user

USER user
ENV CHORUS_BENCH_CACHE=/home/user/cache
WORKDIR /data
ENTRYPOINT ["chorus-bench"]
CMD ["--help"]
