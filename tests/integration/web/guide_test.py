"""The guide, page by page, in a real browser."""

import json
import os
import pathlib
import subprocess
import unittest

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from world import AICHA, MARIE, OWEN, THOMAS, WAIT, Client, World, until

WORDS = {
    "en": {"done": "Your request was taken", "awaited": "Still awaited: ", "effect": "The change has taken effect",
           "wrong": "This is not the code", "superseded": "This code is from an earlier e-mail",
           "answered": "You have already answered", "sign_in": "Sign in to go on", "overdue": "overdue payments",
           "holds": "already holds the role", "unknown": "There is no account", "soon": "Try again in",
           "saved": "Saved", "address": "This is not an e-mail address",
           "confirmed": "The new address is confirmed", "none": "No address waits to be confirmed",
           "locked": "Too many wrong codes", "withdrawn": "is withdrawn", "refused": "You refused"},
    "fr": {"done": "a bien été prise en compte", "awaited": "en attente de validation par", "effect": "est effectif",
           "wrong": "Ce n’est pas le code", "superseded": "d’un e-mail précédent", "answered": "Vous avez déjà répondu",
           "sign_in": "Connectez-vous pour continuer", "overdue": "règlements en retard", "holds": "a déjà ce rôle",
           "unknown": "n’y a pas de compte", "soon": "Réessayez dans", "saved": "Enregistré", "address": "Ce n’est pas une adresse e-mail",
           "confirmed": "La nouvelle adresse est confirmée", "none": "Aucune adresse n’attend de confirmation",
           "locked": "Trop de codes erronés", "withdrawn": "est retirée",
           "refused": "Vous avez refusé"},
}


def axe_source():
    cache = pathlib.Path(os.environ.get("CONTACTS_CACHE") or
                         pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "contacts"))
    script = cache / "axe/node_modules/axe-core/axe.min.js"
    if not script.exists():
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", f"--prefix={cache}/axe", "axe-core"],
                       check=True)
    return script.read_text()


def in_one_page(read, otherwise):
    """What read() gives; otherwise, if the page is replaced meanwhile, which Chromium says in three ways."""
    try:
        return read()
    except (NoSuchElementException, StaleElementReferenceException):
        return otherwise
    except WebDriverException as error:
        if "does not belong to the document" not in (error.msg or ""):
            raise
        return otherwise


class Browser:
    """Chromium with one person's cookies."""

    def __init__(self, world, language):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--lang={language}",
                     "--no-proxy-server", "--disable-background-networking", "--disable-component-update"):
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.world = world
        self.driver = webdriver.Chrome(options=options, service=webdriver.chrome.service.Service(
            "/usr/bin/chromedriver", env={**os.environ, "TMPDIR": str(world.folder)}))
        self.driver.set_page_load_timeout(WAIT)
        self.language = language
        self.view(1200, "light")

    def view(self, width, scheme):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def script(self, on):
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not on})

    def open(self, path):
        self.driver.get(path if "://" in path else self.world.url + path)

    def find(self, css):
        return until(lambda: self.all(css), lambda: f"{css} in\n{self.text()}")[0]

    def all(self, css):
        return in_one_page(lambda: self.driver.find_elements(By.CSS_SELECTOR, css), [])

    def has(self, css):
        return bool(self.all(css))

    def click(self, css):
        """Clicks once, also if the page is replaced meanwhile: by the click itself, or by news before it."""
        def clicked():
            found = self.find(css)
            before = self.document()
            if in_one_page(lambda: found.click() or True, False):
                return True
            now = until(self.document, "document")
            return before is not None and now != before
        until(clicked, css)

    def document(self):
        """The page's html element; another one for each page. None while the page is replaced."""
        return in_one_page(lambda: self.driver.find_element(By.TAG_NAME, "html"), None)

    def at(self, part):
        """Waits for a page whose address has this part. Returns the address."""
        return until(lambda: part in self.driver.current_url and self.has("main") and self.driver.current_url,
                     lambda: f"{part} in {self.driver.current_url}")

    def see_done(self, words):
        """Waits for the page that says what the form before it did: that form's page may have the same words."""
        self.find(".note.done")
        self.see(words)

    def fill(self, css, text):
        def filled():
            field = self.find(css)
            field.clear()
            field.send_keys(text)
            return True
        until(lambda: in_one_page(filled, False), css)

    def text(self):
        return in_one_page(lambda: self.driver.find_element(By.TAG_NAME, "body").text, "")

    def see(self, words):
        until(lambda: words in self.text(), lambda: f"“{words}” in\n{self.text()}")

    def forget(self):
        # A page that stays open may ask for news meanwhile, and get another session's cookie.
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def sign_in(self, account):
        self.forget()
        self.open("/sign-in")
        self.fill("#account", account)
        self.click("form.narrow button.main")
        self.find(".account")


class Guide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World.shared()
        cls.browsers = {}
        cls.axe = axe_source()

    @classmethod
    def tearDownClass(cls):
        for browser in cls.browsers.values():
            browser.driver.quit()

    def browser(self, language="en", account=MARIE):
        """The browser of this language, signed in. The first one starts it."""
        if language not in self.browsers:
            self.browsers[language] = Browser(self.world, language)
        browser = self.browsers[language]
        browser.script(True)
        if account:
            browser.sign_in(account)
        return browser

    def tearDown(self):
        # A page whose script or style was refused, or whose script failed, says so here.
        for language, browser in self.browsers.items():
            for entry in browser.driver.get_log("browser"):
                self.assertNotRegex(entry["message"], "Content Security Policy|Uncaught", language)

    def play_the_guide(self, language):
        say = WORDS[language]
        service = self.world.service(prefix=f"guide-{language}")
        page = self.browser(language)
        page.open("/contacts")
        self.assertEqual(page.driver.find_element(By.TAG_NAME, "html").get_attribute("lang"), language)
        Select(page.find("#role")).select_by_value("admin")
        page.fill("#prefix", service[:8])
        page.click(".filters button")
        page.at("prefix=guide")
        page.see(service)
        page.click(f"a[href='/change?service={service}']")
        self.assertIn(THOMAS, page.find("#tech-hint").text)
        page.fill("#tech", AICHA.upper())
        page.click("button[value=check]")
        page.see(f"{MARIE}, {AICHA}")
        page.click("button[value=ask]")
        page.see(say["done"])
        page.click("article h2 a")
        change = page.at("/contact-changes/").rpartition("/")[2]
        # The table says on which role a change is pending.
        page.open("/contacts?prefix=" + service)
        self.assertEqual(len(page.driver.find_elements(By.CSS_SELECTOR, "td .badge.pending")), 1)

        page.open(self.world.link(MARIE, change))
        self.assertEqual(page.find("#token").get_attribute("value"), self.world.token(MARIE, change))
        self.assertIn(AICHA, page.find("#answer p").text)
        page.click("button[value=accept]")
        page.see_done(say["awaited"])
        page.see(AICHA)
        self.assertNotIn("token", page.driver.current_url)

        page.sign_in(AICHA)
        page.open("/requests")
        page.see(service)
        page.open(self.world.link(AICHA, change))
        self.assertIn(MARIE, page.find("#answer p").text)
        page.click("button[value=accept]")
        page.see_done(say["effect"])
        page.open("/contacts")
        page.see(service)
        self.assertEqual(self.world.change(change)["state"], "CONTACT_CHANGE_STATE_DONE")

    def test_the_whole_guide_in_english(self):
        self.play_the_guide("en")

    def test_the_whole_guide_in_french(self):
        self.play_the_guide("fr")

    def test_the_whole_guide_without_script(self):
        page = self.browser("en")
        page.script(False)
        self.play_without_asking_the_page(page)
        page.script(True)

    def play_without_asking_the_page(self, page):
        service = self.world.service()
        page.open(f"/change?service={service}")
        page.fill("#tech", AICHA)
        page.click("button[value=check]")
        page.click("button[value=ask]")
        page.see(WORDS["en"]["done"])
        page.click("article h2 a")
        change = page.at("/contact-changes/").rpartition("/")[2]
        page.open(self.world.link(MARIE, change))
        page.click("button[value=accept]")
        page.see_done(WORDS["en"]["awaited"])
        page.sign_in(AICHA)
        page.open(self.world.link(AICHA, change).replace("accept", "refuse"))
        page.fill("#reason", "Not me")
        page.click("button[value=refuse]")
        page.see(WORDS["en"]["refused"])
        self.assertEqual(self.world.change(change)["state"], "CONTACT_CHANGE_STATE_REFUSED")

    def test_many_services_in_one_request_say_for_each_row_what_is_wrong(self):
        for language in WORDS:
            say = WORDS[language]
            services = [self.world.service(prefix=f"many-{language}") for _ in range(3)]
            self.world.ask(services[2], "tech", OWEN)
            page = self.browser(language)
            page.open(f"/contacts?prefix=many-{language}")
            page.click(".tick-all")
            page.click("button.main")
            page.fill("#tech", AICHA)
            page.fill("#admin", MARIE)
            page.click("button[value=check]")
            page.find("tr.wrong")
            # 3 rows with the present administrator, 1 whose change is pending, 2 in order.
            self.assertEqual(len(page.driver.find_elements(By.CSS_SELECTOR, "tr.wrong")), 4)
            page.see(say["holds"])
            page.click("button[value=ask]")
            page.see(say["done"])
            page.see(f"{services[0]} (")
            changes = self.world.ctl(f"--account={AICHA}", "changes", f"--service={services[0]}")["contact_changes"]
            self.assertEqual([item["service"] for item in changes[0]["items"]], services[:2])
            self.assertEqual(len(self.world.links(AICHA, changes[0]["id"])), 1)

    def test_rows_tell_of_unknown_accounts_and_overdue_payments(self):
        service = self.world.service()
        for language in WORDS:
            page = self.browser(language)
            for new, words in (("zz999999-ovh", "unknown"), (OWEN, "overdue")):
                page.open(f"/change?service={service}")
                page.fill("#billing", new)
                page.click("button[value=check]")
                page.see(WORDS[language][words])
                self.assertFalse(page.has("button[value=ask]"))

    def test_a_double_click_and_a_reload_ask_once(self):
        service = self.world.service()
        page = self.browser()
        page.open(f"/change?service={service}")
        page.fill("#tech", AICHA)
        page.click("button[value=check]")
        page.find("button[value=ask]")
        page.driver.execute_async_script("""
            const done = arguments[0], form = document.querySelector('form[action="/change"]');
            const body = new URLSearchParams(new FormData(form));
            body.append('step', 'ask');
            Promise.all([1, 2, 3].map(() => fetch('/change', {method: 'POST', body}))).then(
                () => done(), error => done(String(error)));""")
        page.click("button[value=ask]")
        page.see(WORDS["en"]["done"])
        page.driver.refresh()
        changes = self.world.ctl(f"--account={MARIE}", "changes", f"--service={service}")["contact_changes"]
        self.assertEqual(len(changes), 1)

    def test_the_back_button_does_nothing_twice(self):
        service = self.world.service()
        page = self.browser()
        page.open(f"/change?service={service}")
        page.fill("#tech", AICHA)
        page.click("button[value=check]")
        page.click("button[value=ask]")
        page.see(WORDS["en"]["done"])
        change = self.world.ctl(f"--account={MARIE}", "changes", f"--service={service}")["contact_changes"][0]["id"]
        page.open(self.world.link(MARIE, change))
        page.click("button[value=accept]")
        page.see_done(WORDS["en"]["awaited"])
        page.driver.back()
        # The page is read again, as it may not be kept: it no longer asks.
        page.see("needs no answer from you any more")
        self.assertFalse(page.has("button[value=accept]"))
        self.assertEqual(self.world.events(change).count("CONTACT_CHANGE_EVENT_TYPE_ACCEPTED"), 1)

    def test_a_second_tab_is_told_that_the_answer_was_given(self):
        change = self.world.ask(self.world.service(), "tech", AICHA)
        for language in WORDS:
            if language == "fr":
                change = self.world.ask(self.world.service(), "tech", AICHA)
            page = self.browser(language)
            page.open(self.world.link(MARIE, change))
            first = page.driver.current_window_handle
            page.driver.switch_to.new_window("tab")
            page.open(self.world.link(MARIE, change))
            page.click("button[value=accept]")
            page.see_done(WORDS[language]["awaited"])
            page.driver.close()
            page.driver.switch_to.window(first)
            page.click("button[value=accept]")
            page.see(WORDS[language]["answered"])

    def test_an_expired_session_signs_in_and_comes_back_with_the_code(self):
        for language in WORDS:
            change = self.world.ask(self.world.service(), "tech", AICHA)
            page = self.browser(language)
            # Before the page is opened.
            page.forget()
            page.open(self.world.link(MARIE, change))
            page.see(WORDS[language]["sign_in"])
            page.fill("#account", MARIE)
            page.click("form.narrow button.main")
            self.assertEqual(page.find("#token").get_attribute("value"), self.world.token(MARIE, change))
            # Between the page and its form. The page asks for no more news, with which it would get a session.
            page.find("body[data-live=on]")
            page.driver.execute_script("dispatchEvent(new Event('pagehide'))")
            page.driver.delete_all_cookies()
            page.click("button[value=accept]")
            page.see(WORDS[language]["sign_in"])
            self.assertNotIn("CONTACT_CHANGE_EVENT_TYPE_ACCEPTED", self.world.events(change))
            page.fill("#account", MARIE)
            page.click("form.narrow button.main")
            page.click("button[value=accept]")
            page.see_done(WORDS[language]["awaited"])

    def test_a_code_behind_the_number_sign_reaches_no_server_and_outlives_the_sign_in(self):
        change = self.world.ask(self.world.service(), "tech", AICHA)
        token = self.world.token(MARIE, change)
        page = self.browser("en", account=None)
        page.forget()
        page.open(f"/contact-changes/{change}?answer=accept#token={token}")
        page.fill("#account", MARIE)
        page.click("form.narrow button.main")
        until(lambda: page.find("#token").get_attribute("value") == token, "code")
        page.click("button[value=accept]")
        page.see_done(WORDS["en"]["awaited"])

    def test_wrong_and_superseded_codes(self):
        for language in WORDS:
            say = WORDS[language]
            change = self.world.ask(self.world.service(), "tech", AICHA)
            old = self.world.link(MARIE, change)
            page = self.browser(language)
            page.open(f"/contact-changes/{change}")
            page.fill("#token", "ABCDE-FGHJK-MNPQR-STVWX")
            page.click("button[value=accept]")
            page.see(say["wrong"])
            # After a second, the e-mail may be sent again.
            def resend():
                page.open(f"/contact-changes/{change}")
                return page.driver.find_elements(By.ID, f"resend-{change}-{MARIE}")
            until(resend, "button")[0].click()
            new = self.world.links(MARIE, change, count=2)[1]
            page.open(old)
            page.click("button[value=accept]")
            page.see(say["superseded"])
            page.open(new)
            page.click("button[value=accept]")
            page.see_done(say["awaited"])

    def test_the_tenth_wrong_code_locks_the_answer(self):
        for language in WORDS:
            change = self.world.ask(self.world.service(), "tech", AICHA)
            link = self.world.link(MARIE, change)
            path = f"/contact-changes/{change}"
            client = Client(self.world.web_port).sign_in(MARIE)
            for _ in range(10):
                client.post("/profile", f"{path}/answer", {"token": "ABCDE-FGHJK-MNPQR-STVWX", "answer": "accept"})
            page = self.browser(language)
            page.open(link)
            page.click("button[value=accept]")
            page.see(WORDS[language]["locked"])
            self.assertNotIn("CONTACT_CHANGE_EVENT_TYPE_ACCEPTED", self.world.events(change))

    def test_a_double_click_saves_and_sends_once(self):
        change = self.world.ask(self.world.service(), "tech", AICHA)
        self.world.link(MARIE, change)
        page = self.browser()
        page.open("/profile")
        Select(page.find("#language")).select_by_value("en")
        ActionChains(page.driver).double_click(page.find("form[action='/profile'] button")).perform()
        page.see(WORDS["en"]["saved"])
        page.open("/profile")
        Select(page.find("#language")).select_by_value("fr")
        ActionChains(page.driver).double_click(page.find("form[action='/profile'] button")).perform()
        page.see(WORDS["en"]["saved"])

        def resend():
            page.open(f"/contact-changes/{change}")
            return page.all(f"#resend-{change}-{MARIE}")
        ActionChains(page.driver).double_click(until(resend, "button")[0]).perform()
        page.see("The e-mail is on its way")
        self.assertEqual(self.world.events(change).count("CONTACT_CHANGE_EVENT_TYPE_RESEND_REQUESTED"), 1)

    def test_a_new_address_is_confirmed_by_its_link(self):
        account = "co100005-ovh"
        self.world.ctl("--operator", "operator", "create-account", account, "--email=first@mail.example", "--language=en")
        for language in WORDS:
            say = WORDS[language]
            address = f"confirmed-{language}@mail.example"
            page = self.browser(language, account=account)
            page.open("/profile")
            page.fill("#email", address)
            page.click("form[action='/profile'] button")
            page.see(say["saved"])
            page.see(address)
            page.fill("#token", "ABCDE-FGHJK-MNPQR-STVWX")
            page.click("form[action='/confirm-email'] button")
            page.see(say["wrong"])
            # Opening the link changes nothing, also without a session.
            link = self.world.confirm_link(address)
            page.forget()
            page.open(link)
            page.fill("#account", account)
            page.click("form.narrow button.main")
            self.assertIn(page.find("#token").get_attribute("value"), link)
            self.assertNotEqual(self.world.ctl(f"--account={account}", "profile")["account"]["email"], address)
            page.click("form[action='/confirm-email'] button")
            page.see(say["confirmed"])
            self.assertNotIn("token", page.driver.current_url)
            self.assertEqual(self.world.ctl(f"--account={account}", "profile")["account"]["email"], address)
            page.open(link)
            page.see(say["none"])

    def test_seven_open_pages_do_not_wait_for_each_other(self):
        """Browsers have six connections for a site: a page out of sight closes its stream."""
        change = self.world.ask(self.world.service(), "tech", AICHA)
        page = self.browser()
        first = page.driver.current_window_handle
        for _ in range(7):
            page.driver.switch_to.new_window("tab")
            page.open(f"/contact-changes/{change}")
            page.find("body[data-live=on]")
        for tab in page.driver.window_handles:
            if tab != first:
                page.driver.switch_to.window(tab)
                page.driver.close()
        page.driver.switch_to.window(first)

    def test_the_requester_withdraws(self):
        for language in WORDS:
            change = self.world.ask(self.world.service(), "tech", AICHA)
            page = self.browser(language)
            page.open("/requests?tab=mine")
            page.click(f"#withdraw-{change}")
            page.click(f"form[action='/contact-changes/{change}/withdraw'] button")
            page.see(WORDS[language]["withdrawn"])
            self.assertEqual(self.world.change(change)["state"], "CONTACT_CHANGE_STATE_CANCELLED")

    def test_a_scanner_that_opens_both_links_changes_nothing(self):
        change = self.world.ask(self.world.service(), "tech", AICHA)
        accept = self.world.link(MARIE, change)
        until(lambda: self.world.events(change).count("CONTACT_CHANGE_EVENT_TYPE_VALIDATION_SENT") == 2, "e-mails")
        before = self.world.events(change)
        page = self.browser("en")
        for link in (accept, accept.replace("accept", "refuse")):
            page.open(link)
            page.forget()
            page.open(link)
            page.sign_in(MARIE)
        self.assertEqual(self.world.events(change), before)

    def test_the_answer_of_another_person_shows_without_reloading(self):
        change = self.world.ask(self.world.service(), "tech", AICHA)
        for path in (f"/contact-changes/{change}", "/requests?tab=all"):
            page = self.browser("en")
            page.open(path)
            page.driver.execute_script("window.same = true")
            # A part that a person has opened stays open.
            page.click(f"#withdraw-{change}")
            page.find("body[data-live=on]")
            account = AICHA if path.startswith("/contact") else MARIE
            state = "accepted" if account == AICHA else "done"
            self.world.ctl(f"--account={account}", "accept", self.world.link(account, change))
            page.see(f"{account}: {state}" if account == AICHA and "requests" in path else state)
            if path.startswith("/contact"):
                page.see(f"{AICHA} accepted.")  # The history.
            self.assertTrue(page.driver.execute_script("return window.same"))
            if account == AICHA:
                self.assertTrue(page.has("details[open]"))

    def test_the_profile_keeps_the_language_and_refuses_a_wrong_address(self):
        for language in WORDS:
            page = self.browser(language, account=THOMAS)
            page.open("/profile")
            Select(page.find("#language")).select_by_value(language)
            page.click("form[action='/profile'] button")
            page.see(WORDS[language]["saved"])
            self.assertEqual(self.world.ctl(f"--account={THOMAS}", "profile")["account"]["language_code"],
                             language if language == "fr" else "en")
            page.driver.execute_script("document.querySelector('form[action=\"/profile\"]').noValidate = true")
            page.fill("#email", "no address")
            page.click("form[action='/profile'] button")
            page.see(WORDS[language]["address"])
            self.assertEqual(page.find("#email").get_attribute("value"), "no address")

    def test_a_switch_of_the_language_keeps_the_page(self):
        page = self.browser("en")
        page.open("/contacts?role=tech")
        page.click(".side a[lang=fr]")
        page.see("Mes contacts")
        self.assertEqual(Select(page.find("#role")).first_selected_option.get_attribute("value"), "tech")
        page.open("/profile")
        page.see("Adresse e-mail")

    def test_the_local_mail_is_a_click_away(self):
        change = self.world.ask(self.world.service(prefix="letter"), "tech", AICHA)
        self.world.link(MARIE, change)
        page = self.browser("fr")
        page.click("a[href='/mail']")
        page.click("ul a")
        # The newest e-mail is of this change; its link leads to the page.
        page.click("a[href*='answer=accept']")
        page.see("letter-")

    def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(self):
        service = self.world.service(prefix="axe")
        change = self.world.ask(service, "tech", AICHA)
        closed = self.world.ask(self.world.service(prefix="axe"), "tech", MARIE)
        self.world.ctl(f"--account={MARIE}", "accept", self.world.link(MARIE, closed))
        self.world.links(AICHA, change)
        self.world.ctl(f"--account={MARIE}", "profile", "update", "--email=marie-new@mail.example")
        pages = {
            "contacts": "/contacts?prefix=axe", "change": f"/change?service={service}",
            "change-many": f"/change?service={service}:atb&service=axe.example:at", "requests": "/requests?tab=all",
            "answer": self.world.link(MARIE, change), "request": f"/contact-changes/{closed}", "profile": "/profile",
            "confirm": "/confirm-email?token=ABCDE-FGHJK-MNPQR-STVWX",
            "mail": "/mail", "error": "/contact-changes/none", "check": None, "sign-in": "/sign-in"}
        pictures = os.environ.get("CONTACTS_TEST_PICTURES")
        page = self.browser("fr" if pictures else "en")
        for width, scheme in ((1200, "light"), (360, "dark"), (1200, "dark"), (360, "light")):
            page.view(width, scheme)
            for name, path in pages.items():
                if path:
                    page.open(path)
                else:
                    page.open(f"/change?service={service}")
                    page.fill("#admin", AICHA)
                    page.fill("#billing", OWEN)
                    page.click("button[value=check]")
                    page.find("tr.wrong")
                findings = page.driver.execute_async_script(self.axe + """;
                    const done = arguments[0];
                    axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}).then(
                        result => done(result.violations.map(
                            finding => finding.id + ': ' + finding.nodes.map(node => node.html).join(' '))));""")
                self.assertEqual(findings, [], f"{name}, {width}, {scheme}")
                wide = page.driver.execute_script("return document.documentElement.scrollWidth")
                self.assertLessEqual(wide, width, f"{name}, {scheme}")
                cut = page.driver.execute_script("""
                    return [...document.querySelectorAll('input')].filter(
                        field => field.scrollWidth > field.clientWidth).map(field => field.id);""")
                self.assertEqual(cut, [], f"{name}, {width}, {scheme}")
                if pictures:
                    size = page.driver.execute_script("return document.documentElement.scrollHeight")
                    picture = page.driver.execute_cdp_cmd("Page.captureScreenshot", {
                        "captureBeyondViewport": True,
                        "clip": {"x": 0, "y": 0, "width": width, "height": size, "scale": 1}})
                    import base64
                    pathlib.Path(pictures, f"{name}-{width}-{scheme}.png").write_bytes(
                        base64.b64decode(picture["data"]))
        page.view(1200, "light")
