#!/usr/bin/env bash
# Replaces the servers of an earlier commit by those of this tree, under load and one by one, and
# back. Every answer is in a journal, which is checked afterwards:
#   tests/faults/upgrade.sh COMMIT [mariadb|mysql]
# COMMIT may be any name that git knows, such as the tag of the last release. Takes about 2 minutes
# after the builds.
set -euo pipefail
cd "$(dirname "$0")/../.."

commit=$(git rev-parse --verify --quiet "${1:-}^{commit}") || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
before=$PWD/build/before
[[ -e $before/.git ]] || git worktree add --quiet --detach --force "$before" "$commit"
git -C "$before" checkout --quiet --detach "$commit"
deploy/install-packages.sh build run test
(cd "$before" && cmake --preset release >/dev/null && cmake --build --preset release --target contactsd)
CONTACTS_ENGINE=${2:-mariadb} CONTACTS_TARGETS="contactsd upgrade_test" \
  CONTACTS_UPGRADE_FROM=$before/build/release \
  tests/run.sh -C upgrade -V -R '^upgrade_test$'
