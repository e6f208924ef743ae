# SPDX-License-Identifier: Apache-2.0
"""CoRE link format (RFC 6690), as far as the tests need to look into it."""

import re

_ATTRIBUTE = re.compile(r';([^;,="]+)(?:=("(?:[^"\\]|\\.)*"|[^;,"]*))?')
_LINK = re.compile(r'<([^>]*)>((?:;[^;,="]+(?:=(?:"(?:[^"\\]|\\.)*"|[^;,"]*))?)*),?')


def parse(text):
    """[{"path", "attributes": {name: text or None}}], as REST has it."""
    out, at = [], 0
    while at < len(text):
        match = _LINK.match(text, at)
        if not match:
            raise AssertionError(f"not link format at {at}: {text!r}")
        attributes = {name: value.strip('"') if value else None for name, value in _ATTRIBUTE.findall(match.group(2))}
        out.append({"path": match.group(1), "attributes": attributes})
        at = match.end()
    return out
