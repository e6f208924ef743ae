#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/reference/rest.md from src/api/openapi.json; with --check only says whether it is up to date."""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs/reference/rest.md"
PROBLEMS = {
    "not-found": "404 | there is nothing at this URL",
    "unknown-endpoint": "404 | no device of that name is registered",
    "method-not-allowed": "405 | the header Allow says what there is",
    "invalid-path": "400 | what should be an LwM2M path is none",
    "invalid-parameter": "400 | a query parameter is unknown, given twice or out of its range",
    "malformed-json": "400 | the body is not JSON, or has a member twice; `detail` has line and column",
    "invalid-model": "400 | the body is not an object definition; `detail` has the line",
    "invalid-value": "422 | the JSON does not fit the resource; `pointer` says where",
    "unsupported-media-type": "415 | the body is not application/json (application/xml for models)",
    "body-too-large": "413 | more than `http.max-body-bytes`, or more than `coap.max-body` for the device",
    "forbidden-origin": "403 | a page of another origin, or a Host that may not be used",
    "device-error": "by code | the device answered with an error: `coapCode`. 4.00→400, 4.01→403, 4.04→404, 4.05→405, "
                    "4.06→406, 4.08→409, 4.13→413, 4.15→415, other 4.xx→400, 5.xx→502",
    "timeout": "504 | the device did not answer in time",
    "rejected": "502 | the device answered with a Reset",
    "cancelled": "409 | the registration ended or was replaced while the request waited, or the server stops",
    "bad-payload": "502 | the device's answer could not be decoded",
    "busy": "503 | `limits.requests`, `http.max-event-streams` or `http.max-bulk-reads` is reached; the header Retry-After says when to come again",
    "not-observed": "404 | that path is not observed",
    "asleep": "409 | the device sleeps, and what is asked for is not queued: an observation, a line of `POST /reads`",
    "unknown-request": "404 | there is no request of that id, or it ended and is not kept any more",
    "ended": "409 | the request to be cancelled has ended already",
    "queue-full": "429 | `queue.requests-per-client`, `queue.requests` or `queue.bytes` is reached",
    "unknown-package": "404 | there is no package of that id",
    "bad-credential": "400 | the body is not a credential; `detail` says what is wrong, `pointer` where",
    "no-credential": "404 | there is no credential of that endpoint name or pattern",
    "credential-in-use": "409 | the PSK identity or public key is that of another endpoint",
    "credential-exists": "412 | there is one, and `If-None-Match: *` was asked for; `If-Match: *` is for the opposite",
    "too-many-credentials": "409 | there are as many credentials as there may be, or a thousand patterns",
    "no-security": "404 | this server keeps no credentials, or has no secured transport",
    "no-bootstrap-server": "404 | this dunlind runs no bootstrap server; start it with `--bootstrap-coaps`",
    "bad-bootstrap-config": "400 | the body is not a bootstrap configuration, or not a consistent one; `detail` says what is wrong, `pointer` where",
    "no-bootstrap-config": "404 | there is no bootstrap configuration of that endpoint name or pattern, or not of that version",
    "too-many-bootstrap-configs": "409 | there are as many bootstrap configurations, or patterns, as there may be",
    "no-way": "409 | the bootstrap server cannot speak first: the device has no session, connection or address with it now; `detail` says why",
    "bootstrap-under-way": "409 | the device is being bootstrapped",
    "cannot-bootstrap": "409 | what the server is set up with does not let the device be bootstrapped; `detail` says what",
    "version-conflict": "412 | `If-Match` did not name the current version, or there is none; or `If-None-Match` did name it",
    "precondition-failed": "412 | `If-Match` asked for something that is not there",
    "internal": "500 | the server failed; its log says more",
}


def resolve(document, item):
    while "$ref" in item:
        target = document
        for part in item["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        item = target
    return item


def type_text(schema):
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "oneOf" in schema or "anyOf" in schema:
        return " or ".join(type_text(one) for one in schema.get("oneOf") or schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(one)}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    kind = schema.get("type", "object")
    if kind == "array":
        return "array of " + type_text(schema["items"])
    if isinstance(kind, list):
        return " or ".join(kind)
    return {"date-time": "time"}.get(schema.get("format"), kind)


def parameters(document, operation, shared):
    rows = [resolve(document, one) for one in shared + operation.get("parameters", [])]
    for one in rows:
        if one["in"] == "path":
            continue
        schema = one["schema"]
        limits = f" {schema['minimum']}–{schema['maximum']}" if "maximum" in schema else ""
        default = f", default {schema['default']}" if "default" in schema else ""
        where = "header " if one["in"] == "header" else ""
        yield f"- {where}`{one['name']}`: {type_text(schema)}{limits}{default}. {one['description']}"


def bodies(content):
    return " or ".join(f"`{media}`" + (f" {type_text(body['schema'])}" if "json" in media else "")
                       for media, body in content.items())


def operations(document):
    for tag in document["tags"]:
        yield f"\n## {tag['name'].capitalize()}\n"
        for path, item in document["paths"].items():
            for method in ("get", "put", "post", "delete"):
                operation = item.get(method)
                if operation is None or tag["name"] not in operation["tags"]:
                    continue
                yield f"### {method.upper()} {path}\n"
                yield operation["summary"] + "." + (f" {operation['description']}" if "description" in operation else "") + "\n"
                rows = list(parameters(document, operation, item.get("parameters", [])))
                if rows:
                    yield "\n".join(rows) + "\n"
                if "requestBody" in operation:
                    optional = "" if operation["requestBody"].get("required") else " (optional)"
                    yield f"Body{optional}: {bodies(operation['requestBody']['content'])}\n"
                for status, answer in operation["responses"].items():
                    if "$ref" not in answer:
                        content = f": {bodies(answer['content'])}" if "content" in answer else ""
                        yield f"- **{status}** {answer['description']}{content}"
                failures = [status for status, answer in operation["responses"].items() if "$ref" in answer]
                yield f"- problems: {', '.join(failures)}\n"


def schemas(document):
    yield "\n## Schemas\n"
    for name, schema in document["components"]["schemas"].items():
        yield f"### {name}\n"
        if "description" in schema:
            yield schema["description"] + "\n"
        if "properties" not in schema:
            yield (type_text(schema) if name != "Value" else "") + "\n"
            continue
        required = schema.get("required", [])
        for key, member in schema["properties"].items():
            note = f" – {member['description']}" if "description" in member else ""
            yield f"- `{key}`{'' if key in required else ' (optional)'}: {type_text(member)}{note}"
        yield ""


def text():
    document = json.loads((ROOT / "src/api/openapi.json").read_text(encoding="utf-8"))
    slugs = [one.rsplit("/", 1)[1] for one in document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]]
    assert set(slugs) == set(PROBLEMS), set(slugs) ^ set(PROBLEMS)
    lines = ["<!-- Made by docs/reference/make_rest.py from src/api/openapi.json: change those. -->", "# REST API\n",
             document["info"]["description"] + "\n",
             "The machine-readable description is at `/api/v1/openapi.json` (OpenAPI 3.1). JSON is UTF-8, times are ISO 8601 "
             "in UTC, integers are exact to 64 bits: use a JSON reader that keeps them.\n",
             "An LwM2M path is one to four numbers: object, instance, resource, resource instance.", *operations(document),
             "\n## Problems\n", "Errors are `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)); "
             "`type` is `/problems/` and one of:\n", "| type | status | when |", "| --- | --- | --- |"]
    lines += [f"| {slug} | {PROBLEMS[slug]} |" for slug in slugs]
    lines += schemas(document)
    out = "\n".join(lines)
    while "\n\n\n" in out:
        out = out.replace("\n\n\n", "\n\n")
    return out.rstrip() + "\n"


def main():
    made = text()
    if "--check" in sys.argv:
        if TARGET.read_text(encoding="utf-8") != made:
            print("docs/reference/rest.md is not what docs/reference/make_rest.py makes: run it")
            return 1
        return 0
    TARGET.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
