#!/usr/bin/python3
"""contacts-web in a real browser, and under attack: web_test.py [TEST...]. Wants the variables of tests/run.sh."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
if __name__ == "__main__":
    names = sys.argv[1:] or ["guide_test", "attack_test", "calls_test"]
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
