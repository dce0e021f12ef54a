"""What the tests of contacts-web share: a database, a contactsd, a contacts-web, browsers, mailboxes."""

import atexit
import email
import email.policy
import functools
import html
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

SOURCES = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ["CONTACTS_TEST_BIN_DIR"])
MARIE, THOMAS, AICHA, OWEN = "ma100001-ovh", "th100002-ovh", "ai100003-ovh", "ow100004-ovh"
NAMES = {MARIE: "marie", THOMAS: "thomas", AICHA: "aicha", OWEN: "owen"}
WAIT = 20  # Seconds after which a test gives up. Nothing is expected to take that long.


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def until(find, what):
    """Returns the first true value of find(). what is a text or gives one."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = find()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {what() if callable(what) else what} within {WAIT} s")


class Program:
    """A server in its own process, which ends with this one."""

    def __init__(self, *command, folder, name):
        self.log = pathlib.Path(folder, f"{name}.log")
        out = pathlib.Path(folder, f"{name}.out")
        with open(out, "w") as stdout, open(self.log, "w") as stderr:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command],
                                            cwd=folder, stdout=stdout, stderr=stderr)

        def address():
            if self.process.poll() is not None:
                raise AssertionError(f"{name} did not start: {self.log.read_text()}")
            found = re.search(r"^listening on (\S+)$", out.read_text(), re.M)
            return found and found[1]

        self.address = until(address, f"address of {name}")
        self.port = int(self.address.rpartition(":")[2])

    def stop(self):
        self.process.terminate()
        return self.process.wait(WAIT)

    def resident_kilobytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read().decode()

    def form_token(self):
        return html.unescape(re.search(r'name="form" value="([^"]*)"', self.body)[1])

    def cookie(self):
        """The cookie that the session has from here on; None if it stays as it is."""
        for value in self.headers.get_all("Set-Cookie") or []:
            if "contacts-session=" in value:
                return value.partition(";")[0]
        return None


class Client:
    """A person without a browser: it sends what the test says and keeps the session's cookie."""

    def __init__(self, port, cookie="", headers=None):
        self.port, self.cookie, self.headers = port, cookie, headers or {}

    def send(self, method, path, form=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        body = None if form is None else urllib.parse.urlencode(form)
        sent = {"Cookie": self.cookie, "Accept-Language": "en", **self.headers}
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        connection.request(method, path, body, sent)
        answer = Answer(connection.getresponse())
        connection.close()
        self.cookie = answer.cookie() or self.cookie
        return answer

    def get(self, path, **headers):
        return self.send("GET", path, **headers)

    def post(self, page, path, form, **headers):
        """Opens the page, then sends one of its forms."""
        return self.send("POST", path, {"form": self.get(page).form_token(), **form}, **headers)

    def sign_in(self, account):
        answer = self.post("/sign-in", "/sign-in", {"account": account, "next": "/contacts"})
        assert answer.status == 303, answer.body
        return self


class World:
    """One contactsd with its own database, and one contacts-web in development."""

    @staticmethod
    @functools.cache
    def shared():
        return World()

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        atexit.register(self.end)
        self.programs = []
        self.services = 0
        self.mysql = urllib.parse.urlparse(os.environ["CONTACTS_TEST_MYSQL"])
        self.database = f"contacts_web_{os.getpid()}"
        self.sql(f"CREATE DATABASE {self.database} CHARACTER SET utf8mb4")
        self.maildir = self.folder / "mail"
        self.web_port = free_port()
        self.metrics_port = free_port()
        self.contactsd = self.start_contactsd("contactsd", "--auth=development", "--migrate",
                                              f"--metrics=127.0.0.1:{self.metrics_port}")
        self.key = self.folder / "session-keys"
        self.key.write_text("a-key-of-the-tests-longer-than-it-need-be\n")
        self.key.chmod(0o600)
        self.web = self.start_web("web", f"--listen=127.0.0.1:{self.web_port}", "--sign_in=development",
                                  f"--mail_folder={self.maildir}")
        self.url = f"http://127.0.0.1:{self.web_port}"
        for account, language in ((MARIE, "fr"), (THOMAS, "en"), (AICHA, "fr"), (OWEN, "en")):
            self.ctl("--operator", "operator", "create-account", account,
                     f"--email={NAMES[account]}@mail.example", f"--language={language}")
        self.ctl("--operator", "operator", "update-account", OWEN, "--billing=overdue")

    def start_contactsd(self, name, *flags):
        uri = self.mysql._replace(path=f"/{self.database}").geturl()
        if "--auth=development" in flags:
            flags += (f"--link_url=http://127.0.0.1:{self.web_port}/contact-changes/{{contact_change_id}}"
                      "?token={token}&answer={answer}",
                      f"--confirm_url=http://127.0.0.1:{self.web_port}/confirm-email?token={{token}}")
        return self.start(BUILD / "server/contactsd", f"--mysql={uri}", "--listen=127.0.0.1:0",
                          f"--mail=maildir:{self.maildir}", "--resend_interval=1s",
                          *flags, name=name)

    def start_web(self, name, *flags, contactsd=None, server=None):
        flags = flags if any(flag.startswith("--listen") for flag in flags) else ("--listen=127.0.0.1:0", *flags)
        return self.start(BUILD / "client/contacts-web", f"--server={server or (contactsd or self.contactsd).address}",
                          f"--session_key_file={self.key}", *flags, name=name)

    def start(self, *command, name):
        self.programs.append(Program(*command, folder=self.folder, name=name))
        return self.programs[-1]

    def end(self):
        for program in self.programs:
            program.process.kill()
            program.process.wait()
        self.sql(f"DROP DATABASE IF EXISTS {self.database}")
        shutil.rmtree(self.folder)

    def sql(self, text):
        subprocess.run(["mariadb", "--no-defaults", f"-h{self.mysql.hostname}", f"-P{self.mysql.port}",
                        f"-u{self.mysql.username}", "-e", text], check=True,
                       env={**os.environ, "MYSQL_PWD": self.mysql.password})

    def ctl(self, *arguments):
        run = subprocess.run([BUILD / "client/contactctl", f"--server={self.contactsd.address}", "--output=json",
                              *arguments], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout) if run.stdout else None

    def service(self, admin=MARIE, tech=THOMAS, billing=MARIE, owner="Marie Martin", prefix="site"):
        self.services += 1
        name = f"{prefix}-{self.services:03}.example"
        self.ctl("--operator", "operator", "create-service", name, "--kind=domain", f"--admin={admin}",
                 f"--tech={tech}", f"--billing={billing}", f"--owner-name={owner}")
        return name

    def ask(self, service, role, to, by=MARIE):
        """Asks for a change without the pages. Returns its id."""
        return self.ctl(f"--account={by}", "change", f"--service={service}", f"--role={role}",
                        f"--to={to}")["contact_changes"][0]["id"]

    def change(self, change, by=MARIE):
        return self.ctl(f"--account={by}", "show", change)["contact_change"]

    def events(self, change, by=MARIE):
        return [event["type"] for event in self.ctl(f"--account={by}", "history", change)["events"]]

    def links(self, account, change, count=1):
        """The links to accept in the e-mails to an account about a change, oldest first, once there are `count`."""
        def find():
            found = [link for link in self.links_to(f"{NAMES[account]}@") if change in link and "answer=accept" in link]
            return found if len(found) >= count else None

        return until(find, f"e-mail to {account} about {change}")

    def links_to(self, address):
        """The links in the e-mails to an address so far, oldest first."""
        found = []
        for path in sorted(self.maildir.glob("new/*"), key=lambda file: file.stat().st_mtime_ns):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if address in message["To"]:
                text = message.get_body(preferencelist=("plain",)).get_content()
                found += re.findall(r"https?://\S+", text)
        return found

    def confirm_link(self, address):
        return until(lambda: [link for link in self.links_to(address) if "/confirm-email?" in link],
                     f"e-mail to {address}")[-1]

    def link(self, account, change):
        return self.links(account, change)[-1]

    def token(self, account, change):
        return urllib.parse.parse_qs(urllib.parse.urlparse(self.link(account, change)).query)["token"][0]
