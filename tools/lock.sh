#!/bin/sh
# Makes requirements.txt and requirements-dev.txt anew from pyproject.toml, for every platform LiveSec runs on.
# Needs uv (pip install uv). Pins that still fit are kept; `sh tools/lock.sh --upgrade` takes the newest of everything,
# `sh tools/lock.sh --upgrade-package NAME` of one.
set -eu
cd "$(dirname "$0")/.."
export UV_CUSTOM_COMPILE_COMMAND="sh tools/lock.sh"

lock() {
    output=$1
    shift
    # Hashes for each file of a release, so that one lock serves every machine; no index address, so that each
    # machine's own pip configuration decides where from. Wheels only, as set-up must need no compiler; geoip2fast
    # has no wheel, and no compiled code either. Fewest versions: each Python gets the same numpy, the same figures.
    uv pip compile pyproject.toml tools/build-requirements.in --quiet --universal --python-version 3.11 \
        --fork-strategy fewest --generate-hashes --only-binary :all: --no-binary geoip2fast --no-emit-index-url --no-annotate \
        --output-file "$output" "$@"
}

lock requirements.txt "$@"
# The second file holds the first one's pins and more, so installing it alone is enough for the tests.
lock requirements-dev.txt --extra dev --constraints requirements.txt "$@"
