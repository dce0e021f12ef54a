#!/usr/bin/env bash
# Measures the service and, for comparison, bare gRPC and the bare database. Builds release,
# starts a private database and server, prints a table and writes JSON. Needs the machine
# for itself.
#
#   tests/bench/run.sh [--engine=mariadb|mysql] [--rounds=N] [--seconds=S] ...
#   tests/bench/run.sh --growth=10000,10000000 [--buffer-pool=8G]
#   tests/bench/run.sh --beside=../before/build/release [--scenarios=get,workflow]
#   tests/bench/run.sh --overload [--beside=../before/build/release]
#   tests/bench/run.sh --soak=3600 [--soak-rate=CALLS_A_SECOND]
#   tests/bench/run.sh --help
set -euo pipefail
cd "$(dirname "$0")/../.."

deploy/install-packages.sh build run bench
cmake --preset release >/dev/null
cmake --build --preset release --target contactsd contacts_load contacts_echo >&2
exec python3 tests/bench/bench.py --build=build/release "$@"
