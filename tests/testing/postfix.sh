#!/bin/bash
# Runs a private Postfix with Debian's settings until standard input ends.
# postfix.sh DIR PORT [LINE OF main.cf]...
set -euo pipefail
dir=$1 port=$2
shift 2
mkdir -p "$dir/etc" "$dir/queue" "$dir/data"
chmod 755 "$dir"
chown postfix "$dir/data"
# Without chroots, and on a loopback port instead of port 25.
sed -E "s/^smtp +inet.*/127.0.0.1:$port inet n - n - - smtpd/; s/^(\S+\s+unix\s+\S+\s+\S+\s+)y/\1n/" \
  /usr/share/postfix/master.cf.dist >"$dir/etc/master.cf"
cat /usr/share/postfix/main.cf.debian - >"$dir/etc/main.cf" <<X
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/log
maillog_file_prefixes = $dir
myhostname = mail.example
mydestination = mail.example
mynetworks = 192.0.2.0/24
inet_interfaces = loopback-only
local_recipient_maps = inline:{accept=x}
alias_maps =
defer_transports = local, smtp
X
printf '%s\n' "$@" >>"$dir/etc/main.cf"
trap 'postfix -c "$dir/etc" stop 2>/dev/null || true' EXIT
postfix -c "$dir/etc" start 2>"$dir/errors"
cat >/dev/null
