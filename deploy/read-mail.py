#!/usr/bin/env python3
"""Prints the e-mails of a Maildir, decoded. The files are quoted-printable.

read-mail.py [ADDRESS]          lists the latest ten e-mails (to ADDRESS), then prints the
                                text of the newest; waits up to 15 seconds for the first one
read-mail.py --link ADDRESS [CHANGE_ID]
                                prints the accept link of the newest validation e-mail (about
                                CHANGE_ID) and marks the e-mail as read, so that the next call
                                gives another link; waits up to 15 seconds for an unread one
read-mail.py --subject FILE...  prints the recipient and the subject of each file

--maildir=DIR (default var/mail) comes first.
"""
import email
import email.policy
import pathlib
import re
import signal
import sys
import time


def read(path):
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def text_of(message):
    return message.get_body(preferencelist=("plain",)).get_content()


def newest_first(maildir, folders):
    paths = [path for folder in folders for path in maildir.glob(f"{folder}/*")]
    return sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def summary(message):
    return f"  to {message['To']}: {message['Subject']}"


def wait_for(find, wanted, maildir):
    """Returns what `find` finds within 15 seconds, as the server delivers after the call."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"no {wanted} in {maildir}")


def show(maildir, address):
    def find():
        messages = [read(path) for path in newest_first(maildir, ("new", "cur"))]
        return [message for message in messages if address in message["To"]][:10]

    messages = wait_for(find, f"e-mail to {address}" if address else "e-mail", maildir)
    for message in reversed(messages):
        print(summary(message))
    print(f"\n{text_of(messages[0])}")


def take_link(maildir, address, change_id):
    """Returns the newest unread accept link, or None."""
    for path in newest_first(maildir, ("new",)):
        message = read(path)
        if address not in message["To"]:
            continue
        for link in re.findall(r"https?://\S+", text_of(message)):
            if change_id in link and "answer=accept" in link:
                (maildir / "cur").mkdir(exist_ok=True)
                path.rename(maildir / "cur" / f"{path.name}:2,S")
                return link
    return None


def main():
    arguments = sys.argv[1:]
    maildir = pathlib.Path("var/mail")
    if arguments and arguments[0].startswith("--maildir="):
        maildir = pathlib.Path(arguments.pop(0).partition("=")[2])
    if arguments[:1] == ["--subject"]:
        for name in arguments[1:]:
            print(summary(read(pathlib.Path(name))))
    elif arguments[:1] == ["--link"] and len(arguments) in (2, 3):
        address, change_id = (*arguments[1:], "")[:2]
        print(wait_for(lambda: take_link(maildir, address, change_id),
                       f"unread validation e-mail to {address}", maildir))
    elif len(arguments) > 1 or arguments[:1] and arguments[0].startswith("-"):
        print(__doc__.strip(), file=sys.stdout if arguments[0] in ("-h", "--help") else sys.stderr)
        return 0 if arguments[0] in ("-h", "--help") else 2
    else:
        show(maildir, arguments[0] if arguments else "")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it without a word.
    sys.exit(main())
