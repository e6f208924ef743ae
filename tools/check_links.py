#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that each relative link and picture in the Markdown files leads to a file in the tree.

Usage: check_links.py [ROOT]
Also checks that "#heading" parts name a heading of the target. Links to the web are not followed.
Exit status: 0 clean, 1 findings.
"""
import pathlib
import re
import sys
import urllib.parse

SKIP = {"node_modules", "build", ".git", "dist"}
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.M)


def without_code(text):
    """Blank out fenced and inline code, where brackets are not links."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r"`[^`\n]*`", blank, re.sub(r"^```.*?^```", blank, text, flags=re.S | re.M))


def anchors(text):
    """The ids that a forge gives to the headings."""
    found = set()
    for heading in HEADING.findall(re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)):
        plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(plain.replace(" ", "-"))
    return found


def check_link(root, path, link):
    parts = urllib.parse.urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    target = path
    if parts.path:
        name = urllib.parse.unquote(parts.path)
        target = (root / name.lstrip("/")) if name.startswith("/") else (path.parent / name)
        if not target.exists():
            return f"{link}: no such file"
    if parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target.read_text(encoding="utf-8")):
        return f"{link}: no such heading"
    return None


def main(argv):
    root = pathlib.Path(argv[1] if len(argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    findings = count = 0
    for path in sorted(root.rglob("*.md")):
        if SKIP.intersection(path.relative_to(root).parts):
            continue
        text = without_code(path.read_text(encoding="utf-8"))
        for match in LINK.finditer(text):
            count += 1
            finding = check_link(root, path, match.group(1))
            if finding:
                findings += 1
                print(f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}: {finding}")
    print(f"check_links: {count} links, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
