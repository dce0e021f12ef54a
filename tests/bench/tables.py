"""Tables and progress of the measurements of bench.py."""
import statistics
import sys
import time

WORKERS = 8  # contactsd's default.
READS = ["get", "services", "services_far", "changes", "changes_far"]
WHAT_MIXED_IS = "70 % get, 7.5 % services, 7.5 % changes, 15 % workflow (of operations)"


def log(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def median(cells, *path):
    values = []
    for cell in cells:
        for key in path:
            cell = cell.get(key) if isinstance(cell, dict) else None
        if cell is not None:
            values.append(cell)
    return statistics.median(values) if values else None


def number(value, digits=None):
    if value is None:
        return "-"
    if digits is None:
        digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def table(head, rows):
    rows = [head, *rows]
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(head))]
    for row in rows:
        print("  ".join(str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))))
    print()


def limit(cells, callers, path):
    echo = median(cells["echo"][callers], *path)
    sql = median(cells["sql"][min(callers, WORKERS)], *path)
    return 1 / (1 / echo + 1 / sql)


def print_row(name, cells, path=("per_second",)):
    """Lines of one scenario: throughput of each target, and the service's costs."""
    callers = sorted(cells["service"])
    lines = []
    for target in ("service", "echo", "sql", "engine"):
        by_callers = cells.get(target, {})
        line = [f"{name}" if target == "service" else f"  {target}"]
        for count in callers:
            at = min(count, WORKERS) if target in ("engine", "sql") else count
            line.append(number(median(by_callers.get(at, []), *path)))
        if by_callers:
            lines.append(line)
    if "sql" in cells:
        lines.append(["  service / limit", *(
            f"{median(cells['service'][c], *path) / limit(cells, c, path):.2f}" for c in callers)])
    return lines


def cost_row(name, runs):
    return [name, *(number(cpu_ms(runs, who), 2) for who in ("server", "database", "client")),
            number(median(runs, "round_trips"), 2),
            number(median(runs, "resident_mb"), 0)]


# By the database's own count, so they do not depend on the machine's load, as times do. (Redo does
# a little: transactions that end together share its blocks.)
COUNTERS = ["statements", "inserted", "updated", "deleted", "redo"]
# Most that an operation may cost. Then CPU milliseconds of database and server, and round trips.
TARGETS = {"workflow": ["20", "14", "7", "2", "7,000", "2", "0.9", "3.3", ""]}


def cpu_ms(runs, who):
    """CPU milliseconds of an operation."""
    done = sum(run["operations"] for run in runs)
    return sum(run["cpu_seconds"].get(who, 0) for run in runs) / done * 1000


def counter_rows(name, builds):
    """Lines of one scenario: the counters of each build, and the targets."""
    lines = []
    for build, runs in builds:
        lines.append([f"{name}, {build}",
                      *(number(median(runs, "counters", counter), 1) for counter in COUNTERS),
                      *(number(cpu_ms(runs, who), 3) for who in ("database", "server")),
                      number(median(runs, "round_trips"), 2),
                      number(median(runs, "latency_ms", "calls", "p50"), 3)])
    if name in TARGETS:
        lines.append([f"{name}, target", *TARGETS[name]])
    return lines


def of_target(name, cell):
    """The name of a row; an echo's is that of the service's row above it."""
    return name if cell["target"] == "service" else "  echo"


def latency_row(name, cell):
    quantiles = cell["latency_ms"].get("calls", {})
    return [name, number(cell["rate"]), number(cell["calls_per_second"]), cell["refused"],
            *(number(quantiles.get(q)) for q in ("p50", "p99", "p999"))]


def print_run(result, callers, args):
    rows = result["rows"]
    print(f"{result['when']}, {result['engine']}, {result['cores']} cores, load average before:"
          f" {result['load_average']:.1f}; medians of {args.rounds} x {args.seconds} s;"
          f" {args.services:,} services, {args.changes:,} changes")
    print(f"mixed: {WHAT_MIXED_IS}\n")

    print("Closed loop: operations a second, by callers")
    lines = []
    for name in [*READS, "workflow", "mixed"]:
        lines += print_row(name, rows[name])
        if name == "workflow":
            lines.append(["workflow, mail", *(
                number(median(result["with_mail"][count], "per_second")) for count in callers)])
    table(["", *callers], lines)

    print("Single kinds of call, all callers making the same: calls a second")
    lines = []
    for assignments in (1, 10, args.many):
        cells = rows[f"phases of {assignments}"]
        for kind in ("ask", "accept_first", "accept_last"):
            lines += print_row(f"{kind} of {assignments} ({max(cells['service'])} callers)", cells,
                               ("latency_ms", kind, "per_second"))
    table(["", "calls/s"], lines)

    print(f"One caller, one assignment beside {args.many}: milliseconds of a whole workflow (p50)")
    one = median(rows["workflow"]["service"][min(callers)], "latency_ms", "operations", "p50")
    many = median(rows["workflow of many"]["service"][1], "latency_ms", "operations", "p50")
    table(["", "ms"], [["1", number(one)], [args.many, number(many)],
                       ["ratio", f"{many / one:.1f}"]])

    print("Costs of 1,000 operations: CPU seconds; round trips of a call; resident MB")
    lines = []
    for name in [*READS, "workflow", "mixed", "workflow of many"]:
        cells = rows[name]
        for count in sorted(cells["service"]):
            lines.append(cost_row(f"{name}, {count}", cells["service"][count]))
        if "echo" in cells:
            lines.append(cost_row(f"  echo, {count}", cells["echo"][count]))
    table(["", "server", "database", "client", "trips", "MB"], lines)

    print("Open loop, 256 callers at most: milliseconds from when a call was due")
    table(["", "rate", "answered/s", "refused", "p50", "p99", "p99.9"],
          [latency_row(of_target(f"{cell['scenario']}, {cell['part']:.0%} of peak", cell), cell)
           for cell in result["open_loop"]])

    print("Overload: 10 x the peak is due, 2048 callers at most")
    table(["", "peak/s", "due/s", "sent/s", "answered/s", "of peak", "refused p50 ms", "p99 ms"],
          [[cell["scenario"], number(cell["peak"]), number(cell["rate"]),
            number(cell["sent_per_second"]), number(cell["calls_per_second"]),
            f"{cell['calls_per_second'] / cell['peak']:.2f}",
            *(number(cell["latency_ms"].get("refusals", {}).get(q)) for q in ("p50", "p99"))]
           for cell in result["overload"]])

    print("Others' GetContactChange, 100 a second, while one account floods: milliseconds")
    table(["", "flood/s", "answered/s", "p50", "p99", "p99.9"],
          [[of_target(cell["flood"], cell), number(cell.get("flood_per_second", 0)),
            number(cell["calls_per_second"]),
            *(number(cell["latency_ms"]["calls"][q]) for q in ("p50", "p99", "p999"))]
           for cell in result["flood"]])

    beside = result["beside_h2load"]
    print(f"GetContactChange, 64 in flight on 4 connections: h2load {number(result['h2load'])} a"
          f" second, contacts_load {number(beside['per_second'])}")
    print(f"Start: {statistics.median(result['start_seconds']) * 1000:.0f} ms until it listens;"
          f" resident {result['resident_mb']['now']:.0f} MB after all,"
          f" {result['resident_mb']['peak']:.0f} MB at most")
