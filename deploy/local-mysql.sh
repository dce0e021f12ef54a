#!/usr/bin/env bash
# A private database server on loopback.
#
#   local-mysql.sh start|stop|drop|uri|sql [--engine=mariadb|mysql] [--dir=DIR] [--port=N]
#                                          [--buffer-pool=SIZE] [--tls=DIR|none] [-- FLAG...]
#
# start prints the server's URI once the server is ready; run again, it only prints the
# URI. drop stops the server and removes its data. sql runs its input as the database's
# root. DIR (default: var/mysql, mode 0700) keeps the data and the generated password.
# FLAGs are the database server's own. --engine=mysql runs Oracle MySQL of Debian unstable
# out of a folder that debootstrap makes once. --tls=DIR: the server's TLS is set up with a copy of
# ca.pem, cert.pem and key.pem in DIR; --tls=none: it offers none. Default: the engine's own.
# If CONTACTS_DIE_WITH=PID is set, the server is killed once that process is gone.
#
# If root starts it, the server runs as the user mysql in a chroot of its own folder.
# The database's root can log in through the socket only, and only as the user who
# started the server.
set -euo pipefail
umask 077

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=deploy/local-database.sh
. "$root/deploy/local-database.sh"
command=${1:-}
shift || true
engine=mariadb dir=$root/var/mysql port='' buffer_pool=256M tls='' flags=()
while (($#)); do
  case $1 in
    --engine=mariadb | --engine=mysql) engine=${1#*=} ;;
    --dir=?*) dir=$(realpath -m "${1#*=}") ;;
    --port=?*) port=${1#*=} ;;
    --buffer-pool=?*) buffer_pool=${1#*=} ;;
    --tls=?*) tls=${1#*=} ;;
    --) flags=("${@:2}"); break ;;
    *) echo "local-mysql.sh: unknown argument $1" >&2; exit 2 ;;
  esac
  shift
done

read_state() { [[ -e $dir/$1 ]] && cat "$dir/$1"; }
# The server holds a lock on this file until the kernel has ended the whole process. A
# process id does not show that: it may belong to a zombie, or to a newer process.
running() { [[ -e $dir/alive ]] && ! flock --nonblock --shared "$dir/alive" true; }
uri() { echo "mysql://contacts:$(read_state password)@127.0.0.1:$(read_state port)/contacts"; }
# The path of a socket is limited to 107 bytes, so the client gets a relative one.
sql() { cd "$(dirname "$(read_state socket)")" && mariadb --no-defaults -u root -S s.sock "$@"; }
answers() { (sql -e 'DO 1') >/dev/null 2>&1; }

# Kills the server when the process CONTACTS_DIE_WITH has ended for any reason.
watch_parent() {
  [[ -n ${CONTACTS_DIE_WITH:-} ]] || return 0
  # shellcheck disable=SC2016  # The inner shell expands them.
  setsid bash -c 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 0.5; done
    kill -0 "$1" 2>/dev/null || kill -9 "$2" 2>/dev/null' watch "$CONTACTS_DIE_WITH" "$1" \
    8>&- </dev/null >/dev/null 2>&1 &
}

wait_for_server() {
  for _ in $(seq 600); do
    answers && return 0
    running || break
    sleep 0.1
  done
  echo "local-mysql.sh: the server did not start:" >&2
  tail -n 20 "$dir/server.log" >&2
  return 1
}

# Statements that run before the server takes connections. The accounts contacts and
# contacts_server have one password: contacts may do everything in the service's own
# databases, contacts_server may not change their schema.
write_init_file() { # FILE STATEMENT...
  [[ -s $dir/password ]] || new_password >"$dir/password"
  local file=$1 host password
  password=$(cat "$dir/password")
  echo "CREATE DATABASE IF NOT EXISTS contacts CHARACTER SET utf8mb4;" >"$file"
  for host in localhost 127.0.0.1; do
    cat >>"$file" <<SQL
CREATE USER IF NOT EXISTS 'contacts'@'$host' IDENTIFIED BY '$password';
GRANT ALL ON \`contacts%\`.* TO 'contacts'@'$host';
CREATE USER IF NOT EXISTS 'contacts_server'@'$host' IDENTIFIED BY '$password';
GRANT SELECT, INSERT, UPDATE, DELETE ON \`contacts%\`.* TO 'contacts_server'@'$host';
SQL
  done
  printf '%s;\n' "${@:2}" >>"$file"
}

common=("${common_flags[@]}" "--innodb-buffer-pool-size=$buffer_pool" --socket=s.sock)
# Adds the flags of --tls and copies its files. FOLDER: the server's own; INSIDE: its name for it.
add_tls() { # FOLDER INSIDE
  case $tls in
    '') ;;
    none)
      if [[ $engine == mysql ]]; then flags+=(--tls-version=''); else flags+=(--skip-ssl); fi ;;
    *)
      mkdir -p "$1/tls"
      cp "$tls"/{ca,cert,key}.pem "$1/tls"
      flags+=("--ssl-ca=$2/tls/ca.pem" "--ssl-cert=$2/tls/cert.pem" "--ssl-key=$2/tls/key.pem") ;;
  esac
}

# "yes" if this script can change the server's user and root folder.
privileged=$([[ $(id -u) != 0 ]] || echo yes)

# Starts COMMAND... with the lock that running() looks at. FOLDER: the server's own.
launch() { # FOLDER COMMAND...
  local folder=$1
  # A killed server leaves both files. The process id in the lock may belong to a newer process.
  rm -f "$folder/data/s.sock" "$folder/data/s.sock.lock"
  [[ -z $privileged ]] || chown -R mysql: "$folder"
  echo "$folder/data/s.sock" >"$dir/socket"
  exec 7>"$dir/alive"
  flock 7
  # The server and its watcher must not inherit the lock of start (descriptor 8).
  setsid "${@:2}" 8>&- </dev/null >"$dir/server.log" 2>&1 &
  exec 7>&-
  echo "$!" >"$dir/pid"
  watch_parent "$!"
  wait_for_server
}

start_mariadb() {
  local folder=$dir/server inside=$dir/server as=()
  mkdir -p "$folder/tmp" "$folder/none" "$folder/etc"
  if [[ -n $privileged ]]; then
    inside='' as=(--chroot="$folder" --user=mysql)
    # Names of the users who the server runs as and who may be the database's root.
    getent passwd root mysql >"$folder/etc/passwd"
  fi
  # Moves data of earlier versions of this script.
  if [[ -d $dir/data/mysql ]]; then mv "$dir/data" "$folder/data"; fi
  if [[ ! -d $folder/data/mysql ]]; then
    rm -rf "$folder/data" "$dir/password"
    mariadb-install-db --no-defaults --datadir="$folder/data" --user="$(id -un)" --skip-test-db \
      --auth-root-authentication-method=socket >"$dir/install.log" 2>&1
  fi
  write_init_file "$folder/init.sql" \
    "DELETE FROM mysql.global_priv WHERE user IN ('', 'root') AND host <> 'localhost'" \
    "FLUSH PRIVILEGES" \
    "ALTER USER root@localhost IDENTIFIED VIA unix_socket AS '$(id -un)'"
  add_tls "$folder" "$inside"
  launch "$folder" mariadbd --no-defaults "${as[@]}" --datadir="$inside/data" \
    --tmpdir="$inside/tmp" --secure-file-priv="$inside/none" --init-file="$inside/init.sql" \
    --port="$port" --pid-file="$inside/server.pid" "${common[@]}" "${flags[@]}"
}

start_mysql() {
  local folder instance
  [[ -n $privileged ]] || { echo "local-mysql.sh: --engine=mysql: want root, for chroot" >&2; exit 1; }
  folder=$(mysql_folder)
  instance=$(read_state instance || true)
  if [[ -z $instance || ! -d $folder$instance/data/mysql ]]; then
    instance=$(new_instance)
    rm -f "$dir/password"
    install_mysql "$folder" "$instance" "$dir/install.log"
    echo "$folder" >"$dir/folder"
    echo "$instance" >"$dir/instance"
  fi
  mkdir -p "$folder$instance/tmp"
  write_init_file "$folder$instance/init.sql" \
    "GRANT SELECT ON performance_schema.replication_group_members TO contacts@localhost, \
'contacts'@'127.0.0.1', contacts_server@localhost, 'contacts_server'@'127.0.0.1'" \
    "ALTER USER root@localhost IDENTIFIED WITH auth_socket AS 'root'"
  add_tls "$folder$instance" "$instance"
  launch "$folder$instance" chroot --userspec="$(id -u mysql):$(id -g mysql)" "$folder" \
    /usr/sbin/mysqld --no-defaults --datadir="$instance/data" --tmpdir="$instance/tmp" \
    --secure-file-priv=NULL --init-file="$instance/init.sql" --port="$port" \
    --pid-file="$instance/server.pid" --plugin-load-add=auth_socket.so --mysqlx=OFF \
    --sync-binlog=1 "${common[@]}" "${flags[@]}"
}

stop_server() {
  if running; then
    kill "$(read_state pid)" 2>/dev/null || true
    flock --wait 30 --shared "$dir/alive" true || kill -9 "$(read_state pid)" 2>/dev/null || true
    flock --wait 30 --shared "$dir/alive" true || true
  fi
  rm -f "$dir/pid"
}

case $command in
  start)
    mkdir -p "$dir"
    chmod 700 "$dir"
    exec 8>"$dir/lock"
    flock 8
    # A server that has just been killed may need a moment to end.
    while running && ! answers; do sleep 0.1; done
    if ! running; then
      port=${port:-$(free_port "$(read_state port || true)")}
      echo "$port" >"$dir/port"
      "start_$engine"
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
  sql) sql ;;
  *)
    sed -n '2,17s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
