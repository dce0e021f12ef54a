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
# shellcheck source=deploy/local-database.sh
. "$root/deploy/local-database.sh"
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

# Kills the server when the process CONTACTS_DIE_WITH is gone, however it went.
watch_parent() {
  [[ -n ${CONTACTS_DIE_WITH:-} ]] || return 0
  # shellcheck disable=SC2016  # The inner shell expands them.
  setsid bash -c 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 0.5; done
    kill -9 "$2" 2>/dev/null' watch "$CONTACTS_DIE_WITH" "$1" </dev/null >/dev/null 2>&1 &
}

common=("${common_flags[@]}" "--innodb-buffer-pool-size=$buffer_pool")

started() { # PID SOCKET
  echo "$1" >"$dir/pid"
  echo "$2" >"$dir/socket"
  wait_until_ready "$1" "$2" "$dir/server.log"
  watch_parent "$1"
  if [[ ! -s $dir/password ]]; then
    local password
    password=$(new_password)
    make_users "$2" "$password"
    (umask 077 && echo "$password" >"$dir/password")
  fi
}

start_mariadb() {
  local socket=$dir/s.sock
  # A socket's path holds 107 bytes.
  ((${#socket} < 100)) || socket=$(mktemp -d /tmp/contacts-mysql.XXXXXX)/s.sock
  if [[ ! -d $dir/data/mysql ]]; then
    rm -rf "$dir/data" "$dir/password"
    install_mariadb "$dir/data" "$dir/install.log"
    mariadb_forget_anonymous=1
  fi
  setsid mariadbd --no-defaults --datadir="$dir/data" --user=root --socket="$socket" \
    --port="$port" --pid-file="$dir/server.pid" "${common[@]}" "${flags[@]}" \
    </dev/null >"$dir/server.log" 2>&1 &
  started $! "$socket"
  if [[ -n ${mariadb_forget_anonymous:-} ]]; then forget_anonymous "$socket"; fi
}

start_mysql() {
  local folder instance
  folder=$(mysql_folder)
  instance=$(read_state instance || true)
  if [[ -z $instance || ! -d $folder$instance/data/mysql ]]; then
    instance=$(new_instance)
    rm -f "$dir/password"
    install_mysql "$folder" "$instance" "$dir/install.log"
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
