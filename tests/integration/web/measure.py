#!/usr/bin/python3
"""Measures contacts-web over a contactsd and prints tables: see tests/bench/web.sh, which starts it.

p50 of a page is the time that a person's program waits on one connection on loopback, one request at a time. p50 of its
calls is the time that contactsd's log gives for them. The rest is contacts-web, gRPC and the loopback."""

import argparse
import http.client
import json
import pathlib
import statistics
import threading
import time
import urllib.parse

from calls import Pages, made
from world import AICHA, MARIE, SOURCES, World

PROGRAM = ("*.cc", "*.h", "embedded.cc.in", "templates/*.html", "page.js")


class Connection:
    """One connection of a signed-in person."""

    def __init__(self, pages):
        self.pages = pages
        self.connection = http.client.HTTPConnection("127.0.0.1", pages.world.web_port)

    def send(self, path, form=None):
        """Returns the milliseconds until the answer was read, and its X-Request-Id."""
        headers = {"Cookie": self.pages.client.cookie, "Accept-Language": "en"}
        body = None
        if form is not None:
            body = urllib.parse.urlencode({"form": self.pages.form, **form})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        begin = time.perf_counter()
        self.connection.request("GET" if form is None else "POST", path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        end = time.perf_counter()
        assert answer.status in (200, 303), (path, answer.status)
        return 1000 * (end - begin), answer.headers["X-Request-Id"]


def latencies(world):
    """The milliseconds of contactsd's calls, by their x-request-id."""
    found = {}
    time.sleep(0.1)  # The log is written every 20 ms.
    for line in world.contactsd.log.read_text().splitlines():
        entry = json.loads(line)
        if entry.get("message") == "call":
            found.setdefault(entry["x-request-id"], []).append(entry["latency_ms"])
    return found


def measure(pages, name, requests):
    """Prints the row of one page: `requests` are pairs of path and form."""
    connection = Connection(pages)
    before = made(pages.world)
    answers = [connection.send(path, form) for path, form in requests]
    calls = made(pages.world) - before
    took = latencies(pages.world)
    inside = [sum(took[call]) for _, call in answers if call in took]
    each = ", ".join(f"{count / len(requests):g} {method}" for method, count in calls.items()) or "none"
    p50 = statistics.median(milliseconds for milliseconds, _ in answers)
    print(f"| {name} | {p50:.2f} | {each} | {f'{statistics.median(inside):.2f}' if inside else '–'} |", flush=True)


def load(pages, seconds, threads=16):
    """Pages a second, from so many connections."""
    counts = [0] * threads
    end = time.monotonic() + seconds

    def run(index):
        connection = Connection(pages)
        while time.monotonic() < end:
            connection.send("/contacts")
            counts[index] += 1

    running = [threading.Thread(target=run, args=(index,)) for index in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(counts) / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=300, help="of each page")
    parser.add_argument("--seconds", type=float, default=10, help="of load")
    options = parser.parse_args()
    world = World.shared()
    idle = world.web.resident_kilobytes()
    pages = Pages(world)
    for _ in range(60):
        world.service(prefix="bench")

    lines = sum(bool(line.strip()) for pattern in PROGRAM
                for path in pathlib.Path(SOURCES, "client/web").glob(pattern) for line in path.read_text().splitlines())
    print(f"C++, templates and script: {lines:,} lines, blank lines not counted\n")
    print("| page | p50, ms | calls | p50 of the calls, ms |\n|---|---|---|---|")
    change = f"/contact-changes/{pages.change}"
    few = options.requests // 10
    rows = [{"row": f"{world.service(prefix='asked')}:tech:{AICHA}"} for _ in range(few)]
    measure(pages, "`/change`, check", [("/change", {**row, "step": "check"}) for row in rows])
    measure(pages, "`/change`, ask", [("/change", {**row, "step": "ask"}) for row in rows])
    changes = [world.ask(world.service(prefix="answered"), "tech", AICHA) for _ in range(few)]
    measure(pages, "`/contact-changes/ID`, accept", [
        (f"/contact-changes/{each}/answer", {"token": world.token(MARIE, each), "answer": "accept"}) for each in changes])
    for name, path in (("`/sign-in`", "/sign-in"), ("`/contacts`, 50 services", "/contacts"),
                       ("`/change`, one service", f"/change?service={pages.service}"),
                       ("`/requests`, 20 requests", "/requests?tab=all"), ("`/contact-changes/ID`", change),
                       ("`/profile`", "/profile"), ("`/style.css`", "/style.css")):
        measure(pages, name, [(path, None)] * options.requests)

    rate = load(pages, options.seconds)
    loaded = world.web.resident_kilobytes()
    connections = [http.client.HTTPConnection("127.0.0.1", world.web_port) for _ in range(1000)]
    for connection in connections:
        connection.connect()
    time.sleep(1)
    crowded = world.web.resident_kilobytes()
    print(f"\n`/contacts` from 16 connections: {rate:,.0f} pages a second, with contactsd, its database and this program beside\n")
    print("| memory of the process | MB |\n|---|---|")
    for name, kilobytes in (("after the start", idle), (f"after {options.seconds:g} s of load", loaded),
                            ("with 1,000 idle connections beside", crowded)):
        print(f"| {name} | {kilobytes / 1024:.0f} |")
    for connection in connections:
        connection.close()


if __name__ == "__main__":
    main()
