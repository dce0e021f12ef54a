#!/usr/bin/env bash
# Builds deploy/Dockerfile from a clean checkout, starts the image as nobody with a read-only root
# and without capabilities, and plays a change through it. Reaches no image registry: the base is
# made by debootstrap. Needs root. Takes minutes, most of them to compile.
set -euo pipefail
cd "$(dirname "$0")/../.."

deploy/install-packages.sh build run image
cache=${CONTACTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/contacts}
scratch=$(mktemp -d /tmp/contacts-image.XXXXXX)
build=(buildah --storage-driver vfs --root "$scratch/storage" --runroot "$scratch/run")
server=
cleanup() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  if [[ -e $scratch/mysql ]]; then deploy/local-mysql.sh drop --dir="$scratch/mysql"; fi
  "${build[@]}" rm --all >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap cleanup EXIT

. tests/deploy/debian.sh
base=$(debian_base "$cache")
container=$("${build[@]}" from scratch)
"${build[@]}" add --quiet "$container" "$base" / >/dev/null
"${build[@]}" commit --quiet "$container" localhost/debian:12 >/dev/null

# The context is a clean checkout. A compiler cache is kept between runs.
mkdir -p "$scratch/context" "$cache/ccache"
git archive HEAD | tar -x -C "$scratch/context"
begin=$SECONDS
"${build[@]}" bud --isolation chroot --layers=false --pull-never --build-arg DEBIAN=localhost/debian:12 \
  --volume "$cache/ccache:/root/.cache/ccache" --format docker \
  --file "$scratch/context/deploy/Dockerfile" --tag contactsd "$scratch/context" >"$scratch/build.log" 2>&1 ||
  { tail -n 40 "$scratch/build.log" >&2; exit 1; }
echo "built in $((SECONDS - begin)) s"

container=$("${build[@]}" from --pull-never localhost/contactsd)
root=$("${build[@]}" mount "$container")
"${build[@]}" inspect --type image localhost/contactsd >"$scratch/image.json"
python3 - "$scratch/image.json" <<'PYTHON'
import json, sys
config = json.load(open(sys.argv[1]))["Docker"]["config"]
assert config["User"] == "65534:65534", config["User"]
assert config["Entrypoint"] == ["contactsd"], config["Entrypoint"]
assert config["Healthcheck"]["Test"] == ["CMD", "contactsd", "--probe"], config
assert config["Labels"]["org.opencontainers.image.version"], config["Labels"]
PYTHON
for program in gcc g++ cc1plus cmake ninja protoc git; do
  [[ -z $(find "$root" -name "$program" -type f) ]] || { echo "the image has $program" >&2; exit 1; }
done
[[ -s $root/etc/ssl/certs/ca-certificates.crt ]] || { echo "the image has no authorities" >&2; exit 1; }
echo "image: $(du -sm --apparent-size "$root" | cut -f 1) MB, of which the programs $(du -sm --apparent-size -c "$root"/usr/bin/contact* | tail -n 1 | cut -f 1) MB"

# Nobody's, as a volume of Kubernetes: the secrets are root's, and the group reads them.
uri=$(CONTACTS_DIE_WITH=$$ deploy/local-mysql.sh start --dir="$scratch/mysql" | sed 's/:[^:@]*@/@/')
mkdir -m 0755 "$scratch/volume"
mkdir -m 0777 "$scratch/volume/mail"
"$root/usr/bin/contactsd" --version
"$root/usr/bin/contactsd" --make_token_key >"$scratch/volume/token_keys"
cp "$scratch/mysql/password" "$scratch/volume/mysql_password"
chown 0:65534 "$scratch"/volume/{token_keys,mysql_password}
chmod 0440 "$scratch"/volume/{token_keys,mysql_password}
chmod 755 "$scratch"
# Nobody cannot pass through buildah's folders.
mkdir -m 0755 "$scratch/root"
# Runs a command of the image: root read-only, nobody, no capability, no new privilege.
in_image() {
  # shellcheck disable=SC2016  # The inner shell expands them.
  unshare --mount bash -c 'image=$1 root=$2 volume=$3; shift 3
    mount --bind "$image" "$root"
    mount -t tmpfs -o mode=755 none "$root/mnt"
    mkdir "$root/mnt/volume"
    mount --bind "$volume" "$root/mnt/volume"
    mount -o remount,bind,ro "$root"
    exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all \
      --bounding-set=-all unshare --user --root="$root" --wd=/ "$@"' in_image "$root" "$scratch/root" "$scratch/volume" "$@"
}
in_image contactsd --migrate --listen=127.0.0.1:0 --mysql="$uri" \
  --mysql_password_file=/mnt/volume/mysql_password --token_keys_file=/mnt/volume/token_keys \
  --mail=maildir:/mnt/volume/mail >"$scratch/out" 2>"$scratch/log" &
server=$!
address=$(await_address "$server" "$scratch/out" "$scratch/log")
in_image contactsd --probe --listen="$address"
ctl() { in_image contactctl --server="$address" "$@"; }
export -f ctl in_image
export root scratch address
tests/deploy/play.sh "$scratch/volume/mail" bash -c 'ctl "$@"' ctl
echo "the image works"
