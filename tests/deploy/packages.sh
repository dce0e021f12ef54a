#!/usr/bin/env bash
# Builds the Debian packages, installs the server's and the client's in a fresh Debian, plays a
# change there, removes them, and builds a C++ client outside of this tree against the development
# package. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."

deploy/install-packages.sh build run package
cache=${CONTACTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/contacts}
mkdir -p "$cache"
scratch=$(mktemp -d /tmp/contacts-packages.XXXXXX)
fresh=$scratch/debian
server=
cleanup() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  if mountpoint -q "$fresh/proc"; then umount "$fresh/proc"; fi
  if [[ -e $scratch/mysql ]]; then deploy/local-mysql.sh drop --dir="$scratch/mysql"; fi
  rm -rf "$scratch"
}
trap cleanup EXIT

[[ -e build/release/build.ninja ]] || cmake --preset release >/dev/null
cmake --build --preset release --target contactsd contactctl contacts-web contacts_grpc google_rpc_proto
(cd build/release && cpack -G DEB -B "$scratch/packages") >"$scratch/cpack.log" 2>&1 ||
  { tail -n 20 "$scratch/cpack.log" >&2; exit 1; }
find "$scratch/packages" -name '*.deb' -printf '%f %s bytes\n'

. tests/deploy/debian.sh
mkdir "$fresh"
tar -C "$fresh" -xf "$(debian_base "$cache")"
mkdir -p "$fresh/dev"
for device in null zero random urandom; do cp -a "/dev/$device" "$fresh/dev/"; done
cp /etc/resolv.conf "$fresh/etc/"
mount -t proc none "$fresh/proc"
cp "$scratch"/packages/contact{sd,ctl,s-web}_*.deb "$fresh/tmp/"
inside() { DEBIAN_FRONTEND=noninteractive chroot "$fresh" "$@"; }
{
  inside apt-get -qq update
  inside sh -c 'apt-get -qq install -y --no-install-recommends /tmp/*.deb'
} >"$scratch/apt.log" 2>&1 || { tail -n 20 "$scratch/apt.log" >&2; exit 1; }
for file in /usr/bin/contactsd /usr/bin/contactctl /lib/systemd/system/contactsd.service /etc/contacts/contactsd.env \
  /usr/bin/contacts-web /usr/share/man/man1/contact{sd,ctl,s-web}.1 \
  /usr/share/bash-completion/completions/contactctl /usr/share/zsh/vendor-completions/_contactctl \
  /usr/share/fish/vendor_completions.d/contactctl.fish; do
  [[ -s $fresh$file ]] || { echo "$file is missing" >&2; exit 1; }
done
inside contactsd --version

# The password is in a file of its own.
uri=$(CONTACTS_DIE_WITH=$$ deploy/local-mysql.sh start --dir="$scratch/mysql" | sed 's/:[^:@]*@/@/')
mkdir -m 0700 "$fresh/var/lib/contacts"
cp "$scratch/mysql/password" "$fresh/etc/contacts/mysql_password"
inside contactsd --make_token_key >"$fresh/etc/contacts/token_keys"
chmod 0600 "$fresh"/etc/contacts/{mysql_password,token_keys}
cat >>"$fresh/etc/contacts/flags" <<FLAGS
listen = 127.0.0.1:0
mysql = $uri
mysql_password_file = /etc/contacts/mysql_password
token_keys_file = /etc/contacts/token_keys
mail = maildir:/var/lib/contacts/mail
FLAGS
inside contactsd --flagfile=/etc/contacts/flags --migrate_only
inside contactsd --flagfile=/etc/contacts/flags --check
chroot "$fresh" contactsd --flagfile=/etc/contacts/flags >"$scratch/out" 2>"$scratch/log" &
server=$!
address=$(await_address "$server" "$scratch/out" "$scratch/log")
tests/deploy/play.sh "$fresh/var/lib/contacts/mail" chroot "$fresh" contactctl --server="$address"

mkdir "$scratch/dev"
dpkg-deb -x "$scratch"/packages/libcontacts-dev_*.deb "$scratch/dev"
cmake -S tests/deploy/sample -B "$scratch/sample" -G Ninja -DCMAKE_PREFIX_PATH="$scratch/dev/usr" >"$scratch/cmake.log" ||
  { tail -n 20 "$scratch/cmake.log" >&2; exit 1; }
cmake --build "$scratch/sample" >"$scratch/cmake.log" || { tail -n 20 "$scratch/cmake.log" >&2; exit 1; }
"$scratch/sample/sample" "$address" ma100001-ovh | tee "$scratch/services"
grep -qx 'marie-example.com' "$scratch/services"

inside sh -c 'apt-get -qq purge -y contactsd contactctl' >"$scratch/apt.log" 2>&1 ||
  { tail -n 20 "$scratch/apt.log" >&2; exit 1; }
[[ ! -e $fresh/usr/bin/contactsd && ! -e $fresh/etc/contacts/contactsd.env ]] ||
  { echo "a removed package left files" >&2; exit 1; }
echo "the packages work"
