#!/usr/bin/env bash
# Checks the catalogues of the e-mails: that contacts.pot has every message of the sources, and that
# each .po file is complete and passes msgfmt --check. With --update, first brings them up to date.
set -euo pipefail
cd "$(dirname "$0")/../.."
po=core/letter/po
pot=$(mktemp)
trap 'rm -f "$pot" "$pot.mo"' EXIT

# With its flag, msgfmt checks the names in braces. xgettext does not give that flag to C++.
xgettext --language=C++ --from-code=UTF-8 --keyword=T --keyword=N:1,2 --add-comments=Translators: \
  --no-location --no-wrap --package-name=contacts --copyright-holder='the authors of contacts' \
  --output=- core/letter/*.cc |
  sed -e '/^"POT-Creation-Date/d' -e 's/charset=CHARSET/charset=UTF-8/' -e '1,/^$/{/^#/d}' |
  awk 'BEGIN { RS = ""; ORS = "\n\n" }
       /\n?msgid "?.*\{[a-z_]+\}/ { sub(/msgid /, "#, python-brace-format\nmsgid ") }
       { print }' >"$pot"
[[ ${1:-} != --update ]] || cp "$pot" "$po/contacts.pot"
diff -u "$po/contacts.pot" "$pot" || {
  echo "contacts.pot is not up to date: tests/lint/catalogues.sh --update" >&2
  exit 1
}

failed=0
for file in "$po"/*.po; do
  [[ ${1:-} != --update ]] || msgmerge --quiet --update --backup=off --no-fuzzy-matching --no-location --no-wrap "$file" "$pot"
  msgfmt --check --output-file="$pot.mo" "$file" || failed=1
  msgcmp "$file" "$pot" || failed=1
done
exit "$failed"
