"""Measurements of one build, or of two in turn, that bench.py makes instead of its tables."""
import os
import pathlib

from tables import COUNTERS, cost_row, counter_rows, log, median, number, table


def beside(args, bench):
    """The same calls at the servers of two builds on one database, in turn."""
    ours = bench.prepare("beside", args.services, args.changes)
    theirs = bench.start(ours.schema, build=args.beside)
    theirs.schema, theirs.data = ours.schema, ours.data
    cells = {}
    for scenario in args.scenarios:
        log(scenario)
        for server in (ours, theirs):
            bench.load("service", server, scenario, 4, seconds=2 * args.seconds)
        for turn in range(args.rounds):
            for count in args.callers:
                for server in (ours, theirs) if turn % 2 else (theirs, ours):
                    cells.setdefault((scenario, count, server is ours), []).append(
                        bench.load("service", server, scenario, count))
    lines = []
    for scenario in args.scenarios:
        for count in args.callers:
            new, old = (cells[scenario, count, which] for which in (True, False))
            rates = [median(runs, "per_second") for runs in (old, new)]
            spread = [max(run["per_second"] for run in runs) / min(
                run["per_second"] for run in runs) for runs in (old, new)]
            lines.append([f"{scenario}, {count}", *map(number, rates),
                          f"{rates[1] / rates[0]:.2f}", f"{max(spread):.2f}",
                          cost_row("", old)[1], cost_row("", new)[1]])
    bench.result["rows"] = {" ".join(map(str, key)): runs for key, runs in cells.items()}
    print(f"{bench.result['when']}, {bench.result['engine']}: operations a second of two builds;"
          " CPU milliseconds of the server for one")
    table(["", "other", "this", "ratio", "spread", "CPU other", "CPU this"], lines)
    print("One operation: the database's statements with commits, rows, bytes of redo; CPU"
          " milliseconds of database and server; round trips and p50 of a call")
    for count in args.callers:
        lines = []
        for scenario in args.scenarios:
            lines += counter_rows(scenario, [(name, cells[scenario, count, which])
                                             for name, which in (("other", False), ("this", True))])
        table([f"{count} callers", *COUNTERS, "database", "server", "trips", "ms"], lines)


def pin(pid, core):
    """Runs every thread of a process, and those that it will start, on one core."""
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def overload(args, bench):
    """Useful calls when more are due than the server can do. The client has a core of its own;
    server and database share another, so that the client's work takes nothing from them."""
    data = bench.prepare("overload", args.services, args.changes)
    bench.servers.remove(data)
    data.close()
    os.sched_setaffinity(0, {0})
    if bench.database.pid:
        pin(bench.database.pid, 1)
    lines = []
    bench.result["rows"] = {}
    builds = [("this", args.build)] + ([("other", args.beside)] if args.beside else [])
    for scenario, calls in (("get", 1), ("workflow", 3)):
        for name, build in builds if scenario in args.scenarios else []:
            log(f"{scenario}, {name}")
            server = bench.start(data.schema, build=build)
            server.schema, server.data = data.schema, data.data
            pin(server.pid, 1)
            peaks = [bench.load("service", server, scenario, count, seconds=3 * args.seconds)
                     for count in args.callers]
            best = max(peaks, key=lambda cell: cell["per_second"])
            peak = best["per_second"] * calls
            for times in (2, 5, 10):
                cell = bench.load("service", server, scenario, 2048, seconds=5 * args.seconds,
                                  rate=round(times * peak))
                bench.result["rows"][f"{scenario} {name} {times}"] = {"peak": best, **cell}
                taken, refused = (cell["latency_ms"].get(kind, {}) for kind in ("taken", "refusals"))
                lines.append([
                    f"{scenario}, {name}, {times} x", number(peak),
                    number(best["latency_ms"]["calls"]["p99"]), number(cell["sent_per_second"]),
                    f"{cell['calls_per_second'] / peak:.2f}",
                    *(number(taken.get(q)) for q in ("p50", "p99")), cell["refused"],
                    *(number(refused.get(q)) for q in ("p50", "p99"))])
            bench.servers.remove(server)
            server.close()
    print(f"{bench.result['when']}, {bench.result['engine']}: 2, 5 and 10 times the peak are due,"
          " 2,048 calls in flight at most; milliseconds")
    table(["", "peak/s", "its p99", "sent/s", "of peak", "taken p50", "p99", "refused", "p50",
           "p99"], lines)
