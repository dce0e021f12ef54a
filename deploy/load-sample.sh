#!/usr/bin/env bash
# Creates the sample accounts and services that do not exist: load-sample.sh CONTACTCTL...
# CONTACTCTL... is the command that calls the server.
set -euo pipefail

quietly() { "$@" >/dev/null 2>&1; }
ctl=("$@")
account() { # ID LANGUAGE NAME
  quietly "${ctl[@]}" --operator operator account "$1" ||
    "${ctl[@]}" --operator operator create-account "$1" --email="$3@example.com" --language="$2" \
      >/dev/null
}
account ma100001-ovh fr marie
account th100002-ovh en thomas
account ai100003-ovh fr aicha
for service in marie-example.com vps-4f2a.example.com; do
  quietly "${ctl[@]}" --operator operator service "$service" ||
    "${ctl[@]}" --operator operator create-service "$service" --kind=domain \
      --admin=ma100001-ovh --tech=th100002-ovh --billing=ma100001-ovh \
      --owner-name="Marie Martin" >/dev/null
done
