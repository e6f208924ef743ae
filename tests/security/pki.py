# SPDX-License-Identifier: Apache-2.0
"""Certificate material for tests, made with the openssl program when it is needed and never kept: good and bad in every way.

`python3 pki.py FOLDER` writes all of it. For each NAME there are NAME.key (PKCS#8, PEM), NAME.key.der, NAME.pub (SubjectPublicKeyInfo,
PEM), NAME.pub.der, NAME.pair (both in PEM) and, but for bare keys, NAME.pem, NAME.der and NAME.chain (PEM: the certificate and those above
it but for the root).
"""

import datetime
import hashlib
import os
import subprocess
import sys

DAY = datetime.timedelta(days=1)
SERVER_NAME = "lwm2m.example"  # what the server's certificates are for, beside localhost and the loopback addresses
SERVER_ALTERNATIVES = f"DNS:{SERVER_NAME},DNS:localhost,IP:127.0.0.1,IP:::1"
P256, P384, P224 = "prime256v1", "secp384r1", "secp224r1"

_CONFIG = """[ca]
database = {folder}/{name}.index
new_certs_dir = {folder}
certificate = {folder}/{name}.pem
private_key = {folder}/{name}.key
rand_serial = yes
default_md = sha256
unique_subject = no
copy_extensions = none
policy = policy
email_in_dn = no
default_crl_days = 30
[policy]
commonName = supplied
"""

_ROLES = {
    "ca": "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
    "server": "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n",
    "client": "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n",
    "both": "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n",
}


def _stamp(moment):
    return moment.strftime("%Y%m%d%H%M%SZ")


class Pki:
    """A folder of keys and certificates."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.issuers = {}  # name: that of its issuer, or None
        self.now = datetime.datetime.now(datetime.timezone.utc)

    def path(self, name, suffix="pem"):
        return os.path.join(self.folder, f"{name}.{suffix}")

    def der(self, name, suffix="der"):
        with open(self.path(name, suffix), "rb") as file:
            return file.read()

    def text(self, name, suffix="pem"):
        return self.der(name, suffix).decode("ascii")

    def fingerprint(self, name):
        return hashlib.sha256(self.der(name)).hexdigest()

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], capture_output=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise AssertionError(f"openssl {' '.join(arguments)}:\n{done.stderr.decode(errors='replace')}")
        return done.stdout

    def key(self, name, curve=P256):
        """A key pair; `curve` may be "rsa"."""
        options = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if curve == "rsa" else [
            "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-pkeyopt", "ec_param_enc:named_curve"]
        self._openssl("genpkey", *options, "-out", self.path(name, "key"))
        os.chmod(self.path(name, "key"), 0o600)
        self._openssl("pkcs8", "-topk8", "-nocrypt", "-in", self.path(name, "key"), "-outform", "DER", "-out",
                      self.path(name, "key.der"))
        for form, suffix in (("PEM", "pub"), ("DER", "pub.der")):
            self._openssl("pkey", "-in", self.path(name, "key"), "-pubout", "-outform", form, "-out", self.path(name, suffix))
        with open(self.path(name, "pair"), "w", encoding="ascii") as file:
            file.write(self.text(name, "key") + self.text(name, "pub"))
        os.chmod(self.path(name, "pair"), 0o600)
        return name

    def certificate(self, name, issuer=None, cn=None, role="ca", alternatives="", begins=-1, ends=30, curve=P256, digest="sha256",
                    more=""):
        """One of `issuer` (None: its own), valid from `begins` to `ends` days from now."""
        self.key(name, curve)
        self._openssl("req", "-new", "-key", self.path(name, "key"), "-subj", f"/CN={cn or name}", "-out", self.path(name, "csr"),
                      "-sha256")
        self.issuers[name] = issuer
        if issuer is None or role == "ca":
            self._authority(name)
        with open(self.path(name, "ext"), "w", encoding="ascii") as file:
            file.write(_ROLES[role] + (f"subjectAltName={alternatives}\n" if alternatives else "") + more)
        by = ["-selfsign", "-keyfile", self.path(name, "key")] if issuer is None else []
        self._openssl("ca", "-config", self.path(issuer or name, "cnf"), "-name", "ca", "-batch", "-notext", "-md", digest, *by,
                      "-startdate", _stamp(self.now + begins * DAY), "-enddate", _stamp(self.now + ends * DAY),
                      "-extfile", self.path(name, "ext"), "-in", self.path(name, "csr"), "-out", self.path(name))
        self._openssl("x509", "-in", self.path(name), "-outform", "DER", "-out", self.path(name, "der"))
        with open(self.path(name, "chain"), "w", encoding="ascii") as file:
            at = name
            while at and (self.issuers[at] or at == name):
                file.write(self.text(at))
                at = self.issuers[at]
        return name

    def _authority(self, name):
        with open(self.path(name, "cnf"), "w", encoding="ascii") as file:
            file.write(_CONFIG.format(folder=self.folder, name=name))
        with open(self.path(name, "index"), "w", encoding="ascii"):
            pass

    def sign_by_leaf(self, leaf, name, **more):
        """A certificate of an issuer that is no CA."""
        self._authority(leaf)
        return self.certificate(name, leaf, **more)

    def revoke(self, name):
        self._openssl("ca", "-config", self.path(self.issuers[name], "cnf"), "-name", "ca", "-revoke", self.path(name))

    def crl(self, issuer):
        """ISSUER.crl (PEM): what has been revoked of its certificates so far."""
        self._openssl("ca", "-config", self.path(issuer, "cnf"), "-name", "ca", "-gencrl", "-crldays", "30", "-out",
                      self.path(issuer, "crl"))
        return self.path(issuer, "crl")

    def bundle(self, file_name, *names):
        """The certificates of several names in one file."""
        with open(os.path.join(self.folder, file_name), "w", encoding="ascii") as file:
            file.write("".join(self.text(name) for name in names))
        return file.name


SERVER = {"role": "server", "alternatives": SERVER_ALTERNATIVES, "cn": SERVER_NAME}


def make(folder, devices=("device",), bad=True):
    """A root, an intermediate below it, a server and devices, another root; with `bad` also all that must be refused."""
    pki = Pki(folder)
    pki.certificate("root", cn="Test Root")
    pki.certificate("middle", "root", cn="Test Intermediate")
    pki.certificate("other-root", cn="Another Root")
    pki.certificate("server", "middle", **SERVER)
    for device in devices:
        pki.certificate(device, "middle", cn=device, role="client")
    pki.certificate("device-of-other", "other-root", role="client")
    pki.key("device-rpk")
    pki.key("other-rpk")
    # A device has room for one certificate and sends no other, so its server must know those above it.
    pki.bundle("client-cas.pem", "root", "middle")
    if bad:
        _make_bad_servers(pki)
        _make_bad_devices(pki)
        pki.revoke("device-revoked")
        pki.crl("root")
        pki.crl("middle")
        with open(pki.path("all", "crl"), "w", encoding="ascii") as file:
            file.write(pki.text("root", "crl") + pki.text("middle", "crl"))
    return pki


def _make_bad_servers(pki):
    for name, more in (("server-expired", {"begins": -20, "ends": -1}), ("server-early", {"begins": 5, "ends": 20}),
                       ("server-sha1", {"digest": "sha1"}), ("server-p224", {"curve": P224}), ("server-rsa", {"curve": "rsa"})):
        pki.certificate(name, "middle", **{**SERVER, **more})
    pki.certificate("server-wrong-name", "middle", role="server", cn="other.example", alternatives="DNS:other.example")
    pki.certificate("server-of-other", "other-root", **SERVER)
    pki.certificate("server-self", **SERVER)
    pki.sign_by_leaf("server", "server-by-leaf", **SERVER)


def _make_bad_devices(pki):
    for name, more in (("device-expired", {"begins": -20, "ends": -1}), ("device-early", {"begins": 5, "ends": 20}),
                       ("device-revoked", {}), ("device-sha1", {"digest": "sha1"}), ("device-p224", {"curve": P224}),
                       ("device-rsa", {"curve": "rsa"}), ("device-server-only", {"role": "server"})):
        pki.certificate(name, "middle", **{"role": "client", **more})
    pki.certificate("device-leaf", "middle", role="client")
    pki.sign_by_leaf("device-leaf", "device-by-leaf", role="client")


if __name__ == "__main__":
    make(sys.argv[1])
