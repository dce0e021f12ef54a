#!/usr/bin/env bash
# Runs the commands of README's first session twice, exactly as printed there.
set -euo pipefail
cd "$(dirname "$0")/../../.."

build=${CONTACTS_TEST_BIN_DIR:-$PWD/build/release}
folder=$(mktemp -d)
server=
cleanup() {
  [[ -z $server ]] || { kill "$server" && wait "$server"; } || true
  deploy/local-mysql.sh drop --dir="$folder/var/mysql"
  rm -rf "$folder"
}
trap cleanup EXIT
mkdir -p "$folder/var/mail" "$folder/bin"
ln -s "$PWD/deploy" "$folder/deploy"
uri=$(CONTACTS_DIE_WITH=$$ deploy/local-mysql.sh start --engine="${CONTACTS_ENGINE:-mariadb}" \
  --dir="$folder/var/mysql" --buffer-pool=64M)
sed -n '/^## A first session by hand/,/^Reflection/s/^    \$ //p' README.md >"$folder/session.sh"
(($(wc -l <"$folder/session.sh") >= 5)) || { echo "README has no first session" >&2; exit 1; }

cd "$folder"
"$build/server/contactsd" --listen=127.0.0.1:0 --migrate --mysql="$uri" --mail=maildir:var/mail \
  >listening 2>log &
server=$!
for _ in $(seq 300); do
  grep -q '^listening on' listening && break
  sleep 0.1
done
address=$(sed -n 's/^listening on //p' listening)
[[ -n $address ]] || { cat log >&2; exit 1; }
printf '#!/bin/sh\nexec %q --server=%q "$@"\n' "$build/client/contactctl" "$address" >bin/contactctl
chmod +x bin/contactctl
PATH=$folder/bin:$PATH deploy/load-sample.sh contactctl

for run in first second; do
  PATH=$folder/bin:$PATH bash -ex session.sh >output 2>&1 ||
    { cat output; echo "FAILED: the $run run" >&2; exit 1; }
  (($(grep -c 'The change has taken effect' output) == 2)) || { cat output; exit 1; }
done
shown=$(deploy/read-mail.py)
[[ $shown == *'to aicha@example.com'* && $shown != *'=C3='* ]] ||
  { echo "FAILED: no decoded e-mail: $shown" >&2; exit 1; }
