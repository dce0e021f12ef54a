#!/usr/bin/env bash
# Measures the account area: p50 of each page beside the calls of contactsd that it makes, and memory. Builds release, starts a
# private database and servers, prints tables. Needs the machine for itself.
#
#   tests/bench/web.sh [--requests=N] [--seconds=S]
set -euo pipefail
cd "$(dirname "$0")/../.."

deploy/install-packages.sh build run test
cmake --preset release >/dev/null
cmake --build --preset release --target contactsd contactctl contacts-web >&2
scratch=$(mktemp -d /tmp/contacts-bench.XXXXXX)
mkdir "$scratch/tmp"
# The database runs as another user, who needs to pass through this folder.
chmod 711 "$scratch"
trap 'deploy/local-mysql.sh drop --dir="$scratch/mysql" || true; rm -rf "$scratch"' EXIT
CONTACTS_TEST_MYSQL=$(CONTACTS_DIE_WITH=$$ deploy/local-mysql.sh start --dir="$scratch/mysql")
export CONTACTS_TEST_MYSQL CONTACTS_TEST_BIN_DIR=$PWD/build/release TMPDIR=$scratch/tmp
tests/integration/web/measure.py "$@"
