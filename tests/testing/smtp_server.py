#!/usr/bin/python3
"""A real SMTP server on loopback that misbehaves as its recipients' addresses say.

smtp_server.py --mailbox=DIR [--tls=starttls|implicit] [--certificate=PEM] [--user=U --password=P]
               [--no-smtputf8] [--no-ehlo]

Prints its port once it listens. How a recipient is treated follows from the word
before the first dot, dash or @ of the address:

  accept            as it should be; so is every word not listed here
  again, unknown    450 or 550 to RCPT
  relay             530 to RCPT: log in first
  helo, sender, policy, moved, disabled, nullmx, unplain
                    5xx to RCPT, each with the enhanced status code of its reason; the last
                    without one
  heavy, full       552 to the end of the message: too big for the server, or for the mailbox
  slowdata          answers the end of the message after eight seconds
  busy              451 to the end of the message
  once              drops the connection at the end of the first try, having kept
                    the message: its sender cannot know
  flaky             at the first tries to that address: again, hangup, busy, cut,
                    once; then accept
  hangup            drops the connection instead of an answer to RCPT
  cut               drops the connection in the middle of the message
  stall             never answers RCPT
  stalldata         never answers the end of the message
  drip              answers RCPT a byte a second, for ever
  garbage           answers RCPT with what is no reply
  early             says 250 along with 354, and hangs up without the message
  earlier           the same as two writes, a moment apart, and goes on reading
  twice             says 250 twice to the end of the message
  ramble            answers RCPT with one line without end
  flood             answers RCPT with lines without end

In the folder it keeps: a file for each message taken (its envelope in X-From and
X-To), and "log", a line for each thing that happened: connect, tls, login, rcpt
ADDRESS, wire TEXT (every line that came unencrypted).
"""

import argparse
import asyncio
import collections
import itertools
import os
import re
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

arguments = argparse.ArgumentParser()
arguments.add_argument("--mailbox", required=True)
arguments.add_argument("--tls", choices=["starttls", "implicit"])
arguments.add_argument("--certificate")
arguments.add_argument("--user")
arguments.add_argument("--password")
arguments.add_argument("--no-smtputf8", action="store_true")
arguments.add_argument("--no-ehlo", action="store_true")
options = arguments.parse_args()

REFUSALS = {
    "helo": "504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname",
    "sender": "550 5.1.8 <contacts@sender.example>: Sender address rejected: Domain not found",
    "policy": "554 5.7.1 <accept@mail.example>: Relay access denied",
    "moved": "551 5.1.6 moved",
    "disabled": "550 5.2.1 disabled",
    "nullmx": "556 5.1.10 does not accept mail",
    "unplain": "550 no",
}

log_file = open(os.path.join(options.mailbox, "log"), "a", buffering=1, encoding="utf-8")
numbers = itertools.count(1)
seen = set()
tries = collections.Counter()


def log(*words):
    print(*words, file=log_file)


def mode(address):
    word = re.split("[.@-]", address, maxsplit=1)[0]
    if word == "flaky":
        return dict(enumerate(["again", "hangup", "busy", "cut", "once"], 1)).get(
            tries[address], "accept")
    return word


def hang_up(server):
    server.transport.abort()
    return asyncio.Future()  # Sends nothing more. The task ends with the connection.


async def say(server, text):
    server._writer.write(text)
    await server._writer.drain()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, _):
        log("rcpt", address)
        tries[address] += 1
        word = mode(address)
        if word == "again":
            return "450 4.2.1 <%s> later" % address
        if word == "unknown":
            return "550 5.1.1 <%s> unknown" % address
        if word == "relay":
            return "530 5.7.0 log in first"
        if word in REFUSALS:
            return REFUSALS[word]
        if word == "hangup":
            await hang_up(server)
        if word == "stall":
            await asyncio.Future()
        if word == "garbage":
            return "\x00\xff hello\r\n<html>250 OK</html>"
        if word == "drip":
            while True:
                await say(server, b"2")
                await asyncio.sleep(1)
        if word == "flood":
            while True:
                await say(server, b"250-more to come\r\n" * 100)
        while word == "ramble":
            await say(server, b"250 " * 1000)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        word = mode(envelope.rcpt_tos[0])
        if word == "heavy":
            return "552 5.3.4 too big"
        if word == "full":
            return "552 5.2.2 mailbox full"
        if word == "slowdata":
            log("data", envelope.rcpt_tos[0])
            await asyncio.sleep(8)
        if word == "busy":
            return "451 4.3.0 busy"
        if word == "stalldata":
            await asyncio.Future()
        name = os.path.join(options.mailbox, "%06d" % next(numbers))
        with open(name + ".part", "wb") as file:
            head = "X-From: %s\nX-To: %s\n" % (envelope.mail_from, ",".join(envelope.rcpt_tos))
            file.write(head.encode() + envelope.original_content)
        os.rename(name + ".part", name + ".eml")
        log("taken", envelope.rcpt_tos[0])
        if word == "once" and envelope.rcpt_tos[0] not in seen:
            seen.add(envelope.rcpt_tos[0])
            await hang_up(server)
        return "250 OK\r\n250 OK" if word == "twice" else "250 OK"


class Server(SMTP):
    def connection_made(self, transport):
        encrypted = transport.get_extra_info("sslcontext") is not None
        log("tls" if encrypted else "connect")
        super().connection_made(transport)

    def data_received(self, data):
        if self.transport.get_extra_info("sslcontext") is None:
            for line in data.split(b"\r\n"):
                log("wire", ascii(line.decode("latin-1")))
        super().data_received(data)

    async def smtp_EHLO(self, hostname):
        if options.no_ehlo:
            await self.push("451 4.3.0 not now")
        else:
            await super().smtp_EHLO(hostname)

    async def smtp_DATA(self, arg):
        word = mode(self.envelope.rcpt_tos[0]) if self.envelope.rcpt_tos else ""
        if word == "cut":
            await self.push("354 go on")
            await self._reader.readline()
            await hang_up(self)
        if word == "early":
            await self.push("354 go on\r\n250 OK")
            await asyncio.sleep(0.2)
            await hang_up(self)
        if word == "earlier":
            await self.push("354 go on")
            await self.push("250 OK")
            while True:
                await self._reader.readline()
        await super().smtp_DATA(arg)


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (options.user.encode(), options.password.encode())
    log("login", mechanism, "good" if good else "wrong")
    return AuthResult(success=good, handled=False)


async def serve():
    context = None
    if options.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate)

    def make():
        return Server(
            Handler(),
            enable_SMTPUTF8=not options.no_smtputf8,
            hostname="mail.example",
            tls_context=context if options.tls == "starttls" else None,
            authenticator=authenticate if options.user else None,
            auth_required=bool(options.user),
            auth_require_tls=options.tls == "starttls" or not options.user,
        )

    listener = await asyncio.get_running_loop().create_server(
        make, "127.0.0.1", 0, ssl=context if options.tls == "implicit" else None
    )
    print(listener.sockets[0].getsockname()[1], flush=True)
    # Ends when the process that started it ends.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(serve())
