#!/usr/bin/env bash
# play.sh MAILDIR CONTACTCTL...: plays one change from request to effect on a server whose e-mails
# are in MAILDIR. CONTACTCTL... is the command that calls the server.
set -euo pipefail
cd "$(dirname "$0")/../.."

mail=$1
shift
ctl=("$@")
link() { deploy/read-mail.py --maildir="$mail" --link "$1" "$2"; }

deploy/load-sample.sh "${ctl[@]}"
id=$("${ctl[@]}" --account=ma100001-ovh --output=json change --service=marie-example.com --role=tech --to=ai100003-ovh |
  grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' | head -n 1)
"${ctl[@]}" --account=ma100001-ovh accept "$(link marie@example.com "$id")" >/dev/null
"${ctl[@]}" --account=ai100003-ovh accept "$(link aicha@example.com "$id")"
"${ctl[@]}" --account=ma100001-ovh --output=json service marie-example.com | grep -q '"tech": *"ai100003-ovh"' ||
  { echo "the change did not take effect" >&2; exit 1; }
