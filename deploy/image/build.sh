#!/bin/sh
# Builds the image with the engine that is here: IMAGE (sorami:<version>), BASE and ENGINE may be given.
set -eu
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
image=${IMAGE:-sorami:$version}
engine=${ENGINE:-}
for name in docker podman buildah; do
  [ -n "$engine" ] && break
  if command -v "$name" >/dev/null 2>&1 && { [ "$name" != docker ] || docker info >/dev/null 2>&1; }; then engine=$name; fi
done
[ -n "$engine" ] || { echo "sorami: no docker, podman or buildah here to build an image with" >&2; exit 69; }
set -- -f deploy/image/Dockerfile -t "$image" --build-arg "VERSION=$version" \
  --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)" ${BASE:+--build-arg "BASE=$BASE"} "$@" .
if [ "$engine" = buildah ]; then
  # Certificates of this machine reach the build, which may sit behind a proxy that has its own.
  buildah --storage-driver "${STORAGE_DRIVER:-vfs}" bud --isolation chroot --network host -v /etc/ssl/certs:/etc/ssl/certs:ro \
    --build-arg PIP_CERT=/etc/ssl/certs/ca-certificates.crt --build-arg SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$@"
else
  "$engine" build "$@"
fi
echo "built $image; push it to a registry of yours and name it as image.repository of the chart"
