# shellcheck shell=bash
# Functions of image.sh and packages.sh. Sourced, not run.

# Prints the name of a tar file: a fresh Debian 12, made once by debootstrap.
debian_base() { # CACHE
  local base=$1/debian-12.tar folder mirror
  if [[ ! -s $base ]]; then
    folder=$(mktemp -d "$1/debian-12.XXXXXX")
    chmod 755 "$folder"  # It becomes /, which nobody has to pass through.
    mirror=$(apt-get indextargets --format "\$(SITE)" 'Created-By: Packages' |
      grep -v security | head -n 1 || true)
    (umask 022 && debootstrap --variant=minbase --include=ca-certificates bookworm "$folder" ${mirror:+"$mirror"}) \
      >"$base.log" 2>&1 || { tail -n 20 "$base.log" >&2; return 1; }
    rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/*
    tar -C "$folder" --exclude=./dev -cf "$base.new" .
    mv "$base.new" "$base"
    rm -rf "$folder"
  fi
  echo "$base"
}

# Prints the address that a server listens on, once it does. If it ends instead, or after 30 s,
# prints the end of its log and fails.
await_address() { # PID OUTPUT LOG
  local address
  for _ in $(seq 300); do
    grep -qs '^listening on' "$2" && break
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  address=$(sed -n 's/^listening on //p' "$2")
  [[ -n $address ]] || { tail -n 5 "$3" >&2; return 1; }
  echo "$address"
}
