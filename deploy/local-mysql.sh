#!/usr/bin/env bash
# A private database server on loopback.
#
#   local-mysql.sh start|stop|drop|uri|sql [--engine=mariadb|mysql] [--dir=DIR] [--port=N]
#                                          [--buffer-pool=SIZE] [-- FLAG...]
#
# start prints its URI once it is ready; run again, it only prints the URI. drop stops
# it and removes its data. sql runs what it reads as the database's root. DIR
# (default: var/mysql) keeps the data and the generated password. FLAGs are the
# database server's own. --engine=mysql runs Oracle MySQL of Debian unstable out of a
# folder that debootstrap makes once.
# With CONTACTS_DIE_WITH=PID, the server is killed once that process is gone.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
command=${1:-}
shift || true
engine=mariadb dir=$root/var/mysql port='' buffer_pool=256M flags=()
while (($#)); do
  case $1 in
    --engine=mariadb | --engine=mysql) engine=${1#*=} ;;
    --dir=?*) dir=$(realpath -m "${1#*=}") ;;
    --port=?*) port=${1#*=} ;;
    --buffer-pool=?*) buffer_pool=${1#*=} ;;
    --) flags=("${@:2}"); break ;;
    *) echo "local-mysql.sh: unknown argument $1" >&2; exit 2 ;;
  esac
  shift
done

read_state() { [[ -e $dir/$1 ]] && cat "$dir/$1"; }
running() {
  local pid
  pid=$(read_state pid) && [[ -n $pid ]] && kill -0 "$pid" 2>/dev/null &&
    grep -qzE 'mariadbd|mysqld' "/proc/$pid/cmdline" 2>/dev/null
}
uri() { echo "mysql://contacts:$(read_state password)@127.0.0.1:$(read_state port)/contacts"; }

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Kills the server when the process CONTACTS_DIE_WITH is gone, however it went.
watch_parent() {
  [[ -n ${CONTACTS_DIE_WITH:-} ]] || return 0
  # shellcheck disable=SC2016  # The inner shell expands them.
  setsid bash -c 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 0.5; done
    kill -9 "$2" 2>/dev/null' watch "$CONTACTS_DIE_WITH" "$1" </dev/null >/dev/null 2>&1 &
}

wait_until_ready() { # PID SOCKET
  for _ in $(seq 600); do
    [[ -S $2 ]] && mariadb-admin --no-defaults -u root -S "$2" ping >/dev/null 2>&1 && return 0
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  echo "local-mysql.sh: the server did not start:" >&2
  tail -n 20 "$dir/server.log" >&2
  return 1
}

# Two accounts with one password: contacts, which may do everything in the service's own
# databases, also change their schema, and contacts_server, which may not.
make_user() { # SOCKET
  local password
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  mariadb --no-defaults -u root -S "$1" <<SQL
CREATE DATABASE IF NOT EXISTS contacts CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'contacts'@'localhost' IDENTIFIED BY '$password';
CREATE USER IF NOT EXISTS 'contacts'@'127.0.0.1' IDENTIFIED BY '$password';
GRANT ALL ON \`contacts%\`.* TO 'contacts'@'localhost';
GRANT ALL ON \`contacts%\`.* TO 'contacts'@'127.0.0.1';
CREATE USER IF NOT EXISTS 'contacts_server'@'localhost' IDENTIFIED BY '$password';
CREATE USER IF NOT EXISTS 'contacts_server'@'127.0.0.1' IDENTIFIED BY '$password';
GRANT SELECT, INSERT, UPDATE, DELETE ON \`contacts%\`.* TO 'contacts_server'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE ON \`contacts%\`.* TO 'contacts_server'@'127.0.0.1';
SQL
  (umask 077 && echo "$password" >"$dir/password")
}

common=(--character-set-server=utf8mb4 --default-time-zone=+00:00 --bind-address=127.0.0.1
  --max-connections=500 "--innodb-buffer-pool-size=$buffer_pool"
  --innodb-flush-log-at-trx-commit=1)

started() { # PID SOCKET
  echo "$1" >"$dir/pid"
  echo "$2" >"$dir/socket"
  wait_until_ready "$1" "$2"
  watch_parent "$1"
  [[ -s $dir/password ]] || make_user "$2"
}

start_mariadb() {
  local socket=$dir/s.sock
  # A socket's path holds 107 bytes.
  ((${#socket} < 100)) || socket=$(mktemp -d /tmp/contacts-mysql.XXXXXX)/s.sock
  if [[ ! -d $dir/data/mysql ]]; then
    rm -rf "$dir/data" "$dir/password"
    mariadb-install-db --no-defaults --datadir="$dir/data" --user=root --skip-test-db \
      --auth-root-authentication-method=normal >"$dir/install.log" 2>&1
    mariadb_forget_anonymous=1
  fi
  setsid mariadbd --no-defaults --datadir="$dir/data" --user=root --socket="$socket" \
    --port="$port" --pid-file="$dir/server.pid" "${common[@]}" "${flags[@]}" \
    </dev/null >"$dir/server.log" 2>&1 &
  started $! "$socket"
  if [[ -n ${mariadb_forget_anonymous:-} ]]; then
    # An anonymous account of this host would be chosen before the service's.
    mariadb --no-defaults -u root -S "$socket" \
      -e "DELETE FROM mysql.global_priv WHERE user = ''; FLUSH PRIVILEGES"
  fi
}

# Oracle MySQL's folder, kept between runs and made once even when two ask for it.
mysql_folder() {
  local cache=${CONTACTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/contacts} mirror
  mkdir -p "$cache"
  exec 9>"$cache/mysql-sid.lock"
  flock 9
  if [[ ! -x $cache/mysql-sid/usr/sbin/mysqld ]]; then
    rm -rf "$cache/mysql-sid" "$cache/mysql-sid.tmp"
    mirror=$(apt-get indextargets --format "\$(SITE)" 'Created-By: Packages' |
      grep -v security | head -n 1 || true)
    debootstrap --variant=minbase --include=mysql-server-core sid "$cache/mysql-sid.tmp" \
      ${mirror:+"$mirror"} >"$cache/mysql-sid.log" 2>&1 ||
      { tail -n 20 "$cache/mysql-sid.log" >&2; return 1; }
    mv "$cache/mysql-sid.tmp" "$cache/mysql-sid"
  fi
  exec 9>&-
  echo "$cache/mysql-sid"
}

start_mysql() {
  local folder instance
  folder=$(mysql_folder)
  instance=$(read_state instance || true)
  if [[ -z $instance || ! -d $folder$instance/data/mysql ]]; then
    instance=/srv/$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')
    mkdir -p "$folder$instance"
    rm -f "$dir/password"
    chroot "$folder" /usr/sbin/mysqld --no-defaults --initialize-insecure --user=root \
      --datadir="$instance/data" >"$dir/install.log" 2>&1
    echo "$folder" >"$dir/folder"
    echo "$instance" >"$dir/instance"
  fi
  setsid chroot "$folder" /usr/sbin/mysqld --no-defaults --user=root \
    --datadir="$instance/data" --socket="$instance/s.sock" --port="$port" \
    --pid-file="$instance/server.pid" --secure-file-priv=NULL --mysqlx=OFF --sync-binlog=1 \
    "${common[@]}" "${flags[@]}" </dev/null >"$dir/server.log" 2>&1 &
  started $! "$folder$instance/s.sock"
}

stop_server() {
  local pid
  if running; then
    pid=$(read_state pid)
    kill "$pid"
    for _ in $(seq 300); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$dir/pid"
  if [[ $(read_state socket) == /tmp/contacts-mysql.* ]]; then rm -rf "$(dirname "$(cat "$dir/socket")")"; fi
}

case $command in
  start)
    mkdir -p "$dir"
    exec 8>"$dir/lock"
    flock 8
    if ! running; then
      port=${port:-$(read_state port || free_port)}
      echo "$port" >"$dir/port"
      # The lock is not the server's to keep.
      "start_$engine" 8>&-
    fi
    uri
    ;;
  stop) stop_server ;;
  drop)
    stop_server
    if [[ -s $dir/instance ]]; then rm -rf "$(cat "$dir/folder")$(cat "$dir/instance")"; fi
    rm -rf "$dir"
    ;;
  uri)
    running || { echo "local-mysql.sh: not running in $dir" >&2; exit 1; }
    uri
    ;;
  sql)
    exec mariadb --no-defaults -u root -S "$(read_state socket)"
    ;;
  *)
    sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
