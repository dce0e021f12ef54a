#!/usr/bin/env bash
# Checks that the benchmark works, at the smallest sizes, on the database server of the tests.
# Times are not asserted.
set -euo pipefail

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bench() { # NAME ARGUMENT...
  python3 "$CONTACTS_TEST_SOURCE_DIR/tests/bench/bench.py" --build="$CONTACTS_TEST_BIN_DIR" \
    --mysql="$CONTACTS_TEST_MYSQL" --json="$scratch/$1.json" --rounds=1 --seconds=0.02 \
    --services=200 --changes=200 "${@:2}"
}
bench run --callers=9 --many=12
bench growth --growth=100,200
bench soak --soak=1 --soak-rate=50

python3 - "$scratch" <<'PYTHON'
import json, sys
run, growth, soak = (json.load(open(f"{sys.argv[1]}/{name}.json")) for name in ("run", "growth", "soak"))
cells = [cell for rows in run["rows"].values() for by_callers in rows.values()
         for some in by_callers.values() for cell in some]
cells += [cell for by_size in growth["rows"].values() for some in by_size.values() for cell in some]
assert {cell["target"] for cell in cells} == {"service", "echo", "sql", "engine"}
for cell in [*cells, soak["load"]]:
    assert cell["calls"] > 0, cell
    # After a deadlock or a lock wait the service tries again. Bare statements do not.
    allowed = ("1205 ", "1213 ") if cell["target"] == "sql" else ()
    assert all(any(code in text for code in allowed) for text in cell["failures"]), cell
assert run["start_seconds"] and soak["resident_mb"]
PYTHON
