#!/usr/bin/env python3
"""Compares the methods of proto/service-config.json with the contract.

A method may be called again after UNAVAILABLE if it has no side effects, if its request has a
request_id, or if only the server streams. Fails if the file has another method or lacks one.
"""
import json
import pathlib
import re
import sys

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"


def repeatable(text):
    """Yields the names of the service's methods that may be called again."""
    for method, request, response, end in re.findall(
            r"rpc (\w+)\(([^)]+)\) returns \(([^)]+)\)(;| \{[^}]*\})", text):
        message = re.search(rf"^message {request} {{(.*?)^}}", text, re.M | re.S)
        if ("NO_SIDE_EFFECTS" in end
                or message and re.search(r"^  string request_id = ", message[1], re.M)
                or response.startswith("stream ") and not request.startswith("stream ")):
            yield method


def main():
    want = set()
    for path in (PROTO / "contacts/v1").glob("*_service.proto"):
        text = path.read_text(encoding="utf-8")
        service = re.search(r"^service (\w+) {", text, re.M)[1]
        want |= {f"contacts.v1.{service}/{method}" for method in repeatable(text)}
    config = json.loads((PROTO / "service-config.json").read_text(encoding="utf-8"))
    have = {f"{name['service']}/{name['method']}" for name in config["methodConfig"][0]["name"]}
    for method in sorted(want ^ have):
        print(f"proto/service-config.json {'lacks' if method in want else 'may not have'} {method}")
    return 1 if want != have else 0


if __name__ == "__main__":
    sys.exit(main())
