#!/usr/bin/env bash
# Runs every row of cluster_test, with 20,000 texts, including rows too long for tests/run.sh:
#   tests/faults/cluster.sh mysql|mariadb [FILTER]
# FILTER is a filter of googletest, such as '*Frozen*'. Takes about 8 minutes an engine.
set -euo pipefail
cd "$(dirname "$0")/../.."

case ${1:-} in
  mysql | mariadb) engine=$1 ;;
  *) sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
deploy/install-packages.sh build run test
cmake --preset release >/dev/null
cmake --build --preset release --target contactsd cluster_test
CONTACTS_ENGINE=$engine CONTACTS_TEST_SOURCE_DIR=$PWD CONTACTS_TEST_BIN_DIR=$PWD/build/release \
  CONTACTS_TEXTS=${CONTACTS_TEXTS:-20000} \
  exec build/release/tests/cluster_test --gtest_filter="${2:-*}"
