FROM python:3.11-slim
WORKDIR /grossbuch
COPY requirements/run.lock requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/run.lock
COPY . .
# By the image's own setuptools: nothing is fetched that has no hash.
RUN pip install --no-cache-dir --no-deps --no-build-isolation . && useradd --system grossbuch
USER grossbuch
ENTRYPOINT ["grossbuch"]
EXPOSE 8420
