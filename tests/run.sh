#!/usr/bin/env bash
# Installs missing packages, builds, runs the tests: tests/run.sh [CTest's arguments]
#   CONTACTS_PRESET=release|debug|asan|tsan   the build to test (default release)
#   CONTACTS_ENGINE=mariadb|mysql             the database to test on (default mariadb)
#   CONTACTS_TARGETS="contactsd race_test"    what to build (default everything)
#   CONTACTS_CMAKE_ARGS=...                   more arguments for CMake's configuration
#   CONTACTS_SERVER_PRESET=...                the build, made before, whose contactsd the
#                                             tests start (default: the build to test)
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${CONTACTS_PRESET:-release}
engine=${CONTACTS_ENGINE:-mariadb}
deploy/install-packages.sh build run test
# shellcheck disable=SC2086  # Several arguments on purpose.
cmake --preset "$preset" ${CONTACTS_CMAKE_ARGS:-} >/dev/null
# shellcheck disable=SC2086
cmake --build --preset "$preset" ${CONTACTS_TARGETS:+--target $CONTACTS_TARGETS}

# In memory where there is room: tests create a schema each, and wait for the disk half of their time.
# Kills lose nothing there that they would not lose on a disk.
base=/tmp
if [[ $(df --output=avail /dev/shm 2>/dev/null | tail -n 1) -gt 8000000 ]] &&
  ! findmnt -no OPTIONS /dev/shm | grep -q noexec; then
  base=/dev/shm
fi
scratch=$(mktemp -d "$base/contacts-tests.XXXXXX")
cleanup() {
  # Files that tests left in their temporary folder.
  local left
  left=$(find "$scratch/tmp" -mindepth 1 -maxdepth 1 -printf '%f\n')
  deploy/local-mysql.sh drop --dir="$scratch/mysql" || true
  rm -rf "$scratch"
  if [[ -n $left ]]; then
    printf 'tests left files behind:\n%s\n' "$left" >&2
    exit 1
  fi
}
mkdir "$scratch/tmp"
# Databases that run as other users need to pass through this folder.
chmod 711 "$scratch"
trap cleanup EXIT
# Oracle MySQL's data is in a folder of its own, on the disk.
flags=()
[[ $engine == mariadb ]] || flags=(--innodb-flush-method=nosync --sync-binlog=0)
CONTACTS_TEST_MYSQL=$(CONTACTS_DIE_WITH=$$ deploy/local-mysql.sh start --engine="$engine" \
  --dir="$scratch/mysql" -- "${flags[@]}")
export CONTACTS_TEST_MYSQL CONTACTS_ENGINE=$engine CONTACTS_TEST_SOURCE_DIR=$PWD
export CONTACTS_TEST_BIN_DIR=$PWD/build/${CONTACTS_SERVER_PRESET:-$preset}
if [[ $CONTACTS_TEST_BIN_DIR == */tsan ]]; then
  suppressions=$PWD/build/tsan/tsan.supp
  {
    cat tests/tsan.supp
    ldd build/tsan/server/contactsd | grep -o 'libabsl_[^.]*\.so' | sed 's/^/called_from_lib:/'
  } >"$suppressions"
  export TSAN_OPTIONS="suppressions=$suppressions ${TSAN_OPTIONS:-}"
fi

export TMPDIR=$scratch/tmp TEST_TMPDIR=$scratch/tmp
ctest --test-dir "build/$preset" --output-on-failure "$@"
