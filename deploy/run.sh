#!/usr/bin/env bash
# Builds and runs everything locally, plays one contact change from request to
# effect, then keeps serving until Ctrl-C: calls and the account area, pages in a
# browser. --exit stops after the played change.
# The database, e-mails and token keys are stored in var/.
set -euo pipefail
cd "$(dirname "$0")/.."

keep_serving=1
case ${1:-} in
  '') ;;
  --exit) keep_serving= ;;
  *) echo "usage: deploy/run.sh [--exit]" >&2; exit 2 ;;
esac

address=127.0.0.1:50051
pages=localhost:8080
domain=example.com
bin=$PWD/build/release
var=$PWD/var

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
ctl() { "$bin/client/contactctl" --server="$address" "$@"; }
# Shows the command as a person would type it, then runs it.
show() {
  printf '$ contactctl'
  local word
  for word; do
    if [[ $word =~ [^A-Za-z0-9_./:=@,-] ]]; then word=${word@Q}; fi
    printf ' %s' "$word"
  done
  echo
  ctl "$@"
}

server_pid='' pages_pid=''
stop() {
  trap - EXIT INT TERM HUP
  local pid
  for pid in $pages_pid $server_pid; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  deploy/local-mysql.sh stop
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say "Installing what is missing, building"
deploy/install-packages.sh build run
[[ -e build/release/build.ninja ]] || cmake --preset release >/dev/null
cmake --build --preset release --target contactsd contactctl contacts-web

# Waits until PROGRAM, with the process id PID, says that it listens.
await() { # PROGRAM PID
  for _ in $(seq 300); do
    grep -s '^listening on' "$var/$1.out" && return
    kill -0 "$2" 2>/dev/null || break
    sleep 0.1
  done
  grep -s '^listening on' "$var/$1.out" && return
  echo "$1 did not start; the end of var/$1.log:" >&2
  tail -n 5 "$var/$1.log" >&2
  exit 1
}

say "Starting the database, the server and the account area"
# Logs, e-mails and keys in var/ are readable by their owner only.
umask 077
mkdir -p "$var/mail"
for name in contactsd contacts-web; do
  touch "$var/$name.log"
  chmod 600 "$var/$name.log"
  rm -f "$var/$name.out"
done
# The database and the server watch this script and end with it.
uri=$(CONTACTS_DIE_WITH=$$ deploy/local-mysql.sh start)
# The server gets a session of its own, so that the terminal's Ctrl-C reaches only this
# script, which then stops the server once.
(
  cd "$var"
  exec setsid setpriv --pdeathsig KILL "$bin/server/contactsd" --migrate --auth=development \
    --listen="$address" --mysql="${uri/:$(cat mysql/password)@/@}" \
    --mysql_password_file=mysql/password --mail="maildir:$var/mail" \
    --link_url="http://$pages/contact-changes/{contact_change_id}?token={token}&answer={answer}&account={account}" \
    --confirm_url="http://$pages/confirm-email?token={token}" \
    >"$var/contactsd.out" 2>>"$var/contactsd.log"
) &
server_pid=$!
await contactsd "$server_pid"
setsid setpriv --pdeathsig KILL "$bin/client/contacts-web" --sign_in=development --listen="$pages" \
  --server="$address" --mail_folder="$var/mail" >"$var/contacts-web.out" 2>>"$var/contacts-web.log" &
pages_pid=$!
await contacts-web "$pages_pid"

say "Loading a small directory"
deploy/load-sample.sh "$bin/client/contactctl" --server="$address"
show --account=ma100001-ovh services

service=marie-$domain
tech=$(ctl --account=ma100001-ovh --output=json service "$service" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["service"]["tech"])')
if [[ $tech == th100002-ovh ]]; then
  new=ai100003-ovh new_mail=aicha@$domain
else
  new=th100002-ovh new_mail=thomas@$domain
fi
# Cancels the change that an interrupted run left pending: it would block the next one.
ctl --account=ma100001-ovh --output=json changes --state=validating --service="$service" |
  python3 -c 'import json, sys
for change in json.load(sys.stdin).get("contact_changes", []): print(change["id"])' |
  while read -r id; do ctl --account=ma100001-ovh cancel "$id" >/dev/null; done

say "Marie, the admin contact, hands the tech role of $service from $tech to $new"
show --account=ma100001-ovh change --service="$service" --role=tech --to="$new"
id=$(ctl --account=ma100001-ovh --output=json changes --state=validating --service="$service" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["contact_changes"][0]["id"])')

say "Marie accepts with the link from her e-mail"
show --account=ma100001-ovh accept "$(deploy/read-mail.py --link "marie@$domain" "$id")"
say "The new contact accepts too: the change takes effect"
touch "$var/marker"
show --account="$new" accept "$(deploy/read-mail.py --link "$new_mail" "$id")"
show --account=ma100001-ovh service "$service"
show --account=ma100001-ovh history "$id"

say "All three are told"
told() { find "$var/mail/new" -type f -newer "$var/marker" | wc -l; }
for _ in $(seq 150); do
  (($(told) >= 3)) && break
  sleep 0.1
done
(($(told) >= 3)) || { echo "want 3 e-mails, found $(told)" >&2; exit 1; }
find "$var/mail/new" -type f -newer "$var/marker" -exec deploy/read-mail.py --subject {} +

echo "To read the e-mails: deploy/read-mail.py [ADDRESS]"

if [[ -z $keep_serving ]]; then
  say "Done"
  exit 0
fi
say "Serving calls on $address until Ctrl-C; try: build/release/client/contactctl --account=ma100001-ovh services"
say "The account area: http://$pages  (sign in as ma100001-ovh, Marie)"
wait "$server_pid"
