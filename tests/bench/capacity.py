#!/usr/bin/env python3
"""Measures what changes of one assignment cost, from request to effect:

    tests/bench/capacity.py [--engine=mariadb|mysql] [--seconds=30] [--changes=300000]

Prints bytes a change of each table and of the binary log, and CPU time. The history is that of a data
set with so many changes. Binary log, kept replies and CPU time are those of workflows that are played
for so many seconds, with e-mails delivered into a Maildir. Wants contactsd and contacts_load in
build/release."""
import argparse
import json
import pathlib
import shutil
import subprocess
import tempfile

import bench

WORKERS = 8
SERVICES = 10_000


def tables(database, schema):
    """Bytes of each table and its indexes."""
    names = database.sql(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}'")
    database.sql(f"ANALYZE TABLE {', '.join(names)}", schema)
    rows = database.sql("SELECT table_name, data_length + index_length FROM information_schema.tables"
                        f" WHERE table_schema = '{schema}'")
    return {name: int(size) for name, size in (row.split("\t") for row in rows)}


def binary_log(database):
    return sum(int(row.split("\t")[1]) for row in database.sql("SHOW BINARY LOGS"))


def show(name, size, changes):
    if size > 0:
        print(f"{name:24}{size / changes:8.0f} bytes a change")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["mariadb", "mysql"], default="mariadb")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--changes", type=int, default=300_000)
    args = parser.parse_args()
    args.build = bench.ROOT / "build/release"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="contacts-capacity."))
    folder.chmod(0o711)
    database = bench.Database(folder / "mysql", args.engine, "1G", None)
    run = bench.Bench(args, folder, database)
    try:
        server = run.prepare("played", SERVICES, SERVICES, mail=f"maildir:{folder}/mail")
        few, log = tables(database, server.schema), binary_log(database)
        cell = json.loads(subprocess.run(
            [args.build / "tests/contacts_load", "--target=service", "--scenario=workflow",
             f"--callers={WORKERS}", f"--seconds={args.seconds}", f"--workers={WORKERS}",
             f"--mysql={database.uri(server.schema)}", f"--token_keys_file={server.keys}",
             f"--server={server.address}", f"--server_pid={server.pid}",
             f"--database_pid={database.pid}", f"--services={SERVICES}", f"--changes={SERVICES}"],
            check=True, stdout=subprocess.PIPE, text=True).stdout)
        made = int(database.sql("SELECT COUNT(*) FROM contact_change", server.schema)[0]) - SERVICES
        print(f"{made} changes played")
        show("binary log", binary_log(database) - log, made)
        show("reply, for 8 days", tables(database, server.schema)["reply"] - few["reply"], made)
        for part, seconds in cell["cpu_seconds"].items():
            print(f"{part:24}{1000 * seconds / made:8.1f} ms of CPU a change")
        many = tables(database, run.prepare("kept", SERVICES, SERVICES + args.changes).schema)
        for name, size in many.items():
            show(name, size - few[name], args.changes)
    finally:
        run.close()
        database.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
