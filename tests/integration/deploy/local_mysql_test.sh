#!/usr/bin/env bash
# deploy/local-mysql.sh starts again after any end of its server, and lets only the user who
# started it log in as the database's root.
set -euo pipefail
cd "$(dirname "$0")/../../.."

dir=$(mktemp -d)/mysql
script() { deploy/local-mysql.sh "$1" --engine="${CONTACTS_ENGINE:-mariadb}" --dir="$dir" --buffer-pool=64M; }
cleanup() {
  script drop
  rm -rf "$(dirname "$dir")"
}
trap cleanup EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
export CONTACTS_DIE_WITH=$$

uri=$(script start)
[[ $(script start) == "$uri" ]] || fail "a second start changed the URI"
echo 'CREATE TABLE contacts.kept (id INT PRIMARY KEY)' | script sql

for _ in 1 2 3; do
  kill -9 "$(cat "$dir/pid")"
  [[ $(script start) == "$uri" ]] || fail "start after kill -9 changed the URI"
  echo 'SELECT * FROM contacts.kept' | script sql || fail "start after kill -9 lost data"
done

# The stored process id belongs to another database server.
kill -9 "$(cat "$dir/pid")"
(exec -a mariadbd sleep 60) &
other=$!
echo "$other" >"$dir/pid"
echo "$other" >"$(cat "$dir/socket").lock"
[[ $(script start) == "$uri" ]] || fail "start with a reused process id"
echo 'DO 1' | script sql || fail "start took another process for its server"
kill "$other"

kill -9 "$(cat "$dir/pid")"
script start >"$dir.one" &
script start >"$dir.two"
wait $!
[[ $(cat "$dir.one" "$dir.two") == "$uri"$'\n'"$uri" ]] || fail "two starts at once"

[[ $(stat -c %a "$dir") == 700 ]] || fail "others may enter the folder"
[[ -z $(find "$dir" -maxdepth 1 -type f -perm /077) ]] ||
  fail "others may read its files"
port=$(cat "$dir/port")
mariadb --no-defaults -u root --protocol=tcp -h 127.0.0.1 -P "$port" -e 'DO 1' 2>/dev/null &&
  fail "root logs in through TCP"
if [[ $(id -u) == 0 ]]; then
  [[ $(stat -c %U "/proc/$(cat "$dir/pid")") == mysql ]] || fail "the server runs as root"
  # Other users cannot pass the folder. This checks the socket itself.
  (cd "$(dirname "$(cat "$dir/socket")")" && setpriv --reuid=nobody --clear-groups \
    mariadb --no-defaults -u root -S s.sock -e 'DO 1' 2>/dev/null) &&
    fail "another user of the machine logs in as root"
fi
read -r allowed < <(echo 'SELECT @@secure_file_priv' | script sql | tail -n 1)
[[ $allowed == NULL || $allowed == */none/ ]] || fail "SQL may use files: $allowed"

pid=$(cat "$dir/pid")
script stop
# A process that has ended and was not reaped has no command line.
if grep -q . "/proc/$pid/cmdline" 2>/dev/null; then fail "stop left the server"; fi
[[ $(script start) == "$uri" ]] || fail "start after stop changed the URI"
