# chorus-bench on processors: evaluation, baselines, the simulated world. No torch.
#
#   docker build --tag chorus-bench .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/data" chorus-bench \
#     evaluate submission --split simulated --output result
FROM python:3.12-slim

COPY . /source
RUN pip install --no-cache-dir --constraint /source/constraints.txt '/source[mesh,plots]' \
 && rm -r /source \
 && useradd --create-home user \
 && chmod 1777 /home/user \
 && install --directory --mode 1777 /data

# Any user may be given with --user; home, cache and /data are writable for all.
USER user
ENV HOME=/home/user
WORKDIR /data
ENTRYPOINT ["chorus-bench"]
CMD ["--help"]
