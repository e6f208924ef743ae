# SPDX-License-Identifier: Apache-2.0
"""Makes the peers: Leshan's programs with Maven, a Python environment with aiocoap; both are kept in build/interop."""

import glob
import hashlib
import os
import shutil
import subprocess

from support.programs import ROOT, WORK

HERE = os.path.dirname(os.path.realpath(__file__))
MODELS = os.path.join(HERE, "models")
LESHAN = os.path.join(WORK, "leshan")
MAVEN_TIMEOUT_S = 600
START_TIMEOUT_S = 150  # of a Java program, when twenty of them start at once


def _sources_hash():
    digest = hashlib.sha256()
    for path in [os.path.join(HERE, "leshan", "pom.xml"), *sorted(glob.glob(HERE + "/leshan/src/**/*.java", recursive=True))]:
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def build_leshan():
    """Compiles the Leshan programs, unless what was built is of these sources."""
    stamp, wanted = os.path.join(LESHAN, "stamp"), _sources_hash()
    if os.path.exists(stamp):
        with open(stamp, encoding="ascii") as file:
            if file.read() == wanted:
                return
    print("building the Leshan peers (Maven fetches Leshan the first time)", flush=True)
    shutil.rmtree(LESHAN, ignore_errors=True)
    os.makedirs(LESHAN)
    log_path = os.path.join(WORK, "maven.log")
    with open(log_path, "wb") as log:
        done = subprocess.run(["mvn", "-q", "-B", "-f", os.path.join(HERE, "leshan", "pom.xml"),
                               f"-DbuildDirectory={LESHAN}", "package", "dependency:copy-dependencies"],
                              stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=MAVEN_TIMEOUT_S,
                              check=False)
    if done.returncode != 0:
        with open(log_path, encoding="utf-8", errors="replace") as log:
            raise SystemExit("Maven could not build the Leshan peers:\n" + log.read()[-4000:])
    with open(stamp, "w", encoding="ascii") as file:
        file.write(wanted)


def leshan(program, *options):
    """The command line of a Leshan program that knows the test's object definitions."""
    models = [os.path.join(MODELS, "33500.xml"), os.path.join(ROOT, "models", "3303.xml")]
    arguments = ["java", "-XX:TieredStopAtLevel=1", "-Xss512k", "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
                 "-Dorg.slf4j.simpleLogger.log.org.eclipse.californium=warn", "-cp",
                 os.path.join(LESHAN, "leshan-peers.jar") + ":" + os.path.join(LESHAN, "lib", "*"), f"interop.{program}"]
    for model in models:
        arguments += ["--model", model]
    return arguments + list(options)
