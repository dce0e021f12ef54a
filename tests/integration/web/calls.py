"""The pages of contacts-web and the calls of contactsd that each makes, for calls_test and for measure.py."""

import collections
import re
import urllib.request

from world import AICHA, MARIE, Client

PREFIX = "contacts.v1.ContactService"


def made(world):
    """How many calls of each method contactsd has got."""
    with urllib.request.urlopen(f"http://127.0.0.1:{world.metrics_port}/metrics") as page:
        text = page.read().decode()
    return collections.Counter({method: int(count) for method, count in re.findall(
        rf'^grpc_server_started_total{{grpc_method="(\w+)",grpc_service="{PREFIX}"[^}}]*}} (\d+)$', text, re.M)})


class Pages:
    """What Marie opens and sends. Each `wanted` is the calls that are made."""

    def __init__(self, world):
        self.world = world
        self.service = world.service(prefix="calls")
        self.change = world.ask(self.service, "tech", AICHA)
        self.client = Client(world.web_port).sign_in(MARIE)
        profile = self.client.get("/profile")
        self.form = profile.form_token()
        self.etag = re.search('name="etag" value="([^"]*)"', profile.body)[1]

    def opened(self):
        """Rows (path as the README has it, address, wanted)."""
        change = f"/contact-changes/{self.change}"
        return [
            ("/sign-in", "/sign-in", []),
            ("/contacts", "/contacts", ["ListServices"]),
            ("/contacts", "/contacts?role=tech&prefix=calls", ["ListServices"]),
            ("/change", f"/change?service={self.service}", ["GetService"]),
            ("/change", f"/change?service={self.service}:atb&service=b.example:t", []),
            ("/requests", "/requests", ["ListContactChanges"]),
            ("/requests", f"/requests?tab=all&service={self.service}", ["ListContactChanges"]),
            ("/contact-changes/ID", change, ["ListContactChangeEvents"]),
            ("/contact-changes/ID", f"{change}?token=ABCDE-FGHJK-MNPQR-STVWX", ["ListContactChangeEvents"]),
            ("/profile", "/profile", ["GetProfile"]),
            ("/confirm-email", "/confirm-email?token=ABCDE", ["GetProfile"]),
            ("/mail", "/mail", []),
            ("style and script", "/style.css", []),
        ]

    def sent(self):
        """Rows (name, path, form, status, wanted)."""
        change = f"/contact-changes/{self.change}"
        row = {"row": f"{self.world.service(prefix='calls')}:tech:{AICHA}"}
        wrong = {"token": "ABCDE-FGHJK-MNPQR-STVWX", "answer": "accept"}
        same = {"etag": self.etag, "email": "marie@mail.example", "present_email": "marie@mail.example", "language_code": "fr",
                "present_language_code": "fr"}
        return [
            ("check", "/change", {**row, "step": "check"}, 200, ["ChangeContacts"]),
            ("ask", "/change", {**row, "step": "ask"}, 303, ["ChangeContacts"]),
            ("wrong code", f"{change}/answer", wrong, 403, ["AcceptContactChange", "ListContactChangeEvents"]),
            ("right code", f"{change}/answer", {**wrong, "token": self.world.token(MARIE, self.change)}, 303,
             ["AcceptContactChange"]),
            ("withdraw", f"{change}/withdraw", {}, 303, ["CancelContactChange"]),
            ("nothing new", "/profile", same, 303, []),
            ("wrong address", "/profile", {**same, "email": "no address"}, 400, ["UpdateProfile", "GetProfile"]),
            ("save", "/profile", {**same, "language_code": "en"}, 303, ["UpdateProfile"]),
        ]

    def open(self, address):
        return self.client.get(address)

    def send(self, path, form):
        return self.client.send("POST", path, {"form": self.form, **form})
