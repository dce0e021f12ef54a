"""Attacks on contacts-web. Each is refused."""

import base64
import contextlib
import json
import re
import socket
import subprocess
import threading
import time
import unittest
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer

from guide_test import Browser
from world import AICHA, BUILD, MARIE, OWEN, SOURCES, THOMAS, WAIT, Client, World, free_port, until

SCRIPT = '"><script>document.title="broken"</script><img src=x onerror=document.title="broken">'


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Signs session tokens, as the identity provider behind a reverse proxy does."""

    def __init__(self, folder):
        self.key = folder / "issuer.pem"
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self.key, "-noout", "-modulus"], check=True,
                                 capture_output=True, text=True).stdout.strip().partition("=")[2]
        self.jwks = folder / "jwks.json"
        self.jwks.write_text(json.dumps({"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig",
                                                   "n": encoded(bytes.fromhex(modulus)), "e": "AQAB"}]}))
        self.jwks.chmod(0o644)

    def token(self, account, lifetime=600):
        now = int(time.time())
        text = ".".join(encoded(json.dumps(part).encode()) for part in (
            {"alg": "RS256", "kid": "1", "typ": "JWT"},
            {"iss": "https://login.example", "aud": "contacts", "sub": account, "iat": now, "exp": now + lifetime,
             "locale": "fr-CH"}))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=text.encode(), check=True,
                                   capture_output=True).stdout
        return f"{text}.{encoded(signature)}"


class Attack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World.shared()
        cls.marie = Client(cls.world.web_port).sign_in(MARIE)

    @contextlib.contextmanager
    def browser(self):
        browser = Browser(self.world, "en")
        try:
            yield browser
        finally:
            browser.driver.quit()

    def raw(self, port, data=b"", wait=WAIT):
        connection = socket.create_connection(("127.0.0.1", port), timeout=wait)
        connection.sendall(data)
        return connection

    def test_a_form_of_another_site_is_refused(self):
        change = self.world.ask(self.world.service(), "tech", AICHA)
        token = self.world.token(MARIE, change)
        path = f"/contact-changes/{change}/answer"
        form = {"token": token, "answer": "accept"}
        theirs = Client(self.world.web_port).sign_in(AICHA).get("/profile").form_token()
        own = self.marie.get("/profile").form_token()
        for extra in ({}, {"form": ""}, {"form": theirs}, {"form": own[:-2] + "AA"}):
            self.assertEqual(self.marie.send("POST", path, {**form, **extra}).status, 403, extra)
        for site in ("cross-site", "same-site"):
            answer = self.marie.send("POST", path, {**form, "form": own}, Sec_Fetch_Site=site)
            self.assertEqual(answer.status, 403, site)
        # Every form, also the sign-in: a stranger's account would see what a person writes.
        for path in ("/sign-in", "/sign-out", "/change", "/profile", f"/contact-changes/{change}/resend",
                     f"/contact-changes/{change}/withdraw"):
            self.assertEqual(self.marie.send("POST", path, {"account": AICHA, **form}).status, 403, path)
        self.assertEqual(self.world.change(change)["state"], "CONTACT_CHANGE_STATE_VALIDATING")
        self.assertNotIn("CONTACT_CHANGE_EVENT_TYPE_ACCEPTED", self.world.events(change))
        self.assertEqual(self.marie.send("POST", f"/contact-changes/{change}/answer", {**form, "form": own}).status, 303)

    def test_no_page_that_is_opened_changes_anything(self):
        change = self.world.ask(self.world.service(), "tech", AICHA)
        token = self.world.token(MARIE, change)
        for path in ("answer", "resend", "withdraw"):
            answer = self.marie.get(f"/contact-changes/{change}/{path}?token={token}&answer=accept")
            self.assertEqual(answer.status, 405)
        until(lambda: self.world.events(change).count("CONTACT_CHANGE_EVENT_TYPE_VALIDATION_SENT") == 2, "e-mails")
        before = self.world.events(change)
        for client in (self.marie, Client(self.world.web_port)):
            for method in ("GET", "HEAD"):
                for answer in ("accept", "refuse"):
                    client.send(method, f"/contact-changes/{change}?token={token}&answer={answer}")
        self.assertEqual(self.world.events(change), before)

    def test_stored_and_reflected_scripts_are_text(self):
        service = self.world.service(owner=SCRIPT)
        change = self.world.ask(service, "tech", AICHA)
        self.world.ctl(f"--account={AICHA}", "refuse", self.world.link(AICHA, change).replace("answer=accept", "answer=refuse"),
                       f"--reason={SCRIPT}")
        text = urllib.parse.quote(SCRIPT)
        pages = {f"/change?service={service}": True, f"/contact-changes/{change}": True,
                 f"/contacts?prefix={text}&role={text}&lang={text}": False, f"/requests?tab={text}&done={text}": False,
                 f"/requests?tab=all&service={text}": False, f"/change?service={text}:atb&service=b:t": True,
                 f"/sign-in?next=/{text}&account={text}": True, f"/contact-changes/{text}": False,
                 f"/mail/letter?name={text}": False, f"/{text}": False}
        with self.browser() as page:
            page.sign_in(MARIE)
            for path, shown in pages.items():
                page.open(path)
                self.assertNotEqual(page.driver.title, "broken", path)
                self.assertEqual(page.driver.execute_script(
                    "return document.querySelectorAll('script:not([src^=\"/page.js\"]), main img').length"), 0, path)
                if shown:
                    self.assertIn("<script>", page.driver.execute_script(
                        "return [document.body.textContent, ...[...document.querySelectorAll('input')]"
                        ".map(field => field.value)].join()"), path)
        # A form that is refused shows what was written.
        for path, form in ((f"/contact-changes/{change}/answer", {"token": SCRIPT, "reason": SCRIPT}),
                           ("/profile", {"email": SCRIPT}), ("/change", {"row": f"{SCRIPT}:tech:{SCRIPT}"}),
                           ("/sign-in", {"account": SCRIPT, "next": SCRIPT})):
            self.assertNotIn("<script>document", self.marie.post("/profile", path, form).body)
        self.assertIn("script-src 'self';", self.marie.get("/contacts").headers["Content-Security-Policy"])
        self.assertNotIn("unsafe", self.marie.get("/contacts").headers["Content-Security-Policy"])

    def test_a_sign_in_leads_to_no_other_site(self):
        for path in ("//evil.example", "/\\evil.example", "https://evil.example", "http:evil.example", "\\/evil.example",
                     "javascript:alert(1)", "/\t/evil.example", "/\n//evil.example", " //evil.example", "", "evil"):
            client = Client(self.world.web_port)
            answer = client.post("/sign-in", "/sign-in", {"account": MARIE, "next": path})
            self.assertEqual((answer.status, answer.headers["Location"]), (303, "/contacts"), path)
        answer = Client(self.world.web_port).post("/sign-in", "/sign-in", {"account": MARIE, "next": "/profile?a=b"})
        self.assertEqual(answer.headers["Location"], "/profile?a=b")
        # No header can be added to the answer.
        self.assertIsNone(answer.headers["X-Added"])
        added = Client(self.world.web_port).post("/sign-in", "/sign-in", {"account": MARIE, "next": "/a\r\nX-Added: 1"})
        self.assertIsNone(added.headers["X-Added"])

    def test_an_address_that_names_another_site_is_refused(self):
        for target in (b"//evil.example/", b"/\\evil.example", b"http://evil.example/", b"?x", b"*"):
            with self.raw(self.world.web_port, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n") as connection:
                self.assertIn(b" 400 ", connection.recv(100), target)

    def test_a_link_confirms_nothing_that_was_not_done(self):
        done = self.marie.send("POST", "/profile", {
            "form": self.marie.get("/profile").form_token(), "email": "a", "present_email": "a", "language": "fr",
            "present_language": "fr"}).headers["Location"]
        self.assertIn("Saved", self.marie.get(done).body)
        # Neither by a stranger's link, nor in another session.
        for client, link in ((self.marie, done.partition(".")[0]), (self.marie, done.replace("saved", "asked")),
                             (self.marie, "/requests?done=asked"),
                             (Client(self.world.web_port).sign_in(MARIE), done)):
            self.assertNotIn("note done", client.get(link).body, link)

    def test_rows_that_the_answer_had_no_room_for_are_not_in_order(self):
        rows = [("row", f"missing-{number:03}.example:tech:{AICHA}") for number in range(200)]
        answer = self.marie.send("POST", "/change", [("form", self.marie.get("/profile").form_token()), ("step", "check"),
                                                     *rows])
        self.assertEqual(answer.status, 404)
        self.assertIn("200 of 200 rows", answer.body)
        self.assertIn("Not checked", answer.body)
        self.assertNotIn("In order", answer.body)

    def test_a_request_whose_outcome_is_not_known_stays_the_same_request(self):
        web = self.world.start_web("unreached", "--sign_in=development", server=f"127.0.0.1:{free_port()}")
        request_id = "0190c0de-0000-7000-8000-000000000001"
        form = {"form": self.marie.get("/profile").form_token(), "row": f"a.example:tech:{AICHA}", "step": "ask",
                "request_id": request_id}
        answer = Client(web.port, self.marie.cookie).send("POST", "/change", form)
        self.assertEqual(answer.status, 503)
        self.assertIn(request_id, answer.body)
        self.assertNotIn("In order", answer.body)
        # A request that was refused is another one after its correction.
        self.assertNotIn(request_id, self.marie.send("POST", "/change", form).body)
        web.stop()

    def test_a_sign_in_form_of_another_session_is_shown_again(self):
        """Another tab may begin a session between the form and its answer."""
        client = Client(self.world.web_port)
        form = {"form": client.get("/sign-in").form_token(), "account": MARIE, "next": "/profile"}
        client.cookie = ""
        client.get("/sign-in")
        again = client.send("POST", "/sign-in", form)
        self.assertEqual(again.status, 403)
        for text in ("too old", f'value="{MARIE}"', 'value="/profile"'):
            self.assertIn(text, again.body)
        answer = client.send("POST", "/sign-in", {**form, "form": again.form_token()})
        self.assertEqual((answer.status, answer.headers["Location"]), (303, "/profile"))

    def test_a_session_that_was_planted_is_not_signed_in(self):
        victim = Client(self.world.web_port)
        planted = victim.get("/sign-in").cookie()
        victim.cookie = planted
        victim.sign_in(MARIE)
        self.assertNotEqual(victim.cookie, planted)
        self.assertEqual(Client(self.world.web_port, planted).get("/contacts").status, 401)
        self.assertIn("HttpOnly; SameSite=Lax", str(Client(self.world.web_port).get("/sign-in").headers))

    def test_a_session_cannot_be_made_up_or_prolonged(self):
        name, _, value = self.marie.cookie.partition("=")
        text, _, signature = value.partition(".")
        session = base64.urlsafe_b64decode(text + "==").decode()
        for changed in (session.replace(MARIE, AICHA), re.sub(r"\d+$", "9999999999", session)):
            for forged in (encoded(changed.encode()) + "." + signature, encoded(changed.encode()) + ".",
                           encoded(changed.encode())):
                self.assertEqual(Client(self.world.web_port, f"{name}={forged}").get("/contacts").status, 401)
        # A form's token is signed with the same key, and is no session.
        self.assertEqual(Client(self.world.web_port, f"{name}={text}.{self.marie.get('/profile').form_token()}")
                         .get("/contacts").status, 401)

    def test_a_session_ends_and_holds_on_every_server_with_the_key(self):
        other = self.world.start_web("other", "--sign_in=development", "--session_lifetime=2s")
        self.assertEqual(Client(other.port, self.marie.cookie).get("/contacts").status, 200)
        short = Client(other.port).sign_in(MARIE)
        cookie = short.cookie
        until(lambda: Client(other.port, cookie).get("/contacts").status == 401, "end of the session")
        other.stop()

    def test_codes_are_in_no_log_referrer_or_cache(self):
        change = self.world.ask(self.world.service(), "tech", AICHA)
        token = self.world.token(MARIE, change)
        path = f"/contact-changes/{change}?token={token}&answer=accept"
        stranger = Client(self.world.web_port)
        for answer in (self.marie.get(path), stranger.get(path), self.marie.get(path.replace(token, "ABCDE"))):
            self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
            # Nothing on the page is of another site.
            self.assertEqual(set(re.findall(r'(?:src|action|href)="(?!/|data:|#)([^"]*)', answer.body)), set())
        self.marie.post("/profile", path.partition("?")[0] + "/answer", {"token": token, "answer": "accept"})
        for program in (self.world.web, self.world.contactsd):
            log = program.log.read_text()
            self.assertIn('"time"', log)
            self.assertNotIn(token, log)
            self.assertNotIn(self.marie.cookie.partition("=")[2], log)

    def test_a_proxy_logs_no_code(self):
        """With the lines for nginx in client/web/README.md."""
        page = (self.world.folder / "nginx")
        (page / "temp").mkdir(parents=True)
        lines = re.search(r"```nginx\n(.*?)```", (SOURCES / "client/web/README.md").read_text(), re.S)[1]
        port = free_port()
        lines = (lines.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
                 .replace("127.0.0.1:8080", f"127.0.0.1:{self.world.web_port}")
                 .replace("/var/log/nginx", str(page)))
        lines = re.sub(r".*(ssl_|server_name|auth_request|error_page|\$token).*\n", "", lines)
        temp = "".join(f"{kind}_temp_path {page}/temp/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (page / "nginx.conf").write_text(f"daemon off; master_process off; pid {page}/pid; error_log {page}/error.log;\n"
                                         f"events {{}}\nhttp {{ access_log off; {temp}\n{lines}\n}}\n")
        nginx = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "nginx", "-c", page / "nginx.conf", "-e", page / "error.log"])
        try:
            until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "nginx")
            client = Client(port, self.marie.cookie, {"Host": f"localhost:{port}"})
            self.assertEqual(client.get("/profile?token=SECRET-CODE").status, 200)
            log = until(lambda: (page / "contacts.log").exists() and (page / "contacts.log").read_text(), "log")
            self.assertIn("/profile", log)
            self.assertNotIn("SECRET", log)
            # Events pass the proxy as they come.
            events = self.raw(port, f"GET /events HTTP/1.1\r\nHost: localhost\r\nCookie: {self.marie.cookie}\r\n\r\n".encode())
            data = b""
            while b"event: begin" not in data:
                data += events.recv(4096)
            events.close()
        finally:
            nginx.terminate()
            nginx.wait()

    def test_no_page_is_shown_in_a_frame(self):
        page = b'<iframe id="frame" src="%s/contacts"></iframe>' % self.world.url.encode()

        class Foreign(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Foreign)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with self.browser() as browser:
            browser.sign_in(MARIE)
            browser.open(f"http://127.0.0.1:{server.server_port}/")
            browser.driver.switch_to.frame(browser.find("#frame"))
            self.assertNotIn("My contacts", browser.driver.page_source)
        server.shutdown()
        answer = self.marie.get("/contacts")
        self.assertIn("frame-ancestors 'none'", answer.headers["Content-Security-Policy"])
        self.assertEqual(answer.headers["X-Frame-Options"], "DENY")

    def test_slow_requests_are_cut_off(self):
        web = self.world.start_web("slow", "--sign_in=development", "--request_timeout=1s")
        head = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
        for start in (head, head + b"\r\na="):
            connection = self.raw(web.port, start)
            connection.settimeout(0.1)
            ended = False

            def closed():
                try:
                    connection.send(b"x")
                    return connection.recv(1) == b""
                except TimeoutError:
                    return False
                except OSError:
                    return True

            until(closed, "end of the slow request")
            connection.close()
        web.stop()

    def test_oversized_requests_are_refused(self):
        large = self.marie.send("POST", "/profile", {"email": "a" * 300_000})
        self.assertEqual(large.status, 413)
        self.assertEqual(self.marie.get("/contacts?prefix=" + "a" * 40_000).status, 431)
        self.assertEqual(self.marie.send("POST", "/profile", [("a", "b")] * 5_000).status, 400)
        self.assertEqual(self.marie.get("/contacts?prefix=%ff%00").status, 400)
        self.assertEqual(self.marie.send("PUT", "/profile").status, 405)
        with self.raw(self.world.web_port, b"POST /profile HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                      b"Content-Length: 1\r\n\r\na") as connection:
            self.assertIn(b"415", connection.recv(100))
        with self.raw(self.world.web_port, b"\x16\x03\x01 no HTTP\r\n\r\n") as connection:
            self.assertIn(b"400", connection.recv(100))
        # A request has one length: none hides in the body of another.
        with self.raw(self.world.web_port, b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n") as connection:
            self.assertIn(b"400", connection.recv(100))
        self.assertEqual(self.marie.get("/contacts").status, 200)

    def test_a_thousand_idle_connections_delay_nobody(self):
        before = self.world.web.resident_kilobytes()
        idle = [self.raw(self.world.web_port) for _ in range(1000)]
        self.assertEqual(self.marie.get("/contacts").status, 200)
        print(f"1,000 idle connections: {self.world.web.resident_kilobytes() - before} kB more")
        for connection in idle:
            connection.close()

    def test_beyond_the_limit_the_longest_idle_connection_ends(self):
        web = self.world.start_web("full", "--sign_in=development", "--max_connections=20")
        idle = [self.raw(web.port) for _ in range(30)]
        self.assertEqual(Client(web.port).get("/sign-in").status, 200)
        self.assertEqual(idle[0].recv(1), b"")
        idle[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b"200", idle[-1].recv(100))
        for connection in idle:
            connection.close()
        web.stop()

    def test_many_open_pages_do_not_keep_others_waiting(self):
        def events(client):
            return self.raw(self.world.web_port, f"GET /events HTTP/1.1\r\nHost: localhost\r\nCookie: {client.cookie}\r\n\r\n"
                            .encode())

        others = [Client(self.world.web_port).sign_in(account) for account in (AICHA, THOMAS, OWEN)]
        pages = [events(client) for client in others for _ in range(20)]
        for page in pages:
            self.assertIn(b" 200 ", page.recv(100))
        # An account has 20 at most.
        with events(others[0]) as page:
            self.assertIn(b" 429 ", page.recv(100))
        self.assertEqual(self.marie.get("/contacts").status, 200)
        for page in pages:
            page.close()

        def free():
            with events(others[0]) as page:
                return b" 200 " in page.recv(100)

        until(free, "free stream")

    def test_only_the_present_style_and_script_are_kept(self):
        page = self.marie.get("/contacts").body
        for path in re.findall(r'(?:href|src)="(/\w+\.\w+\?v=\d+)"', page):
            self.assertIn("immutable", self.marie.get(path).headers["Cache-Control"])
            self.assertEqual(self.marie.get(path + "0").headers["Cache-Control"], "no-cache")
            self.assertEqual(self.marie.get(path.partition("?")[0]).headers["Cache-Control"], "no-cache")
        self.assertIn('value="tech" selected', self.marie.get("/contacts?role=TECH").body)

    def test_an_address_of_ipv6_is_served(self):
        web = self.world.start_web("ipv6", "--sign_in=development", "--listen=[::1]:0")
        self.assertTrue(web.address.startswith("[::1]:"))
        with socket.create_connection(("::1", web.port), timeout=WAIT) as connection:
            connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: [::1]:{web.port}\r\n\r\n".encode())
            self.assertIn(b" 200 ", connection.recv(100))
        web.stop()

    def test_development_refuses_a_proxy(self):
        for name in ("X_Forwarded_User", "X_Forwarded_Access_Token", "X_Auth_Request_User", "Forwarded"):
            self.assertEqual(self.marie.send("GET", "/contacts", **{name: "marie"}).status, 421, name)

    def test_another_name_for_this_machine_is_refused_in_development(self):
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example"):
            self.assertEqual(self.marie.get("/sign-in", Host=host).status, 421)

    def test_development_is_for_this_machine_alone(self):
        program = BUILD / "client/contacts-web"
        for flags, named in ((["--sign_in=development", "--listen=0.0.0.0:0"], "--listen"), ([], "--sign_in"),
                             (["--sign_in=header"], "--session_key_file"),
                             (["--sign_in=header", f"--session_key_file={self.world.key}", "--mail_folder=/tmp"], "--mail_folder"),
                             (["--sign_in=development", "--server=contacts.example:50051"], "--server")):
            run = subprocess.run([program, *flags], capture_output=True, text=True, timeout=WAIT)
            self.assertEqual(run.returncode, 2, flags)
            self.assertIn(named, run.stderr)
        self.world.key.chmod(0o644)
        run = subprocess.run([program, "--sign_in=header", f"--session_key_file={self.world.key}"], capture_output=True,
                             text=True, timeout=WAIT)
        self.world.key.chmod(0o600)
        self.assertIn("others may use the file", run.stderr)

    def test_behind_a_proxy_the_token_of_the_session_decides(self):
        issuer = Issuer(self.world.folder)
        contactsd = self.world.start_contactsd(
            "contactsd-jwt", "--auth=jwt", f"--jwt_jwks_file={issuer.jwks}", "--jwt_issuer=https://login.example",
            "--jwt_audience=contacts", "--mail_from=contacts@mail.example",
            f"--token_keys_file={self.world.folder}/contacts-token-keys",
            "--link_url=https://a.example/{contact_change_id}?token={token}&answer={answer}",
            "--confirm_url=https://a.example/confirm?token={token}")
        web = self.world.start_web("web-header", "--sign_in=header", contactsd=contactsd)
        service = self.world.service(prefix="proxied")
        path = f"/contacts?prefix={service}"
        marie = Client(web.port, headers={"X-Forwarded-Access-Token": issuer.token(MARIE), "Accept-Language": ""})
        answer = marie.get(path)
        self.assertEqual(answer.status, 200)
        self.assertIn(service, answer.body)
        self.assertIn("Mes contacts", answer.body)  # The language of the token.
        self.assertIn("Secure", str(answer.headers.get_all("Set-Cookie")))
        self.assertIn("__Host-contacts-session", str(answer.headers.get_all("Set-Cookie")))
        # A session's cookie alone is nothing, nor is the development form.
        self.assertEqual(Client(web.port, self.marie.cookie).get(path).status, 401)
        self.assertEqual(Client(web.port).get(path).status, 401)
        self.assertEqual(Client(web.port).get("/sign-in").status, 401)
        forged = issuer.token(MARIE).rpartition(".")[0] + "." + encoded(b"x" * 256)
        self.assertEqual(Client(web.port, headers={"X-Forwarded-Access-Token": forged}).get(path).status, 401)
        self.assertEqual(Client(web.port, headers={"X-Forwarded-Access-Token": issuer.token(MARIE, -600)}).get(path).status, 401)
        self.assertEqual(Client(web.port, headers={"X-Forwarded-Access-Token": "a b\tc"}).get(path).status, 401)
        # A stream that contactsd refuses is not asked for again each second.
        with self.raw(web.port, f"GET /events HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Access-Token: {forged}\r\n\r\n"
                      .encode()) as events:
            data = b""
            while part := events.recv(4096):
                data += part
            self.assertIn(b"retry: 60000", data)
        cookie = next(value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie") if "session" in value)
        marie.headers["Cookie"] = cookie
        token = marie.get("/profile").form_token()
        sent = {"form": token, "email": "marie@mail.example", "present_email": "marie@mail.example", "language": "fr",
                "present_language": "fr"}
        self.assertEqual(marie.send("POST", "/profile", sent).status, 303)
        # The form of one person is not another person's, even in the same browser.
        thomas = Client(web.port, headers={"X-Forwarded-Access-Token": issuer.token(THOMAS), "Cookie": cookie})
        self.assertEqual(thomas.send("POST", "/profile", sent).status, 403)
        web.stop()
        contactsd.stop()  # It would send the e-mails of other tests.


if __name__ == "__main__":
    unittest.main()
