#!/bin/sh
# make-keys.sh DIR: an authority, the certificates that it signs, the database's passwords and a
# token key. Does nothing if they are there. The certificates last a year.
set -eu
cd "$1"
[ ! -e made ] || exit 0
umask 077

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }
issue() { # NAME SUBJECT_ALT_NAMES
  key "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
  printf 'subjectAltName=%s\n' "$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
    -extfile "$1.ext" -out "$1.crt" 2>/dev/null
  rm "$1.csr" "$1.ext"
}

key ca.key
openssl req -x509 -new -key ca.key -subj "/CN=contacts on this machine" -days 365 -out ca.crt
issue contactsd DNS:contactsd-1,DNS:contactsd-2,DNS:localhost,IP:127.0.0.1
issue mysql DNS:mysql,DNS:localhost
issue front-end DNS:front-end.example.org
issue directory-sync DNS:sync.example.org
for password in mysql_root_password mysql_password; do
  openssl rand -hex 16 >"$password"
done
contactsd --make_token_key >token_keys
cp mysql_password mysql_users_password
# Root owns them; the group of contactsd's user, or of MySQL's, reads them.
chgrp 65534 contactsd.key token_keys mysql_password
chgrp 999 mysql.key mysql_root_password mysql_users_password
chmod 0440 contactsd.key token_keys mysql_password mysql.key mysql_root_password mysql_users_password
chmod 0444 ./*.crt
chmod 0755 .
touch made
