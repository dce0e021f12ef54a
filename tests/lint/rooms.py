#!/usr/bin/env python3
"""Compares the includes of each room of server/ and core/ with the link list of its target.

A room is a folder; its target is PARENT_FOLDER, such as server_calls, or core_store for
core/mysql/store. Fails if a room includes a room that its link list does not give it, if a link or
its PUBLIC is not needed, or if rooms form a circle. Links to anything but rooms are not checked.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PARENTS = ("core", "server")
INCLUDE = re.compile(r'^#include "(core|server)/(?:\w+/)*?(\w+)/[\w.]+"', re.M)


def link_lists():
    """Returns {target: {"PUBLIC": rooms, "PRIVATE": rooms}}."""
    lists = {}
    for parent in PARENTS:
        for path in sorted((ROOT / parent).rglob("CMakeLists.txt")):
            text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
            for command, name, words in re.findall(r"\b(contacts_room|contacts_core|target_link_libraries)\(\s*(\w+)\s([^)]*)\)", text):
                target = f"{parent}_{name}" if command != "target_link_libraries" else name
                kind, entry = "PRIVATE", lists.setdefault(target, {"PUBLIC": set(), "PRIVATE": set()})
                for word in words.split():
                    if word in ("PUBLIC", "PRIVATE", "SOURCES", "DIR"):
                        kind = word
                    elif kind in entry and re.fullmatch(r"(core|server)_\w+", word):
                        entry[kind].add(word)
    return {target: entry for target, entry in lists.items() if folder(target)}


def folder(target):
    """Returns the target's folder, or None if the target is not a room."""
    parent, _, name = target.partition("_")
    return next((path for path in sorted((ROOT / parent).rglob(name or "-")) if path.is_dir()), None)


def included(target, pattern):
    """Returns the rooms that the target's own files include, with one file each."""
    rooms = {}
    for path in sorted(folder(target).glob(pattern)):
        for parent, room in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if f"{parent}_{room}" != target:
                rooms.setdefault(f"{parent}_{room}", path.relative_to(ROOT))
    return rooms


def public_closure(lists, targets):
    """Returns the targets and everything that their PUBLIC links give."""
    seen, rest = set(), list(targets)
    while rest:
        target = rest.pop()
        if target not in seen:
            seen.add(target)
            rest += lists.get(target, {"PUBLIC": ()})["PUBLIC"]
    return seen


def findings():
    lists = link_lists()
    for target, links in sorted(lists.items()):
        headers, sources = included(target, "*.h"), included(target, "*.cc")
        both = links["PUBLIC"] | links["PRIVATE"]
        for rooms, given in ((headers, links["PUBLIC"]), (sources, both)):
            for room in sorted(rooms.keys() - public_closure(lists, given)):
                yield f"{rooms[room]}: includes {room}, which {target} does not link"
        for room in sorted(both - headers.keys() - sources.keys()):
            yield f"{target} links {room}, which it does not include"
        for room in sorted(links["PUBLIC"] & sources.keys() - headers.keys()):
            yield f"{target} links {room} as PUBLIC, but no header includes it"
        around = public_closure({name: {"PUBLIC": entry["PUBLIC"] | entry["PRIVATE"]} for name, entry in lists.items()}, both)
        if target in around:
            yield f"{target} is in a circle"
    if len(lists) < 2:
        yield "no rooms found"


if __name__ == "__main__":
    found = list(findings())
    print("\n".join(found))
    sys.exit(1 if found else 0)
