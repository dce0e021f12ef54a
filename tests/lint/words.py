#!/usr/bin/env python3
"""Finds words in comments and pages that make a reader guess, and paths in pages that do not exist.
CONTRIBUTING.md has the rules.

words.py          checks every tracked file; prints FILE:LINE: WORDS: BETTER, ends with 1 if there are any
words.py FILE...  checks these files
"""
import pathlib
import re
import subprocess
import sys

# In prose: pages, and comments of code. Each pattern is almost never right.
PROSE = [
    (r"\b[Ww]hat (?:is|was|it|they) \w+ (?:is|are|was|has|goes|comes|stays|changes|takes|may|must|costs?|can)\b",
     "name the thing: an invalid file, the remaining rows"),
    (r"(?<![\w#*] )(?<!\*)\bWhat\b(?!.*[?:])", 'name the thing: "The status that …" or "Data of …", not "What …"'),
    (r"(?:(?:^|[.;:] )Who|\b(?:that|so|and|while|or|than|of|for|by|from|with) who) \w+s\b(?!.*\?)",
     'name the person or program: "A client that …"'),
    (r"\b[Ww]hom\b", 'name the person or program: "the account that …"'),
    (r"\b[Ww]hoever\b", 'name the person or program: "a client that …"'),
    (r"\b(?:one|those|someone|somebody) whom?\b", 'name the person or program: "accounts that …"'),
    (r"\bnobody's\b", 'say what happens: "takes no locks", "belongs to no account"'),
    (r"\b(?:by|to|for|from|tells?|asks?|keeps?|serves?|holds?|waits? for) nobody\b",
     'say what does not happen: "is not read", "no other client waits"'),
    (r"\bin no one's\b", "say what does not happen"),
    (r"\bone's\b", "name the owner: the account's, the caller's"),
    (r"\banother's\b", "name the owner: another account's"),
    (r"\bof one(?:[,;:]| (?:who|that|of|for)\b)", "name the thing: of one connection"),
    (r"(?<!there )\bis none\b(?! of)", '"does not exist", "is not an answer", "is empty"'),
    (r"\bNone (?:is|was|has)\b", 'name the thing: "No connection is …"'),
    (r"\bstands\b(?! (?:for|out|between)\b)", '"is", "is stored", "has the value", "is in progress"'),
    (r"\bwhat stands\b", "the present value, the stored row"),
    (r"\buntaken\b", "unread, not yet delivered"),
    (r"\bmay what\b", '"what each caller may do"'),
    (r"\bwhere (?:there|it|they) (?:is|are|has|have) none\b", '"if there is no …"'),
    (r"\bwhatever (?:its|the|their|happens)\b", '"of any …", "in any …"'),
    (r"\banew\b", "again"),
    (r"\blets? go of\b", "releases, drops, closes"),
    (r"\bunless (?:it is |it was |they are |they were |is |was |)told\b", '"unless --flag says otherwise"'),
    (r"\bof ours\b", '"our own", or the name'),
    (r"\bof its own kind\b", "name the kind"),
    (r"\bthe like of\b", "such as"),
    (r"\bTODO\b|\bFIXME\b|\bXXX\b", "do it, or file an issue"),
]
# In code: names that were given up, and the names that took their place.
NAMES = [
    (r"\bUnless\(", "AccountNotFoundOr"),
    (r"\bPassTime\b", "ExpireOrRemind"),
    (r"\bTakeOut\b", "RemoveItems"),
    (r"\bMutateAgainWhileAborted\b", "TryMutateOnce"),
    (r"\bUntaken\w*", "UnreadAnswers"),
    (r"\bwhose\(\)", "tenant()"),
    (r"\bmost_of_one\b", "most_per_tenant"),
    (r"\bsqltext::(?:Text|Bytes)\b", "sqltext::Utf8, sqltext::Binary"),
    (r"\brows\.Text\(", "rows.String()"),
    (r"\bconstexpr Text\b", "Wording"),
    (r"\bFeedPart\b", "FeedPage"),
    (r"\bWrong\(\)", "InvalidUri()"),
    (r"\bFailure::kRefused\b|\bIsRefusal\b", "kDenied, IsDenied"),
    (r"\bKind::kRefused\b", "DeliveryResult::Kind::kRejected"),
]
COMMENT = {
    **dict.fromkeys((".cc", ".h", ".proto"), re.compile(r"//+(.*)")),
    **dict.fromkeys((".sh", ".py", ".txt", ".yml"), re.compile(r"(?:^|\s)#(?!!)(.*)")),
    ".md": re.compile(r"(.*)"),
}
CODE = (".cc", ".h")
# In pages: a path from the repository's root, or a link relative to the page.
PATH = re.compile(r"`((?:core|server|client|proto|deploy|tests)/[\w./-]*)[` ]")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
PROSE = [(re.compile(pattern), better) for pattern, better in PROSE]
NAMES = [(re.compile(pattern), better) for pattern, better in NAMES]


def findings(path):
    """Yields (line number, words, better) for each finding in a file."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = COMMENT[path.suffix].search(line)
        for pattern, better in PROSE if text else ():
            for found in pattern.finditer(text[1].strip()):
                yield number, found[0], better
        for pattern, better in NAMES if path.suffix in CODE else ():
            for found in pattern.finditer(line):
                yield number, found[0], better


def exists(path):
    """Whether a page may name `path`: a file, a folder, or a file without its extension."""
    return path.exists() or any(path.with_name(path.name + end).exists() for end in CODE)


def missing_paths(page):
    """Yields (line number, path, "does not exist") for each path and link of a page."""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        paths = [pathlib.Path(path) for path in PATH.findall(line)]
        paths += [page.parent / link for link in LINK.findall(line)]
        for path in paths:
            if not exists(path):
                yield number, path, "does not exist"


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True)
    paths = [pathlib.Path(name) for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.suffix in COMMENT and "corpus" not in path.parts]


def main():
    count = 0
    this = pathlib.Path(__file__).resolve()
    for path in [pathlib.Path(name) for name in sys.argv[1:]] or tracked():
        if path.resolve() == this:  # It names the words.
            continue
        missing = missing_paths(path) if path.suffix == ".md" else ()
        for number, words, better in [*findings(path), *missing]:
            print(f"{path}:{number}: {words}: {better}")
            count += 1
    if count:
        sys.exit(f"{count} findings: see \"Words\" in CONTRIBUTING.md")


if __name__ == "__main__":
    main()
