"""See run.sh and --help. How a figure is made:

Each cell is one run of contacts_load (its sources say what each target does and what it
leaves out). Cells of the same row alternate: service, echo, sql, engine, round after
round; the table has medians over the rounds. The limit of a call is the time that a
bare gRPC call and the bare SQL take one after the other, 1 / (1 / echo + 1 / sql), each
at full load on the same machine with as many callers.

The service runs with a mail server that never answers, so that e-mails stay in the
outbox and none of the time goes into delivering them; floors have a database of their
own on the same database server, which nobody's relay looks at. The row `workflow, mail`
is the service with e-mails delivered into a Maildir on the same disk."""
import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import dataset
from compare import beside, overload
from tables import READS, WHAT_MIXED_IS, WORKERS, log, median, number, print_run, table

ROOT = pathlib.Path(__file__).resolve().parents[2]
EVERY_READ = ["get", "profile", "service", *READS[1:], "events", "search_account", "search_service",
              "search_time"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listening(process, log_file):
    """Waits for the line of a server that is ready; returns its address."""
    line = process.stdout.readline()
    if not line.startswith("listening on "):
        raise SystemExit(f"{process.args[0]} did not start: {log_file.read_text()[-2000:]}")
    return line.split()[-1]


class Database:
    """A database server of our own, or the one that `uri` names."""

    def __init__(self, folder, engine, buffer_pool, uri):
        self.folder, self.own = folder, not uri
        self.pid = None
        if not uri:
            flags = []
            if engine == "mariadb":  # As durable as Oracle MySQL's defaults are.
                flags = ["--log-bin=binlog", "--sync-binlog=1", "--binlog-format=ROW",
                         "--innodb-log-file-size=1G"]
            else:
                flags = ["--innodb-redo-log-capacity=2G"]
            uri = subprocess.run(
                ["deploy/local-mysql.sh", "start", f"--engine={engine}", f"--dir={folder}",
                 f"--buffer-pool={buffer_pool}", "--", *flags], check=True, cwd=ROOT,
                stdout=subprocess.PIPE, text=True,
                env={**os.environ, "CONTACTS_DIE_WITH": str(os.getpid())}).stdout.strip()
            self.pid = int((folder / "pid").read_text())
        self.base, self.query = re.match(r"(mysql://[^/]*/)[^?]*(.*)", uri).groups()
        self.schemas = []

    def uri(self, schema):
        return self.base + schema + self.query

    def sql(self, text, schema=""):
        """Runs statements; returns the lines of what they select."""
        if self.own:
            login = ["-u", "root", "-S", (self.folder / "socket").read_text().strip()]
            text = "SET SESSION sql_log_bin = 0;" + text
        else:
            user, password, host, port = re.match(
                r"mysql://([^:]*):([^@]*)@([^:]*):(\d+)/", self.base).groups()
            login = ["-u", user, f"-p{password}", "-h", host, "-P", port]
        done = subprocess.run(["mariadb", "--no-defaults", "-N", *login, *([schema] or [])],
                              input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return done.stdout.splitlines()

    def create(self, schema):
        self.sql(f"CREATE DATABASE IF NOT EXISTS {schema}")
        self.schemas.append(schema)

    def counters(self):
        """What the database has done so far, by its own count."""
        status = {name.lower(): int(value) for name, value in (
            line.split("\t") for line in self.sql(
                "SHOW GLOBAL STATUS WHERE Variable_name REGEXP"
                " '^(com_(select|insert|insert_select|update|update_multi|delete|delete_multi"
                "|commit)|innodb_rows_(inserted|updated|deleted)|handler_(write|update|delete)"
                "|innodb_os_log_written)$'"))}
        # MariaDB has no counters of InnoDB's rows; its handlers count no temporary tables.
        rows = {kind: status.get(f"innodb_rows_{kind}", status[f"handler_{verb}"])
                for kind, verb in (("inserted", "write"), ("updated", "update"),
                                   ("deleted", "delete"))}
        return {"statements": sum(v for name, v in status.items() if name.startswith("com_")),
                **rows, "redo": status["innodb_os_log_written"]}

    def about(self):
        version, *durability = self.sql(
            "SELECT CONCAT_WS('\t', VERSION(), @@innodb_flush_log_at_trx_commit,"
            " IF(@@log_bin, 1, 0), @@sync_binlog)")[0].replace("\\t", "\t").split("\t")
        if self.own and durability != ["1", "1", "1"]:
            raise SystemExit(f"commits are not durable: {durability}")
        return version

    def close(self):
        if self.own:
            subprocess.run(["deploy/local-mysql.sh", "drop", f"--dir={self.folder}"], cwd=ROOT)
        else:
            for schema in self.schemas:
                self.sql(f"DROP DATABASE {schema}")


class Server:
    """A contactsd. `mail`: value of --mail; by default a mail server that never answers."""

    def __init__(self, build, folder, uri, mail=None):
        folder.mkdir(exist_ok=True)
        self.silence = None
        if mail is None:
            self.silence = socket.create_server(("127.0.0.1", 0), backlog=64)
            mail = f"smtp://127.0.0.1:{self.silence.getsockname()[1]}"
        self.metrics = f"127.0.0.1:{free_port()}"
        self.log = folder / "log"
        program = build / "server/contactsd"
        known = subprocess.run([program, "--help"], capture_output=True, text=True).stdout
        flags = ["--listen=127.0.0.1:0", f"--mysql={uri}", "--mysql_tls=disabled", f"--mail={mail}",
                 "--mail_timeout=10m", "--migrate", f"--metrics={self.metrics}",
                 "--max_asks_per_minute=1000000", "--max_mails_per_day=1000000",
                 "--max_items_per_day=1000000000", *(["--mail_tls=none"] if self.silence else [])]
        begin = time.monotonic()
        with open(self.log, "w") as out:
            # An older build does not know every flag.
            self.process = subprocess.Popen(
                [program, *(flag for flag in flags if flag.partition("=")[0] in known)],
                stdout=subprocess.PIPE, stderr=out, text=True, cwd=folder)
        self.address = listening(self.process, self.log)
        self.start_seconds = time.monotonic() - begin
        self.keys = folder / "contacts-token-keys"
        self.pid = self.process.pid

    def round_trips(self):
        with urllib.request.urlopen(f"http://{self.metrics}/metrics") as answer:
            text = answer.read().decode()
        return float(re.search(r"^contacts_database_round_trips_total\S* (\S+)", text, re.M)[1])

    def megabytes(self, what="VmRSS"):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{what}:\s+(\d+)", status, re.M)[1]) / 1024

    def close(self):
        self.process.kill()
        self.process.wait()


class Bench:
    def __init__(self, args, folder, database):
        self.args, self.folder, self.database = args, folder, database
        self.servers, self.echo = [], None
        self.result = {
            "when": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0], "arguments": sys.argv[1:], "rows": {}}

    def close(self):
        for process in self.servers + ([self.echo] if self.echo else []):
            process.close()

    def prepare(self, name, services, changes, mail=None):
        """A database with the schema and the data set, and a server on it."""
        schema = f"contacts_{name}_{os.getpid()}"
        self.database.create(schema)
        server = self.start(schema, mail)
        log(f"{schema}: {services:,} services, {changes:,} changes")
        begin = time.monotonic()
        dataset.DataSet(services, changes).load(lambda sql: self.database.sql(sql, schema))
        seconds = time.monotonic() - begin
        megabytes = self.database.sql(
            "SELECT ROUND(SUM(data_length + index_length) / 1e6) FROM information_schema.tables"
            f" WHERE table_schema = '{schema}'")[0]
        log(f"{schema}: {megabytes} MB in {seconds:.0f} s")
        server.data = ["--services", services, "--changes", changes]
        server.schema = schema
        return server

    def start(self, schema, mail=None, build=None):
        build = build or self.args.build
        folder = self.folder / f"{schema}.{len(self.servers)}"
        server = Server(build, folder, self.database.uri(schema), mail)
        self.servers.append(server)
        return server

    def load(self, target, server, scenario, callers, seconds=None, **more):
        """One cell."""
        schema = server.floor if target in ("engine", "sql") or "record" in more else server.schema
        command = [self.args.build / "tests/contacts_load", f"--target={target}",
                   f"--scenario={scenario}", f"--callers={callers}", f"--workers={WORKERS}",
                   f"--seconds={seconds or self.args.seconds}",
                   f"--mysql={self.database.uri(schema)}", f"--token_keys_file={server.keys}",
                   f"--server={self.echo.address if target == 'echo' else server.address}",
                   f"--server_pid={self.echo.pid if target == 'echo' else server.pid}",
                   *server.data]
        if self.database.pid:
            command.append(f"--database_pid={self.database.pid}")
        for name, value in more.items():
            command.append(f"--{name}" if value is True else f"--{name}={value}")
        trips = server.round_trips() if target == "service" else 0
        before = self.database.counters() if target == "service" and self.database.own else {}
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit(f"contacts_load failed: {target} {scenario} {callers} {more}")
        if "record" in more:
            return None
        cell = json.loads(done.stdout)
        if target == "service":
            cell["round_trips"] = (server.round_trips() - trips) / max(1, cell["calls"])
            after = self.database.counters() if before else {}
            cell["counters"] = {name: (after[name] - count) / max(1, cell["operations"])
                                for name, count in before.items()}
            cell["resident_mb"] = server.megabytes()
        if cell["failures"] and "rate" not in more:
            log(f"{target} {scenario} {callers}: {cell['failures']}")
        return cell

    def record(self, server, scenario, **more):
        """Records the service's answers and starts an echo server with the same answers."""
        folder = self.folder / "record"
        shutil.rmtree(folder, ignore_errors=True)
        self.load("engine", server, scenario, 1, record=folder, **more)
        if self.echo:
            self.echo.close()
        self.echo = Echo(self.args, folder / "replies")
        return folder

    def row(self, name, server, scenario, callers, targets, record=None, **more):
        """Rounds of one scenario: cells by target and callers."""
        log(name)
        self.record(server, scenario, **(record or {}))
        cells = {}
        for _ in range(self.args.rounds):
            for count in callers:
                for target in targets:
                    # More callers than connections change nothing for these targets.
                    at = min(count, WORKERS) if target in ("engine", "sql") else count
                    if at != count and callers.index(count) != min(
                            i for i, c in enumerate(callers) if c >= WORKERS):
                        continue
                    cells.setdefault(target, {}).setdefault(at, []).append(
                        self.load(target, server, scenario, at, **more))
        self.result["rows"][name] = cells
        return cells


class Echo:
    def __init__(self, args, replies):
        self.process = subprocess.Popen([args.build / "tests/contacts_echo", replies],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = listening(self.process, replies)
        self.pid = self.process.pid

    def close(self):
        self.process.kill()
        self.process.wait()


# --- Measurements ---------------------------------------------------------------

def run(args, bench):
    service = bench.prepare("service", args.services, args.changes)
    floor = bench.prepare("floor", args.services, args.changes)
    service.floor = floor.schema
    floor.close()
    bench.servers.remove(floor)
    shutil.copy(service.keys, floor.keys)
    targets = ("service", "echo", "sql", "engine")
    callers = args.callers
    some = min(16, max(callers))
    result = bench.result
    for scenario in READS:
        bench.row(scenario, service, scenario, callers, targets)
    bench.row("workflow", service, "workflow", callers, targets)
    bench.row("mixed", service, "mixed", callers, targets)
    # Asks and answers, measured separately.
    for assignments, count, flows in ((1, some, 20), (10, some, 20), (args.many, 2, 2)):
        bench.row(f"phases of {assignments}", service, "workflow", [count], targets,
                  record={"assignments": assignments}, phases=True, flows=flows,
                  assignments=assignments)
    bench.row("workflow of many", service, "workflow", [1], targets,
              record={"assignments": args.many}, assignments=args.many)
    result["resident_mb"] = {"now": service.megabytes(), "peak": service.megabytes("VmHWM")}

    log("h2load")
    folder = bench.record(service, "get")
    result["h2load"] = h2load(args, service, folder)
    result["beside_h2load"] = bench.load("service", service, "get", 64)
    result["flood"] = flood(args, bench, service, folder)

    log("open loop")
    rows = result["rows"]
    result["open_loop"], result["overload"] = [], []
    for scenario, calls in (("get", 1), ("workflow", 3)):
        at, runs = max(rows[scenario]["service"].items(),
                       key=lambda item: median(item[1], "per_second"))
        peak = median(runs, "per_second") * calls
        bench.record(service, scenario)
        for part in (0.25, 0.5, 0.75):
            for target in ("service", "echo"):
                result["open_loop"].append({"part": part, **bench.load(
                    target, service, scenario, 256, seconds=5 * args.seconds,
                    rate=round(part * peak))})
        cell = bench.load("service", service, scenario, 2048, seconds=5 * args.seconds,
                          rate=round(10 * peak))
        result["overload"].append({"peak": peak, "peak_callers": at, **cell})

    log("e-mails delivered, start")
    mail = bench.start(service.schema, f"maildir:{bench.folder}/maildir")
    mail.schema, mail.floor, mail.data = service.schema, service.floor, service.data
    service.close()
    bench.servers.remove(service)
    result["with_mail"] = {
        count: [bench.load("service", mail, "workflow", count) for _ in range(args.rounds)]
        for count in callers}
    mail.close()
    result["start_seconds"] = []
    for _ in range(5):
        again = bench.start(service.schema)
        result["start_seconds"].append(again.start_seconds)
        again.close()
    print_run(result, callers, args)


def h2load_command(service, folder, *options):
    return ["h2load", *map(str, options), "-t", "1", "-d", folder / "frame",
            "-H", "content-type: application/grpc", "-H", "te: trailers",
            "-H", f"contacts-account: {(folder / 'account').read_text()}",
            f"http://{service.address}/contacts.v1.ContactService/GetContactChange"]


def h2load(args, service, folder):
    if not shutil.which("h2load"):
        return None
    done = subprocess.run(
        h2load_command(service, folder, "-D", max(1, round(args.seconds)), "-c", 4, "-m", 16),
        capture_output=True, text=True, check=True)
    return float(re.search(r"finished in [^,]*, ([\d.]+) req/s", done.stdout)[1])


def flood(args, bench, service, folder):
    """Latency of others' calls, 100 a second, while one account calls as fast as it can."""
    if not shutil.which("h2load"):
        return []

    cells = []
    for name, options in (("quiet", None), ("64 in flight", ("-c", 4, "-m", 16)),
                          ("1,000 in flight", ("-c", 10, "-m", 100))):
        for target, server in (("service", service), ("echo", bench.echo)):
            flooding = options and subprocess.Popen(
                h2load_command(server, folder, "-D", round(10 * args.seconds) + 5, *options),
                stdout=subprocess.PIPE, text=True)
            time.sleep(1)
            cells.append({"flood": name, **bench.load(
                target, service, "get", 64, seconds=10 * args.seconds, rate=100)})
            if flooding:
                said = flooding.communicate()[0]
                cells[-1]["flood_per_second"] = float(
                    re.search(r"finished in [^,]*, ([\d.]+) req/s", said)[1])
    return cells


def growth(args, bench):
    """The same calls on a small and on a large data set, in turn, one caller."""
    servers = {}
    for size in args.growth:
        servers[size] = bench.prepare(f"growth_{size}", size, size)
    small, large = args.growth
    lines = []
    cells = {}
    writes = ["workflow", "refusal", "cancellation", "owner"]
    for scenario in [*EVERY_READ, *writes]:
        log(scenario)
        for size in servers:  # Warm: every row of the measurement has been read.
            bench.load("service", servers[size], scenario, 4, seconds=2 * args.seconds)
        for _ in range(args.rounds):
            for size in servers:
                cells.setdefault(scenario, {}).setdefault(size, []).append(
                    bench.load("service", servers[size], scenario, 1))
        kinds = [kind for kind in cells[scenario][small][0]["latency_ms"]
                 if kind not in ("calls", "operations")]
        for kind in kinds:
            of = {size: median(cells[scenario][size], "latency_ms", kind, "p50")
                  for size in servers}
            lines.append([f"{scenario}: {kind}" if len(kinds) > 1 else kind,
                          *(number(of[size], 3) for size in servers),
                          f"{of[large] / of[small]:.2f}"])
    bench.result["rows"] = cells
    print(f"{bench.result['when']}, {bench.result['engine']}: p50 of one caller, milliseconds, by"
          " number of services and of changes")
    table(["", f"{small:,}", f"{large:,}", "ratio"], lines)


def soak(args, bench):
    server = bench.prepare("soak", args.services, args.changes,
                           f"maildir:{bench.folder}/maildir")
    samples = []
    end = time.monotonic() + args.soak
    pause = min(10, args.soak / 20)
    child = subprocess.Popen(
        [str(part) for part in (
            args.build / "tests/contacts_load", "--target=service", "--scenario=mixed",
            "--callers=64", f"--rate={args.soak_rate}", f"--seconds={args.soak}",
            f"--mysql={bench.database.uri(server.schema)}", f"--token_keys_file={server.keys}",
            f"--server={server.address}", *server.data)], stdout=subprocess.PIPE, text=True)
    while time.monotonic() < end:
        time.sleep(pause)
        samples.append(server.megabytes())
        # E-mails would fill the disk.
        for mail in (bench.folder / "maildir/new").iterdir():
            mail.unlink()
    bench.result["load"] = json.loads(child.communicate()[0])
    bench.result["resident_mb"] = samples
    print(f"{bench.result['engine']}, mixed load ({WHAT_MIXED_IS}), {args.soak_rate} calls a second"
          f" for {args.soak} s; failures: {bench.result['load']['failures']}")
    size = max(1, len(samples) // 10)
    tenths = [samples[i * size:(i + 1) * size if i < 9 else None] for i in range(10)]
    table(["tenth", "min MB", "median MB", "max MB"],
          [[i + 1, *(number(f(tenth), 1) for f in (min, statistics.median, max))]
           for i, tenth in enumerate(tenths) if tenth])


def main():
    parser = argparse.ArgumentParser(
        prog="run.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=lambda p: pathlib.Path(p).resolve(), required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--engine", choices=["mariadb", "mysql"], default="mariadb")
    parser.add_argument("--mysql", help="URI of a running database server to use in place of one"
                        " of our own; databases called contacts_... are made and dropped there")
    parser.add_argument("--buffer-pool", default="2G", help="of our own database server")
    parser.add_argument("--services", type=int, default=10_000, help="in the data set")
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=1, help="of one cell")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--callers", type=lambda text: sorted(map(int, text.split(","))),
                        default=[1, 16, 64, 256])
    parser.add_argument("--many", type=int, default=1000, help="assignments of the largest change")
    parser.add_argument("--growth", type=lambda text: list(map(int, text.split(","))),
                        metavar="SMALL,LARGE", help="compare two sizes of data set instead")
    parser.add_argument("--beside", type=lambda p: pathlib.Path(p).resolve(), metavar="BUILD",
                        help="compare contactsd with that of another build, such as one of an older"
                        " commit, instead")
    parser.add_argument("--scenarios", type=lambda text: text.split(","), metavar="NAME,...",
                        default=[*READS, "workflow"],
                        help="of --beside; of --overload get and workflow only")
    parser.add_argument("--overload", action="store_true",
                        help="measure calls beyond the peak instead, also with --beside")
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="watch memory instead")
    parser.add_argument("--soak-rate", type=float, default=300, help="calls a second")
    parser.add_argument("--json", type=pathlib.Path, help="default: build/bench-ENGINE.json")
    args = parser.parse_args()
    args.json = args.json or args.build.parent / f"bench-{args.engine}.json"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="contacts-bench."))
    database = Database(folder / "mysql", args.engine, args.buffer_pool, args.mysql)
    bench = Bench(args, folder, database)
    try:
        bench.result["engine"] = database.about()
        mode = (growth if args.growth else overload if args.overload else beside if args.beside else
                soak if args.soak else run)
        mode(args, bench)
        args.json.write_text(json.dumps(bench.result, indent=1))
        log(f"{args.json} is written")
    finally:
        bench.close()
        database.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
