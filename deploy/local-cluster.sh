#!/usr/bin/env bash
# A private cluster of three database servers on loopback: Oracle MySQL's Group
# Replication with a single primary, or Galera (MariaDB).
#
#   local-cluster.sh COMMAND [N] [--engine=mysql|mariadb] [--dir=DIR] [--buffer-pool=SIZE]
#
#   start     starts every member that is down, also after a loss of all; prints the URI
#   stop      stops every member      drop      stops and removes the data
#   uri       prints the URI: the three members, the service's user
#   status    prints a line a member: number, endpoint, process, state, role
#   sql N     runs its input as root on member N
#   kill N    kill -9                 restart N starts member N, which joins the others
#   freeze N  SIGSTOP                 thaw N    SIGCONT
#   cut N     drops every packet between member N and the other two; clients reach all
#   silence N drops every packet to and from member N, clients' too
#   isolate N as cut, and clients reach only member N
#   heal N    undoes cut, silence and isolate
#   move N    makes N the primary; exit status 2 with Galera, which has no primary
#
# DIR (default: var/cluster) stores state, logs and the generated password. The data of
# the members is outside it, so end with drop. Default of --engine: the engine that DIR
# was started with last, else mysql. The members run as users 70001 to 70003: cut and
# silence recognise their packets by the user. They need Debian's nftables.
# With CONTACTS_DIE_WITH=PID at start, every member is killed and every cut undone once
# that process has ended.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=deploy/local-database.sh
. "$root/deploy/local-database.sh"
usage() { sed -n '2,25s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "local-cluster.sh: $2" >&2; exit "$1"; }

command=${1:-}
shift || true
engine='' base=$root/var/cluster buffer_pool=128M member=''
while (($#)); do
  case $1 in
    --engine=mariadb | --engine=mysql) engine=${1#*=} ;;
    --dir=?*) base=$(realpath -m "${1#*=}") ;;
    --buffer-pool=?*) buffer_pool=${1#*=} ;;
    [123]) member=$1 ;;
    *) fail 2 "unknown argument $1" ;;
  esac
  shift
done
case $command in
  sql | kill | restart | freeze | thaw | cut | silence | isolate | heal | move) [[ -n $member ]] || fail 2 "$command wants a member, 1 to 3" ;;
  start | stop | drop | uri | status) [[ -z $member ]] || fail 2 "$command takes no member" ;;
  *) usage ;;
esac
engine=${engine:-$(cat "$base/engine" 2>/dev/null || echo mysql)}
dir=$base/$engine
table=contacts_$(echo -n "$dir" | md5sum | cut -c1-12)

read_state() { [[ -e $dir/$1 ]] && cat "$dir/$1"; }
pid_of() { read_state "$1/pid"; }
running() {
  local pid
  pid=$(pid_of "$1") && [[ -n $pid ]] && kill -0 "$pid" 2>/dev/null &&
    grep -qzE 'mariadbd|mysqld' "/proc/$pid/cmdline" 2>/dev/null
}
frozen() { grep -q '^State:.*T' "/proc/$(pid_of "$1")/status" 2>/dev/null; }
sql() { # N [FLAGS...]; standard input
  mariadb --no-defaults -N -B -u root -S "$(read_state "$1/socket")" --connect-timeout=5 "${@:2}"
}
ask() { timeout 10 mariadb --no-defaults -N -B -u root -S "$(read_state "$1/socket")" -e "$2" 2>/dev/null; }
port() { read_state "$1/port"; }         # For clients.
group_port() { read_state "$1/group_port"; }
uri() {
  echo "mysql://contacts:$(read_state password)@127.0.0.1:$(port 1),127.0.0.1:$(port 2),127.0.0.1:$(port 3)/contacts"
}
others() { case $1 in 1) echo 2 3 ;; 2) echo 1 3 ;; 3) echo 1 2 ;; esac; }

# All ports of a member. Galera uses two more for state transfers.
ports() { echo "$(port "$1"), $(group_port "$1"), $(read_state "$1/ist_port"), $(read_state "$1/sst_port")"; }

# Chooses ports below those that the kernel gives to outgoing connections, so that the ports
# of a member that is down stay free.
choose_ports() {
  local n chosen
  read -ra chosen < <(python3 - <<'PY'
import random, socket
kept = []
for port in random.sample(range(20000, 32000), 2000):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", port))
        kept.append(s)
    except OSError:
        continue
    if len(kept) == 12:
        break
print(*(s.getsockname()[1] for s in kept))
PY
  )
  for n in 1 2 3; do
    mkdir -p "$dir/$n"
    (umask 077 && touch "$dir/$n/server.log" "$dir/$n/install.log")
    echo "${chosen[n - 1]}" >"$dir/$n/port"
    echo "${chosen[n + 2]}" >"$dir/$n/group_port"
    echo "${chosen[n + 5]}" >"$dir/$n/ist_port"
    echo "${chosen[n + 8]}" >"$dir/$n/sst_port"
  done
}

# Kills everything when the process CONTACTS_DIE_WITH has ended for any reason.
watch_parent() {
  [[ -n ${CONTACTS_DIE_WITH:-} ]] || return 0
  echo "$CONTACTS_DIE_WITH" >"$dir/watched"
  # shellcheck disable=SC2016  # The inner shell expands them.
  setsid bash -c '
    while kill -0 "$1" 2>/dev/null; do
      [[ $(cat "$2/watched" 2>/dev/null) == "$1" ]] || exit 0
      sleep 0.5
    done
    for n in 1 2 3; do
      pid=$(cat "$2/$n/pid" 2>/dev/null) &&
        grep -qzE "mariadbd|mysqld" "/proc/$pid/cmdline" 2>/dev/null && kill -9 "$pid"
    done
    nft delete table inet "$3" 2>/dev/null
    rm -f "$2/watched"' \
    watch "$CONTACTS_DIE_WITH" "$dir" "$table" 8>&- </dev/null >/dev/null 2>&1 &
}

start_process() { # N FLAGS...; waits until it answers on its socket
  local n=$1
  shift
  "launch_$engine" "$n" "$@"
  wait_until_ready "$(pid_of "$n")" "$(read_state "$n/socket")" "$dir/$n/server.log"
}

# Group Replication

install_missing_mysql() { # N
  local folder instance
  [[ ! -e $dir/$1/instance ]] || return 0
  folder=$(mysql_folder)
  instance=$(new_instance)
  echo "$folder" >"$dir/$1/folder"
  install_mysql "$folder" "$instance" "$dir/$1/install.log"
  chown -R "7000$1:7000$1" "$folder$instance"
  echo "$instance" >"$dir/$1/instance"
}

launch_mysql() { # N FLAGS...
  local n=$1 folder instance
  shift
  folder=$(read_state "$n/folder") instance=$(read_state "$n/instance")
  echo "$folder$instance/s.sock" >"$dir/$n/socket"
  rm -f "$folder$instance/s.sock"
  setsid chroot --userspec="7000$n:7000$n" "$folder" /usr/sbin/mysqld --no-defaults \
    --datadir="$instance/data" --socket="$instance/s.sock" --pid-file="$instance/server.pid" \
    --port="$(port "$n")" --secure-file-priv=NULL --mysqlx=OFF --sync-binlog=1 \
    "${common_flags[@]}" --innodb-buffer-pool-size="$buffer_pool" \
    --server-id="$n" --gtid-mode=ON --enforce-gtid-consistency=ON \
    --report-host=127.0.0.1 --report-port="$(port "$n")" \
    --plugin-load-add=group_replication.so \
    --group-replication-group-name="$(read_state group)" \
    --group-replication-local-address="127.0.0.1:$(group_port "$n")" \
    --group-replication-group-seeds="127.0.0.1:$(group_port 1),127.0.0.1:$(group_port 2),127.0.0.1:$(group_port 3)" \
    --group-replication-start-on-boot=OFF \
    --group-replication-recovery-get-public-key=ON \
    --group-replication-consistency=BEFORE_ON_PRIMARY_FAILOVER \
    "$@" </dev/null >>"$dir/$n/server.log" 2>&1 8>&- &
  echo $! >"$dir/$n/pid"
}

# Creates the recovery user, which each member needs before it joins. Not replicated.
prepare_mysql() { # N
  sql "$1" <<SQL
SET sql_log_bin = 0;
CREATE USER IF NOT EXISTS 'recovery'@'%' IDENTIFIED BY '$(read_state password)';
GRANT REPLICATION SLAVE, CONNECTION_ADMIN, BACKUP_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO 'recovery'@'%';
CHANGE REPLICATION SOURCE TO SOURCE_USER = 'recovery', SOURCE_PASSWORD = '$(read_state password)'
  FOR CHANNEL 'group_replication_recovery';
SET GLOBAL super_read_only = ON;
SQL
  touch "$dir/$1/prepared"
}

bootstrap_mysql() { # N
  sql "$1" <<'SQL'
SET GLOBAL group_replication_bootstrap_group = ON;
START GROUP_REPLICATION;
SET GLOBAL group_replication_bootstrap_group = OFF;
SQL
}

# The group may refuse a member while another one joins.
join_mysql() {
  sql "$1" <<<'START GROUP_REPLICATION;' || { sleep 5; sql "$1" <<<'START GROUP_REPLICATION;'; }
}

state_mysql() { # N: ONLINE PRIMARY, or ERROR -, ...
  ask "$1" "SELECT member_state, IF(member_role = '', '-', member_role),
    (SELECT SUM(member_state NOT IN ('UNREACHABLE')) * 2 > COUNT(*) FROM performance_schema.replication_group_members)
    FROM performance_schema.replication_group_members WHERE member_id = @@server_uuid" |
    sed -e 's/\t1$//' -e 's/\t0$/\tNO-MAJORITY/' | tr '\t' ' '
}

# The member whose executed and received transactions include those of all members.
newest_mysql() {
  local n newest='' sets
  declare -A sets
  for n in 1 2 3; do
    sets[$n]=$(ask "$n" "SELECT REPLACE(CONCAT(@@global.gtid_executed, ',', COALESCE((SELECT received_transaction_set
      FROM performance_schema.replication_connection_status WHERE channel_name = 'group_replication_applier'), '')),
      '\n', '')")
    if [[ -z $newest || $(ask "$n" "SELECT GTID_SUBSET('${sets[$n]}', '${sets[$newest]}')") == 0 ]]; then newest=$n; fi
  done
  echo "$newest"
}

start_cluster_mysql() {
  local n online='' first
  for n in 1 2 3; do
    if running "$n" && [[ $(state_mysql "$n") =~ ^(ONLINE|RECOVERING)\ [A-Z]+$ ]]; then online+=$n; fi
  done
  if [[ -z $online ]]; then
    # No group can be formed from the running members: they have lost it.
    for n in 1 2 3; do end "$n" KILL; done
    in_parallel install_missing_mysql 1 2 3
    for n in 1 2 3; do
      if [[ -e $dir/$n/prepared ]]; then launch_mysql "$n" --super-read-only=ON; else launch_mysql "$n"; fi
    done
    for n in 1 2 3; do
      wait_until_ready "$(pid_of "$n")" "$(read_state "$n/socket")" "$dir/$n/server.log"
      [[ -e $dir/$n/prepared ]] || prepare_mysql "$n"
    done
    first=$(newest_mysql)
    bootstrap_mysql "$first"
    if [[ ! -e $dir/has_users ]]; then make_service_users "$first"; fi
    # shellcheck disable=SC2046  # Two words.
    in_parallel join_mysql $(others "$first")
  else
    for n in 1 2 3; do [[ $online == *$n* ]] || restart_mysql "$n"; done
  fi
}

restart_mysql() { # N
  if running "$1"; then
    ask "$1" 'STOP GROUP_REPLICATION' || end "$1" KILL
  fi
  running "$1" || start_process "$1" --super-read-only=ON
  join_mysql "$1"
}

# Galera

install_member_mariadb() { # N
  local data
  # The folder must be accessible to the member's user: state transfers do not work as root.
  data=$(mktemp -d /tmp/contacts-cluster.XXXXXX)
  echo "$data" >"$dir/$1/instance"
  # The other members get their data from the first.
  if [[ $1 == 1 ]]; then install_mariadb "$data/data" "$dir/$1/install.log"; else mkdir "$data/data"; fi
  chown -R "7000$1:7000$1" "$data"
}

launch_mariadb() { # N FLAGS...
  local n=$1 instance
  shift
  instance=$(read_state "$n/instance")
  echo "$instance/s.sock" >"$dir/$n/socket"
  rm -f "$instance/s.sock"
  setsid setpriv --reuid="7000$n" --regid="7000$n" --clear-groups \
    mariadbd --no-defaults --datadir="$instance/data" --socket="$instance/s.sock" \
    --pid-file="$instance/server.pid" --port="$(port "$n")" \
    "${common_flags[@]}" --innodb-buffer-pool-size="$buffer_pool" \
    --binlog-format=ROW --innodb-autoinc-lock-mode=2 \
    --wsrep-on=ON --wsrep-provider=/usr/lib/galera/libgalera_smm.so --wsrep-cluster-name=contacts \
    --wsrep-cluster-address="gcomm://127.0.0.1:$(group_port 1),127.0.0.1:$(group_port 2),127.0.0.1:$(group_port 3)" \
    --wsrep-node-name="member$n" --wsrep-node-address="127.0.0.1:$(group_port "$n")" \
    --wsrep-node-incoming-address="127.0.0.1:$(port "$n")" \
    --wsrep-provider-options="gmcast.listen_addr=tcp://127.0.0.1:$(group_port "$n");ist.recv_addr=127.0.0.1:$(read_state "$n/ist_port")" \
    --wsrep-sst-method=rsync --wsrep-sst-receive-address="127.0.0.1:$(read_state "$n/sst_port")" \
    "$@" </dev/null >>"$dir/$n/server.log" 2>&1 8>&- &
  echo $! >"$dir/$n/pid"
}

state_mariadb() { # N: Synced Primary, or Initialized non-Primary, ...
  ask "$1" "SELECT (SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'wsrep_local_state_comment'),
    (SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'wsrep_cluster_status')" | tr '\t' ' '
}

# The member with the last commit. All members must be down.
newest_mariadb() {
  local n position newest=1 most=-1
  for n in 1 2 3; do
    [[ -d $(read_state "$n/instance")/data/mysql ]] || continue
    launch_mariadb "$n" --wsrep-recover --log-error="$(read_state "$n/instance")/recover.log"
    wait "$(pid_of "$n")" || true
    position=$(grep -o 'Recovered position: .*' "$(read_state "$n/instance")/recover.log" | tail -n 1 | grep -o '[-0-9]*$')
    rm -f "$(read_state "$n/instance")/recover.log"
    if ((${position:--1} > most)); then newest=$n most=$position; fi
  done
  echo "$newest"
}

start_cluster_mariadb() {
  local n primary='' first
  for n in 1 2 3; do
    if running "$n" && [[ $(state_mariadb "$n") == *\ Primary ]]; then primary+=$n; fi
  done
  if [[ -z $primary ]]; then
    for n in 1 2 3; do end "$n" KILL; done
    for n in 1 2 3; do
      [[ -e $dir/$n/instance ]] || install_member_mariadb "$n"
    done
    first=$(newest_mariadb)
    sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' "$(read_state "$first/instance")/data/grastate.dat" 2>/dev/null || true
    start_process "$first" --wsrep-new-cluster
    if [[ ! -e $dir/has_users ]]; then
      forget_anonymous "$(read_state "$first/socket")"
      make_service_users "$first"
    fi
    for n in $(others "$first"); do start_process "$n"; done
  else
    for n in 1 2 3; do [[ $primary == *$n* ]] || restart_mariadb "$n"; done
  fi
}

restart_mariadb() { # N
  if running "$1" && [[ $(state_mariadb "$1") == *\ Primary ]]; then return 0; fi
  end "$1" KILL
  start_process "$1"
}

# Both

make_service_users() { # N
  make_users "$(read_state "$1/socket")" "$(read_state password)"
  touch "$dir/has_users"
}

end() { # N SIGNAL; waits until it has ended
  local pid
  running "$1" || return 0
  pid=$(pid_of "$1")
  kill -"$2" "$pid"
  kill -CONT "$pid" 2>/dev/null || true
  for _ in $(seq 300); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

end_with_TERM() { end "$1" TERM; }
end_with_KILL() { end "$1" KILL; }

# Waits for these commands only: a bare wait would wait for the members too.
in_parallel() { # COMMAND N...
  local n pids=()
  for n in "${@:2}"; do "$1" "$n" & pids+=($!); done
  for n in "${pids[@]}"; do wait "$n"; done
}

need_nft() { command -v nft >/dev/null || fail 1 "$command wants nft: deploy/install-packages.sh test"; }
heal_one() { # N
  if nft list chain inet "$table" "cut$1" >/dev/null 2>&1; then nft delete chain inet "$table" "cut$1"; fi
}
heal_all() { nft delete table inet "$table" 2>/dev/null || true; }

stop_all() { # SIGNAL
  local n
  [[ -d $dir ]] || return 0
  heal_all
  rm -f "$dir/watched"
  in_parallel "end_with_$1" 1 2 3
}

# Drops every packet that a member sends to another as its client, and every answer. Packets
# are matched by the sending user, because all of loopback has one address.
cut_off() { # N
  local n=$1 a b answers
  read -r a b <<<"$(others "$n")"
  need_nft
  heal_one "$n"
  nft -f - <<NFT
table inet $table {
  chain cut$n {
    type filter hook output priority 0
    meta skuid 7000$n tcp dport { $(ports "$a"), $(ports "$b") } drop
    meta skuid { 7000$a, 7000$b } tcp dport { $(ports "$n") } drop
  }
}
NFT
  # No new connection is made from here on. Client ports of the existing ones:
  answers=$({
    client_ports "$n" "$(ports "$a"), $(ports "$b")"
    client_ports "$a" "$(ports "$n")"
    client_ports "$b" "$(ports "$n")"
  } | sort -u | paste -sd,)
  [[ -z $answers ]] || nft add rule inet "$table" "cut$n" tcp dport "{ $answers }" \
    tcp sport "{ $(ports 1), $(ports 2), $(ports 3) }" drop
}

silence_one() { # N
  need_nft
  heal_one "$1"
  nft -f - <<NFT
table inet $table {
  chain cut$1 {
    type filter hook output priority 0
    meta skuid 7000$1 drop
    tcp dport { $(ports "$1") } drop
  }
}
NFT
}

isolate_one() { # N
  local a b
  read -r a b <<<"$(others "$1")"
  cut_off "$1"
  nft add rule inet "$table" "cut$1" tcp dport "{ $(port "$a"), $(port "$b") }" drop
}

# The ports from which member N is connected to one of PORTS.
client_ports() { # N PORTS
  ss -tnHp state established | awk -v pid="pid=$(pid_of "$1")," -v ports=" ${2//,/ } " '
    index($0, pid) {
      sub(/.*:/, "", $3)
      sub(/.*:/, "", $4)
      if (index(ports, " " $4 " ")) print $3
    }'
}

start_all() {
  mkdir -p "$dir"
  chmod 700 "$dir"
  exec 8>"$base/lock"
  flock 8
  echo "$engine" >"$base/engine"
  if [[ ! -s $dir/password ]]; then
    choose_ports
    cat /proc/sys/kernel/random/uuid >"$dir/group"
    (umask 077 && new_password >"$dir/password")
  fi
  watch_parent
  "start_cluster_$engine"
  uri
}

case $command in
  start) start_all ;;
  stop) stop_all TERM ;;
  drop)
    stop_all KILL
    for n in 1 2 3; do
      if [[ -s $dir/$n/instance ]]; then rm -rf "$(read_state "$n/folder" || true)$(read_state "$n/instance")"; fi
    done
    rm -rf "$dir" "$base/engine" "$base/lock"
    rmdir "$base" 2>/dev/null || true
    ;;
  uri)
    running 1 || running 2 || running 3 || fail 1 "not running in $dir"
    uri
    ;;
  status)
    for n in 1 2 3; do
      if ! running "$n"; then echo "$n 127.0.0.1:$(port "$n") down"
      elif frozen "$n"; then echo "$n 127.0.0.1:$(port "$n") frozen"
      else echo "$n 127.0.0.1:$(port "$n") up $("state_$engine" "$n" || echo unknown)"; fi
    done
    ;;
  sql) exec mariadb --no-defaults -u root -S "$(read_state "$member/socket")" ;;
  kill) end "$member" KILL ;;
  restart) "restart_$engine" "$member" ;;
  freeze) kill -STOP "$(pid_of "$member")" ;;
  thaw) kill -CONT "$(pid_of "$member")" ;;
  cut) cut_off "$member" ;;
  silence) silence_one "$member" ;;
  isolate) isolate_one "$member" ;;
  heal) heal_one "$member" ;;
  move)
    [[ $engine == mysql ]] || fail 2 "Galera has no primary to move: every node takes writes"
    for n in "$member" $(others "$member"); do
      if ! running "$n" || frozen "$n" || [[ ! $(state_mysql "$n") =~ ^ONLINE\ [A-Z]+$ ]]; then continue; fi
      sql "$n" <<<"SELECT group_replication_set_as_primary('$(ask "$member" 'SELECT @@server_uuid')')"
      exit
    done
    fail 1 "no member is online in a majority"
    ;;
esac
