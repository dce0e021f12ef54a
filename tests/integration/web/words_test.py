#!/usr/bin/env python3
"""words_test.py CONTACTS_WEB: each text of the pages and each value of the contract is in each catalogue, and
client/web/README.md has the flags. CONTACTS_UPDATE_FLAGS=1 writes the flags there."""
import calendar
import os
import pathlib
import re
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1)
SOURCES = pathlib.Path(__file__).resolve().parents[3]
WEB = SOURCES / "client/web"
STRING = r'"((?:[^"\\]|\\.)*)"'


def code():
    return "\n".join(path.read_text() for path in sorted(WEB.glob("*.cc")))


def joined(literals):
    return "".join(re.findall(STRING, literals)).replace('\\"', '"')


def english():
    """Every English text that is translated. The names of months and days are made when they are written."""
    texts = {joined(found[0]) for found in re.findall(rf"\b(?:say|Text)\(\s*((?:{STRING}\s*)+)", code())}
    for path in WEB.glob("templates/*.html"):
        texts.update(re.findall(r"\[\[(.*?)\]\]", path.read_text(), re.S))
    texts = {text for text in texts if not re.match("[A-Z]+_", text)}
    return texts | set(calendar.month_name[1:]) | set(calendar.day_name)


def contract():
    """The names of the contract's values that pages show."""
    text = "".join(path.read_text() for path in (SOURCES / "proto/contacts/v1").glob("*.proto"))
    return {name for name in re.findall(
        r"^  ((?:CONTACT_ROLE|CONTACT_CHANGE_STATE|VALIDATION_STATE|ITEM_OUTCOME|BILLING_STANDING|CONTACT_CHANGE_EVENT_TYPE"
        r"|ERROR_REASON)_\w+) = ", text, re.M) if not name.endswith("_UNSPECIFIED")}


def catalogue(path):
    entries = re.findall(rf"^msgid ((?:{STRING}\s*)+)^msgstr ((?:{STRING}\s*)+)", path.read_text(), re.M)
    return {joined(entry[0]): joined(entry[2]) for entry in entries if joined(entry[0])}


class Words(unittest.TestCase):
    def test_each_catalogue_has_each_text_and_each_value_of_the_contract(self):
        names = catalogue(WEB / "en.po")
        self.assertGreater(len(contract()), 50)
        self.assertEqual(contract() - set(names), set())
        for path in WEB.glob("*.po"):
            texts = catalogue(path)
            self.assertEqual(set(texts), set(names) | (english() if path.name != "en.po" else set()), path.name)
            for text, translated in texts.items():
                places = re.compile(r"\{\{\w+\}\}|\$\w+")
                self.assertEqual(sorted(places.findall(names.get(text, text))), sorted(places.findall(translated)), text)

    def test_french_has_its_spaces(self):
        for translated in catalogue(WEB / "fr.po").values():
            self.assertNotRegex(translated, r"[^\u202f][;?!]|[^\u00a0]:(?!//)|«[^\u00a0]|[^\u00a0]»|'", translated)

    def test_templates_escape_by_themselves_and_bring_no_script(self):
        for path in WEB.glob("templates/*.html"):
            text = path.read_text()
            self.assertTrue(text.startswith('{{%AUTOESCAPE context="HTML"}}'), path.name)
            self.assertNotRegex(text, r"<script(?! src=)|<style|\bstyle=|\bon\w+=|javascript:|:none\}\}|https?://", path.name)

    def test_the_page_has_the_flags(self):
        page = WEB / "README.md"
        begin, end = "<!-- made from --help by web_words_test -->\n", "<!-- end of what web_words_test made -->\n"
        text = page.read_text()
        head, _, rest = text.partition(begin)
        table, _, tail = rest.partition(end)
        shown = subprocess.run([PROGRAM, "--help"], check=True, capture_output=True, text=True).stdout
        flags = re.findall(r"^  (--\w+)(?:=(\S+))? \(Env:(\w+)\)\s+(.*)$", re.sub(r"\n {20,}", " ", shown), re.M)
        self.assertGreater(len(flags), 10)
        wanted = "\n| flag | default | meaning |\n|---|---|---|\n" + "".join(
            f"| `{name}` | {f'`{value}`' if value else ''} | {meaning} |\n" for name, value, _, meaning in flags) + "\n"
        if os.environ.get("CONTACTS_UPDATE_FLAGS"):
            page.write_text(head + begin + wanted + end + tail)
        else:
            self.assertEqual(table, wanted, "update it with CONTACTS_UPDATE_FLAGS=1")


if __name__ == "__main__":
    unittest.main()
