# shellcheck shell=bash
# Functions of local-mysql.sh and local-cluster.sh. Sourced, not run.

# A server that runs in a chroot has no access to the caller's temporary folder.
unset TMPDIR

# The given port if it is free, else another.
free_port() { # [PORT]
  python3 - "${1:-0}" <<'PYTHON'
import socket, sys
for port in int(sys.argv[1]), 0:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        continue
    print(listener.getsockname()[1])
    break
PYTHON
}

new_password() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

wait_until_ready() { # PID SOCKET LOG
  for _ in $(seq 600); do
    [[ -S $2 ]] && mariadb-admin --no-defaults -u root -S "$2" ping >/dev/null 2>&1 && return 0
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  echo "$(basename "$0"): the server did not start:" >&2
  tail -n 20 "$3" >&2
  return 1
}

# Creates two accounts with the same password. contacts may do everything in the service's
# own databases. contacts_server may not change their schema.
make_users() { # SOCKET PASSWORD
  mariadb --no-defaults -u root -S "$1" <<SQL
CREATE DATABASE IF NOT EXISTS contacts CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'contacts'@'localhost' IDENTIFIED BY '$2';
CREATE USER IF NOT EXISTS 'contacts'@'127.0.0.1' IDENTIFIED BY '$2';
GRANT ALL ON \`contacts%\`.* TO 'contacts'@'localhost';
GRANT ALL ON \`contacts%\`.* TO 'contacts'@'127.0.0.1';
CREATE USER IF NOT EXISTS 'contacts_server'@'localhost' IDENTIFIED BY '$2';
CREATE USER IF NOT EXISTS 'contacts_server'@'127.0.0.1' IDENTIFIED BY '$2';
GRANT SELECT, INSERT, UPDATE, DELETE ON \`contacts%\`.* TO 'contacts_server'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE ON \`contacts%\`.* TO 'contacts_server'@'127.0.0.1';
-- MariaDB skips this: it has no such table.
/*!80000 GRANT SELECT ON performance_schema.replication_group_members TO 'contacts'@'localhost',
  'contacts'@'127.0.0.1', 'contacts_server'@'localhost', 'contacts_server'@'127.0.0.1' */;
SQL
}

# Oracle MySQL's folder. It is kept between runs, and made once if two scripts ask for it.
mysql_folder() {
  local cache=${CONTACTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/contacts} mirror
  mkdir -p "$cache"
  exec 9>"$cache/mysql-sid.lock"
  flock 9
  if [[ ! -x $cache/mysql-sid/usr/sbin/mysqld ]]; then
    rm -rf "$cache/mysql-sid" "$cache/mysql-sid.tmp"
    mirror=$(apt-get indextargets --format "\$(SITE)" 'Created-By: Packages' |
      grep -v security | head -n 1 || true)
    # Servers of every user read it.
    (umask 022 && debootstrap --variant=minbase --include=mysql-server-core sid \
      "$cache/mysql-sid.tmp" ${mirror:+"$mirror"}) >"$cache/mysql-sid.log" 2>&1 ||
      { tail -n 20 "$cache/mysql-sid.log" >&2; return 1; }
    mv "$cache/mysql-sid.tmp" "$cache/mysql-sid"
  fi
  exec 9>&-
  echo "$cache/mysql-sid"
}

# Name of a new folder below Oracle MySQL's folder.
new_instance() { echo "/srv/$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')"; }

install_mariadb() { # DATADIR LOG
  mariadb-install-db --no-defaults --datadir="$1" --user=root --skip-test-db \
    --auth-root-authentication-method=normal >"$2" 2>&1
}

install_mysql() { # FOLDER INSTANCE LOG
  mkdir -p "$1$2"
  chroot "$1" /usr/sbin/mysqld --no-defaults --initialize-insecure --user=root \
    --datadir="$2/data" >"$3" 2>&1
}

# The database would prefer an anonymous account of this host to the service's account.
forget_anonymous() { # SOCKET
  mariadb --no-defaults -u root -S "$1" \
    -e "DELETE FROM mysql.global_priv WHERE user = ''; FLUSH PRIVILEGES"
}

# shellcheck disable=SC2034  # Both scripts use it.
common_flags=(--character-set-server=utf8mb4 --default-time-zone=+00:00 --bind-address=127.0.0.1
  --max-connections=500 --innodb-flush-log-at-trx-commit=1)
