"""The data set: N services and as many contact changes as are wanted, with their
items, events and lists, by formulas that caller.cc repeats.

A tenth as many accounts as services, which hold a few each, and eight accounts that hold
a twentieth of all each, at most 100,000. An account's services and changes are spread over
all of them, as they would be over the years. One change in a thousand, the newest, is
still being validated; 92 % of the others are done. Outbox, feed and kept replies, which
are emptied all the time in production, hold nothing.
"""
import concurrent.futures

CHUNK = 100_000
HOLDERS = 8
# As in caller.cc.
FIRST_MS, STEP_MS = 1_672_531_200_000, 6


def account(number):
    return f"CONCAT('ga', LPAD({number}, 7, '0'), '-ovh')"


def change_id(number, variant=8):
    """A UUID of version 7; `variant` tells ids of one change apart: 8 to b."""
    return (f"UNHEX(CONCAT(LPAD(HEX({FIRST_MS} + {number} * {STEP_MS}), 12, '0'), '7000{variant}',"
            f" LPAD(HEX({number}), 15, '0')))")


class DataSet:
    def __init__(self, services, changes):
        if services % 100 or changes % services:
            raise SystemExit("services: a multiple of 100; changes: a multiple of services")
        self.services, self.changes = services, changes
        self.accounts = services // 10
        self.every = services // min(services // 20, 100_000)
        # The newest are still being validated.
        self.closed = changes - max(1, changes // 1000)

    def admin(self, i):
        return (f"IF({i} % {self.every} < {HOLDERS}, CONCAT('gz000000', {i} % {self.every}, '-ovh'),"
                f" {account(f'{i} % {self.accounts}')})")

    def tech(self, i):
        return f"IF({i} % 3 = 0, {account(f'({i} + 11) % {self.accounts}')}, {self.admin(i)})"

    def statements(self):
        """Two lists of statements, to be run side by side, then a list for the end."""
        n = self.services
        service = f"(j % {n})"
        requester = self.admin(service)
        # Three in seven take the role over, so that one validation is enough.
        taker = f"IF(j % 7 < 3, {requester}, {account(f'(j + 7) % {self.accounts}')})"
        state = f"IF(j >= {self.closed}, 1, IF(j % 25 = 1, 3, IF(j % 25 = 2, 5, 2)))"  # 92 % done.
        create = f"(({FIRST_MS} + j * {STEP_MS}) * 1000)"
        pending_create = "((UNIX_TIMESTAMP() - 86400) * 1000000)"
        create = f"IF(j >= {self.closed}, {pending_create}, {create})"
        day = 86_400_000_000
        # Requested, sent to each validator, each validator's answer, outcome.
        events = f"IF({state} = 1, IF(j % 7 < 3, 2, 3), IF(j % 7 < 3, 4, 6))"
        first, second = [], []

        def fill(statements, table, columns, values, rows, number="n + {} AS j", extra="",
                 ignore=""):
            # The limit keeps the formula of the number from being repeated wherever it is used.
            for base in range(0, rows, CHUNK):
                count = min(CHUNK, rows - base)
                statements.append(
                    f"INSERT {ignore} INTO {table} ({columns}) SELECT {values} FROM"
                    f" (SELECT {number.format(base)} FROM bench_number WHERE n < {count}"
                    f" ORDER BY n LIMIT {count}) t {extra}")

        times = "1, 1672531200000000, 1672531200000000"
        fill(first, "account", "id, email, language, standing, version, create_time, update_time",
             f"{account('i')}, CONCAT('customer.', i, '@mail.example'), 'fr', 1, {times}",
             self.accounts, "n + {} AS i")
        first += [f"INSERT INTO account (id, email, language, standing, version,"
                  f" create_time, update_time) VALUES ('gz{i:07d}-ovh', 'holder@mail.example', 'en', 1,"
                  f" {times})" for i in range(HOLDERS)]
        fill(first, "service", "id, kind, admin, tech, billing, owner_name, owner_organisation,"
             " owner_email, owner_phone, owner_address_lines, owner_city, owner_postal_code,"
             " owner_country_code, version, create_time, update_time",
             f"CONCAT('s', LPAD(i, 8, '0'), '.example'), 'domain', {self.admin('i')},"
             f" {self.tech('i')}, {self.admin('i')}, CONCAT('Customer ', i), '',"
             " CONCAT('owner.', i, '@mail.example'), CONCAT('+339', LPAD(i, 8, '0')),"
             " CONCAT(i % 300, ', rue de la Paix'), CONCAT('City ', i % 5000),"
             f" LPAD(i % 99999, 5, '0'), 'FR', {times}", n, "n + {} AS i")
        fill(first, "contact_change_item", "change_id, service_id, role, old_contact, outcome",
             f"{change_id('j')}, CONCAT('s', LPAD({service}, 8, '0'), '.example'), 2,"
             f" {self.tech(service)}, IF({state} = 1, 1, IF({state} = 2, 2, 6))", self.changes)
        # Account by account, the order of the table's key.
        each = self.changes // self.accounts
        in_order = f"(n + {{0}}) DIV {each} + ((n + {{0}}) % {each}) * {self.accounts} AS j"
        for who, where in ((requester, "TRUE"), (taker, "j % 7 >= 3"),
                           (self.tech(service), f"{service} % 3 = 0 AND {state} = 2")):
            fill(first, "involvement", "account_id, change_id, open",
                 f"{who}, {change_id('j')}, {state} = 1", self.changes, in_order,
                 f"WHERE {where}", "IGNORE")
        fill(first, "pending_role", "service_id, role, change_id, expire_time",
             f"CONCAT('s', LPAD({service}, 8, '0'), '.example'), 2, {change_id('j')},"
             f" {pending_create} + 7 * {day}", self.changes - self.closed,
             f"n + {self.closed} AS j")

        answered = f"IF({state} = 1, NULL, {create} + {day})"
        validator = (f"IF({state} = 2, 2, 1), {answered}, '', {create}, 'c***@mail.example', 1,"
                     " 'bench', 0, 0, 0, 0")
        columns = ("state, decide_time, refuse_reason, email_send_time, email_hint, generation,"
                   " token_key_id, wrong_tokens, last_request_time, resend_day_start,"
                   " resends_in_day").split(", ")
        fill(second, "contact_change", "id, batch_id, requester, new_contact, state, create_time,"
             " expire_time, close_time, remind_time, timer_time, item_count, event_count, "
             + ", ".join(f"{who}_{column}" for who in ("requester", "new_contact")
                         for column in columns),
             f"{change_id('j')}, {change_id('j', 9)}, {requester}, {taker}, {state}, {create},"
             f" {create} + 7 * {day}, {answered}, IF({state} = 1, {create} + 5 * {day}, NULL),"
             f" IF({state} = 1, {create} + 5 * {day}, NULL), 1, {events}, {validator}, {validator}",
             self.changes)
        # From the changes themselves, whose ids begin with 12 digits of time and 4 that are
        # the same for all: the ordinal goes there.
        closing = "IF(c.state = 2, 8, IF(c.state = 3, 6, 9))"
        kind = (f"IF(o = 1, 1, IF(o = c.event_count AND c.state <> 1, {closing},"
                " IF(o < 4, 2, 4)))")
        for base in range(0, self.changes, CHUNK):
            second.append(
                "INSERT INTO contact_change_event (change_id, ordinal, id, type, actor, account,"
                " time, state) SELECT c.id, o, CONCAT(LEFT(c.id, 6), UNHEX(CONCAT('700', o)),"
                f" RIGHT(c.id, 8)), {kind}, c.requester, c.new_contact, c.create_time + o,"
                " IF(o = c.event_count, c.state, 1) FROM contact_change c STRAIGHT_JOIN"
                f" bench_ordinal WHERE o <= c.event_count AND c.id BETWEEN {change_id(base)}"
                f" AND {change_id(min(base + CHUNK, self.changes) - 1)}")
        return first, second

    def load(self, sql):
        """`sql(text)` runs statements and returns what they select, in lines."""
        digit = "(SELECT 0 AS d " + "".join(f"UNION ALL SELECT {d} " for d in range(1, 10)) + ")"
        sql("CREATE TABLE bench_number (n INT PRIMARY KEY); CREATE TABLE bench_ordinal (o INT"
            " PRIMARY KEY); INSERT INTO bench_ordinal VALUES (1), (2), (3), (4), (5), (6);"
            f" INSERT INTO bench_number SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d"
            f" FROM {digit} a, {digit} b, {digit} c, {digit} e, {digit} f")
        first, second = self.statements()
        # Secondary indexes are built at the end, sorted: much faster than row by row.
        indexes = {}
        for line in sql("SELECT table_name, index_name, GROUP_CONCAT(column_name ORDER BY"
                        " seq_in_index) FROM information_schema.statistics WHERE table_schema ="
                        " DATABASE() AND non_unique = 1 AND index_name <> 'PRIMARY' GROUP BY 1, 2"):
            table, index, columns = line.split("\t")
            indexes.setdefault(table, []).append((index, columns))
        tables = ["service", "contact_change", "contact_change_item", "involvement"]
        if self.changes < CHUNK:
            tables = []
        for table in tables:
            sql(f"ALTER TABLE {table} " + ", ".join(f"DROP KEY {i}" for i, _ in indexes[table]))

        def rebuild(table):
            return (f"ALTER TABLE {table} "
                    + ", ".join(f"ADD KEY {i} ({c})" for i, c in indexes[table]))

        first += [rebuild(table) for table in tables if table != "contact_change"]
        second += [rebuild(table) for table in tables if table == "contact_change"]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for _ in pool.map(lambda statements: sql(";\n".join(statements)), (first, second)):
                pass
        sql("DROP TABLE bench_number; DROP TABLE bench_ordinal; ANALYZE TABLE account, service,"
            " contact_change, contact_change_item, involvement, contact_change_event")
