"""A page makes one call at most. A form that fails makes one more, which reads its page again."""

import unittest

from calls import Pages, made
from world import World


class Calls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World.shared()
        cls.pages = Pages(cls.world)

    def made_by(self, action):
        before = made(self.world)
        answer = action()
        return answer, sorted((made(self.world) - before).elements())

    def test_a_page_makes_one_call_at_most(self):
        for _, address, wanted in self.pages.opened():
            answer, calls = self.made_by(lambda: self.pages.open(address))
            self.assertEqual(answer.status, 200, address)
            self.assertEqual(calls, sorted(wanted), address)
            self.assertLessEqual(len(calls), 1, address)

    def test_a_form_makes_one_call_and_one_more_if_it_fails(self):
        for name, path, form, status, wanted in self.pages.sent():
            answer, calls = self.made_by(lambda: self.pages.send(path, form))
            self.assertEqual(answer.status, status, name)
            self.assertEqual(calls, sorted(wanted), name)


if __name__ == "__main__":
    unittest.main()
