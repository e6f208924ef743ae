#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An EST server over HTTPS (RFC 7030: /cacerts, /simpleenroll), for tests: the authority behind it is the openssl program.

    ca.py FOLDER [--accept N] [--retry-after S] [--refuse STATUS] [--der]

Makes in FOLDER an authority (ca.pem), a certificate for 127.0.0.1 (server.pem, trusted by ca.pem) and one for who asks (ra.pem, ra.key), without
which nobody is served. Prints "port N" on one line once it listens, and serves until its standard input ends. --accept: the first N
requests are answered with 202 and Retry-After. --der: answers are not in base64, as those of some servers.
"""
import argparse
import base64
import http.server
import os
import ssl
import subprocess
import sys
import threading


def run(*command, **more):
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    return done.stdout


class Authority:
    def __init__(self, folder):
        self.folder = folder
        self.lock = threading.Lock()
        self.key("ca", "/CN=Another authority", None)
        self.key("server", "/CN=127.0.0.1", "subjectAltName=IP:127.0.0.1")
        self.key("ra", "/CN=registrar", None)

    def at(self, name):
        return os.path.join(self.folder, name)

    def key(self, name, subject, extension):
        pair = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.at(name + ".key"))
        if name == "ca":
            run("openssl", "req", "-x509", *pair, "-subj", subject, "-days", "30", "-out", self.at("ca.pem"),
                "-addext", "keyUsage=keyCertSign")
            return
        run("openssl", "req", "-new", *pair, "-subj", subject, "-out", self.at(name + ".csr"))
        with open(self.at(name + ".ext"), "w", encoding="ascii") as file:
            file.write((extension or "basicConstraints=CA:FALSE") + "\n")
        self.sign(self.at(name + ".csr"), "PEM", self.at(name + ".pem"), self.at(name + ".ext"))

    def sign(self, request, form, certificate, extensions):
        run("openssl", "x509", "-req", "-inform", form, "-in", request, "-CA", self.at("ca.pem"), "-CAkey",
            self.at("ca.key"), "-CAcreateserial", "-days", "20", "-extfile", extensions, "-out", certificate)

    def pack(self, certificate):
        return run("openssl", "crl2pkcs7", "-nocrl", "-certfile", certificate, "-outform", "DER")

    def enroll(self, request):
        with self.lock:
            with open(self.at("asked.der"), "wb") as file:
                file.write(request)
            run("openssl", "req", "-inform", "DER", "-in", self.at("asked.der"), "-verify", "-noout")
            self.sign(self.at("asked.der"), "DER", self.at("issued.pem"), self.at("ra.ext"))
            return self.pack(self.at("issued.pem"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, body=b"", form=None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if form is not None:
            self.send_header("Content-Type", form)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def certificates(self, der):
        if self.server.options.der:
            self.reply(200, der, "application/pkcs7-mime; smime-type=certs-only")
        else:
            self.reply(200, base64.encodebytes(der), "application/pkcs7-mime; smime-type=certs-only",
                       Content_Transfer_Encoding="base64")

    def do_GET(self):
        if self.path != "/.well-known/est/cacerts":
            return self.reply(404)
        return self.certificates(self.server.authority.pack(self.server.authority.at("ca.pem")))

    def do_POST(self):
        options = self.server.options
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path != "/.well-known/est/simpleenroll":
            return self.reply(404)
        if options.refuse:
            return self.reply(options.refuse)
        if self.server.accepted < options.accept:
            self.server.accepted += 1
            return self.reply(202, Retry_After=str(options.retry_after))
        if self.headers.get("Content-Type") != "application/pkcs10":
            return self.reply(415)
        try:
            return self.certificates(self.server.authority.enroll(base64.b64decode(body, validate=True)))
        except (ValueError, subprocess.CalledProcessError):
            return self.reply(400)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--accept", type=int, default=0)
    parser.add_argument("--retry-after", type=int, default=1)
    parser.add_argument("--refuse", type=int, default=0)
    parser.add_argument("--der", action="store_true")
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # who is refused in the handshake is no news
    server.options, server.authority, server.accepted = options, Authority(options.folder), 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.authority.at("server.pem"), server.authority.at("server.key"))
    context.load_verify_locations(server.authority.at("ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("port", server.server_address[1], flush=True)
    sys.stdin.read()


main()
