#!/usr/bin/env bash
# Measures the service, and beside it what it could not do without: gRPC and the
# database. Builds release, starts a database and a server of its own, prints a table
# and writes JSON. Wants the machine for itself.
#
#   tests/bench/run.sh [--engine=mariadb|mysql] [--rounds=N] [--seconds=S] ...
#   tests/bench/run.sh --growth=10000,10000000 [--buffer-pool=8G]
#   tests/bench/run.sh --soak=3600 [--soak-rate=CALLS_A_SECOND]
#   tests/bench/run.sh --help
set -euo pipefail
cd "$(dirname "$0")/../.."

deploy/install-packages.sh build run bench
cmake --preset release >/dev/null
cmake --build --preset release --target contactsd contacts_load contacts_echo >&2
exec python3 tests/bench/bench.py --build=build/release "$@"
