#!/usr/bin/env bash
# Times `contactctl import` of a whole directory, then LOAD DATA of the same rows into
# empty tables with the same columns and indexes, on the same database server.
#
#   tests/bench/import.sh [--accounts=N] [--services=N] [--engine=mariadb|mysql] [--dir=DIR]
#
# By default one million of each. Needs a build in build/release. DIR (default: a new
# folder below /tmp) needs about 2 GB per million and is removed at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."

accounts=1000000 services=1000000 engine=mariadb dir=''
for argument in "$@"; do
  case $argument in
    --accounts=?*) accounts=${argument#*=} ;;
    --services=?*) services=${argument#*=} ;;
    --engine=?*) engine=${argument#*=} ;;
    --dir=?*) dir=${argument#*=} ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
dir=${dir:-$(mktemp -d /tmp/contacts-bench.XXXXXX)}
mkdir -p "$dir"
server_pid=''
cleanup() {
  if [[ -n $server_pid ]]; then kill "$server_pid" 2>/dev/null || true; fi
  deploy/local-mysql.sh drop --dir="$dir/mysql" || true
  rm -rf "$dir"
}
trap cleanup EXIT

# Most accounts hold all roles of their own services. A third of the services have another
# account in the tech role. Both files have the same rows in the same order.
python3 - "$accounts" "$services" "$dir" <<'PYTHON'
import sys
accounts, services, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
def account(i): return f"aa{100000 + i}-ovh"
now = 1790000000000000
with open(f"{folder}/directory.jsonl", "w") as out, open(f"{folder}/account.tsv", "w") as rows:
    for i in range(accounts):
        language = "fr" if i % 3 else "en"
        out.write('{"account":{"id":"%s","email":"customer.%d@mail-%d.example","language_code":"%s",'
                  '"billing_standing":"BILLING_STANDING_UP_TO_DATE"}}\n'
                  % (account(i), i, i % 977, language))
        rows.write(f"{account(i)}\tcustomer.{i}@mail-{i % 977}.example\t{language}\t1\t1\t{now}\t{now}\n")
with open(f"{folder}/directory.jsonl", "a") as out, open(f"{folder}/service.tsv", "w") as rows:
    for i in range(services):
        admin = account(i % accounts)
        tech = account(i * 7919 % accounts) if i % 3 == 0 else admin
        name, city = f"Customer Number {i}", f"City {i % 5000}"
        out.write('{"service":{"id":"service-%d.example","kind":"domain","admin":"%s","tech":"%s",'
                  '"billing":"%s","owner":{"name":"%s","email":"owner.%d@mail.example",'
                  '"phone":"+33900%06d","address_lines":["%d, rue de la Paix"],"city":"%s",'
                  '"postal_code":"%05d","country_code":"FR"}}}\n'
                  % (i, admin, tech, admin, name, i, i % 1000000, i % 300, city, i % 99999))
        rows.write("\t".join([f"service-{i}.example", "domain", admin, tech, admin, name, "",
                              f"owner.{i}@mail.example", f"+33900{i % 1000000:06d}",
                              f"{i % 300}, rue de la Paix", city, f"{i % 99999:05d}", "FR", "1",
                              str(now), str(now)]) + "\n")
PYTHON

uri=$(CONTACTS_DIE_WITH=$$ deploy/local-mysql.sh start --engine="$engine" --dir="$dir/mysql" \
  --buffer-pool=2G)
user_password=${uri#mysql://}
password=${user_password#*:}
password=${password%%@*}
port=${uri##*:}
port=${port%%/*}
sql() {
  MYSQL_PWD=$password mariadb --no-defaults --local-infile=1 -h 127.0.0.1 -P "$port" -u contacts \
    contacts "$@"
}
if [[ $engine == mysql ]]; then
  echo 'SET GLOBAL local_infile = 1' | deploy/local-mysql.sh sql --dir="$dir/mysql"
fi

: >"$dir/listening"
(cd "$dir" && exec "$OLDPWD/build/release/server/contactsd" --listen=127.0.0.1:0 --mysql="$uri" \
  --migrate --mail="maildir:$dir/mail" --log_level=warn) >"$dir/listening" 2>"$dir/log" &
server_pid=$!
until grep -q listening "$dir/listening"; do
  kill -0 "$server_pid" || { cat "$dir/log" >&2; exit 1; }
  sleep 0.1
done
address=$(sed -n 's/^listening on //p' "$dir/listening")

seconds() { # COMMAND...
  local begin=$EPOCHREALTIME
  "$@" >&2
  python3 -c 'import sys; print(float(sys.argv[2]) - float(sys.argv[1]))' "$begin" "$EPOCHREALTIME"
}
load_data() {
  sql -e "LOAD DATA LOCAL INFILE '$dir/account.tsv' INTO TABLE load_account"
  sql -e "LOAD DATA LOCAL INFILE '$dir/service.tsv' INTO TABLE load_service"
}

echo "$(nproc) cores, $(sql -N -e 'SELECT VERSION()'), load average $(cut -d' ' -f1-3 /proc/loadavg)"
import=$(seconds build/release/client/contactctl --server="$address" import "$dir/directory.jsonl")
echo "load average $(cut -d' ' -f1-3 /proc/loadavg); server's peak memory:" \
  "$(sed -n 's/^VmHWM:[[:space:]]*//p' "/proc/$server_pid/status")"
sql -N -e "SELECT COUNT(*), 'accounts' FROM account UNION ALL SELECT COUNT(*), 'services' FROM service"
sql -e 'CREATE TABLE load_account LIKE account; CREATE TABLE load_service LIKE service'
load=$(seconds load_data)
sql -N -e "SELECT COUNT(*), 'accounts loaded' FROM load_account
  UNION ALL SELECT COUNT(*), 'services loaded' FROM load_service"
again=$(seconds build/release/client/contactctl --server="$address" import "$dir/directory.jsonl")
python3 - "$import" "$load" "$again" "$((accounts + services))" <<'PYTHON'
import sys
imported, load, again, records = map(float, sys.argv[1:])
print(f"contactctl import   {imported:7.1f} s   {records / imported:9,.0f} records/s")
print(f"LOAD DATA           {load:7.1f} s   {records / load:9,.0f} records/s   ratio {imported / load:.2f}")
print(f"import once more    {again:7.1f} s   {records / again:9,.0f} records/s   (nothing to change)")
PYTHON
