#!/usr/bin/env python3
"""Reads e-mails of a Maildir, for deploy/run.sh.

read-mail.py MAILDIR ADDRESS CHANGE_ID   prints the link to accept of the newest
                                          validation e-mail; waits up to 15 seconds for it
read-mail.py --subject FILE...           prints to whom each is and its subject
"""
import email
import email.policy
import pathlib
import re
import sys
import time


def read(path):
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def newest_link(maildir, address, change_id):
    """Returns the accept link that the newest matching e-mail carries, or None."""
    for path in sorted(maildir.glob("new/*"), key=lambda p: p.stat().st_mtime_ns, reverse=True):
        message = read(path)
        if address not in message["To"]:
            continue
        text = message.get_body(preferencelist=("plain",)).get_content()
        for link in re.findall(r"https?://\S+", text):
            if change_id in link and "answer=accept" in link:
                return link
    return None


def main():
    if sys.argv[1] == "--subject":
        for name in sys.argv[2:]:
            message = read(pathlib.Path(name))
            print(f"  to {message['To']}: {message['Subject']}")
        return 0
    maildir, address, change_id = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        link = newest_link(maildir, address, change_id)
        if link:
            print(link)
            return 0
        time.sleep(0.1)
    print(f"no validation e-mail for {address} in {maildir}", file=sys.stderr)
    return 1


sys.exit(main())
