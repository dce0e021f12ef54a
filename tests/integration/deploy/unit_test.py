#!/usr/bin/env python3
"""unit_test.py CONTACTSD: deploy/contactsd.service is valid, sandboxed, and names flags of contactsd."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

CONTACTSD = os.path.abspath(sys.argv.pop(1))
UNIT = pathlib.Path(__file__).resolve().parents[3] / "deploy/contactsd.service"
# Seconds that stopping takes beyond the longer of --drain_timeout and --mail_timeout.
STOP_MARGIN = 5


class Unit(unittest.TestCase):
    def setUp(self):
        self.text = UNIT.read_text()
        self.help = subprocess.run([CONTACTSD, "--help"], check=True, capture_output=True, text=True).stdout

    def analyze(self, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder) / "contactsd.service"
            unit.write_text(self.text.replace("/usr/bin/contactsd", CONTACTSD))
            return subprocess.run(["systemd-analyze", *arguments, unit], capture_output=True, text=True)

    def test_is_valid(self):
        # The output is also about the machine's own units.
        lines = self.analyze("verify").stderr.splitlines()
        self.assertEqual([line for line in lines if "contactsd" in line], [])

    def test_is_sandboxed(self):
        # The threshold is ten times the exposure.
        security = self.analyze("security", "--no-pager", "--offline=true", "--threshold=19")
        self.assertEqual(security.returncode, 0, security.stdout)
        print(re.search(r"Overall exposure level .*: \S+", security.stdout)[0])

    def test_bounds_memory_and_starts_again(self):
        self.assertRegex(self.text, r"(?m)^MemoryMax=\d+[MG]$")
        self.assertRegex(self.text, r"(?m)^Restart=on-failure$")

    def test_names_flags(self):
        named = set(re.findall(r"^Environment=(CONTACTS_\w+)=", self.text, re.MULTILINE))
        self.assertGreaterEqual(len(named), 3)
        self.assertLessEqual(named, set(re.findall(r"Env:(CONTACTS_\w+)", self.help)))

    def test_waits_for_the_end(self):
        limits = [int(re.search(rf"--{flag} TEXT=(\d+)s", self.help)[1]) for flag in ("drain_timeout", "mail_timeout")]
        wait = int(re.search(r"^TimeoutStopSec=(\d+)$", self.text, re.MULTILINE)[1])
        self.assertGreater(wait, max(limits) + STOP_MARGIN)

    def test_waits_for_the_start(self):
        # Else systemd would end a change of the schema after 90 s.
        self.assertRegex(self.text, r"(?m)^Type=notify$")
        self.assertRegex(self.text, r"(?m)^TimeoutStartSec=infinity$")


if __name__ == "__main__":
    unittest.main()
