# SPDX-License-Identifier: Apache-2.0
"""One credential as each program wants it told: `dunlin client`, dunlind (REST), Leshan's device and server, openssl, libcoap."""

PSK, RPK, X509 = "psk", "rpk", "x509"
KEY = "000102030405060708090a0b0c0d0e0f"
OTHER_KEY = "ff0102030405060708090a0b0c0d0e0f"
SUITE_NAMES = {"ccm8": {PSK: "TLS_PSK_WITH_AES_128_CCM_8", RPK: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"},
          "cbc": {PSK: "TLS_PSK_WITH_AES_128_CBC_SHA256", RPK: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"}}
for _row in SUITE_NAMES.values():
    _row[X509] = _row[RPK]
# What /0/x/4 has for each certificate usage, if nothing else is said (RFC 6698 section 2.1.1).
ABOUT = {0: "root", 1: "server", 2: "middle", 3: "server"}


class Credential:
    """Of the device `endpoint`: its mode, and for X.509 how it is to look at the server's certificate (`usage`)."""

    def __init__(self, pki, mode, endpoint, *, identity=None, key=KEY, own=None, server="server", usage=3, about=None, roots="root",
                 name=None):
        self.pki, self.mode, self.endpoint, self.usage, self.roots = pki, mode, endpoint, usage, roots
        self.identity, self.key = identity or endpoint, key
        self.own = own or ("device-rpk" if mode == RPK else endpoint)
        self.server, self.about = server, about or (ABOUT[usage] if server == "server" or usage in (0, 2) else server)
        self.name = name  # what the server's certificate must say (SNI)

    def rest(self):
        """The body of PUT /credentials/ENDPOINT."""
        if self.mode == PSK:
            return {"mode": PSK, "identity": self.identity, "key": self.key}
        if self.mode == RPK:
            return {"mode": RPK, "public_key": self.pki.text(self.own, "pub")}
        return {"mode": X509}

    def client(self, suite=None):
        """Options of `dunlin client`."""
        path = self.pki.path
        more = ["--suites", suite] if suite else []
        if self.mode == PSK:
            return ["--identity", self.identity, "--key", "hex:" + self.key, *more]
        if self.mode == RPK:
            return ["--public-key", path(self.own, "pub"), "--private-key", path(self.own, "key"), "--server-key",
                    path(self.server, "pub"), *more]
        return ["--cert", path(self.own), "--private-key", path(self.own, "key"), "--usage", str(self.usage), "--server-cert",
                path(self.about), "--roots", path(self.roots), *(["--sni", self.name] if self.name else []), *more]

    def leshan_device(self):
        """Options of Leshan's device."""
        path = self.pki.path
        if self.mode == PSK:
            return ["--psk", self.key, "--identity", self.identity]
        if self.mode == RPK:
            return ["--private", path(self.own, "key.der"), "--public", path(self.own, "pub.der"), "--server-public",
                    path(self.server, "pub.der")]
        return ["--private", path(self.own, "key.der"), "--certificate", path(self.own, "der"), "--server-certificate",
                path(self.about, "der"), "--usage", str(self.usage), "--trust", path(self.roots)]

    def leshan_secure(self):
        """What Leshan's server is told of it."""
        if self.mode == PSK:
            return {"endpoint": self.endpoint, "mode": PSK, "identity": self.identity, "key": self.key}
        if self.mode == RPK:
            return {"endpoint": self.endpoint, "mode": RPK, "public": self.pki.path(self.own, "pub.der")}
        return {"endpoint": self.endpoint, "mode": X509}

    def openssl(self):
        """Options of openssl s_client; none for raw public keys, which OpenSSL 3.0 does not have."""
        path = self.pki.path
        if self.mode == PSK:
            return ["-psk", self.key, "-psk_identity", self.identity]
        return ["-cert", path(self.own), "-key", path(self.own, "key"), "-CAfile", path(self.roots), "-verify", "3",
                "-verify_return_error"]

    def libcoap(self):
        """Options of coap-client-gnutls."""
        path = self.pki.path
        if self.mode == PSK:
            return ["-u", self.identity, "-k", bytes.fromhex(self.key).decode("latin-1")]
        if self.mode == RPK:
            return ["-M", path(self.own, "pair"), "-n"]  # it has no way to pin the server's key
        return ["-c", path(self.own), "-j", path(self.own, "key"), "-C", path(self.roots)]


def server_options(pki, server="server", *more):
    """Options of dunlind: DTLS, TCP and TLS on free ports of the loopback, and its certificate."""
    return ["--coaps", "127.0.0.1:0", "--coap-tcp", "127.0.0.1:0", "--coaps-tcp", "127.0.0.1:0", "--certificate", pki.path(server, "chain"),
            "--key", pki.path(server, "key"), "--client-cas", pki.path("client-cas"), *more]


def put(rest, credential, status=201):
    """Makes a credential known to dunlind."""
    return rest.want(status, "PUT", "/credentials/" + rest.device(credential.endpoint)[len("/clients/"):], credential.rest())
