"""Java and Maven, which a broker needs and pip does not bring."""

import os
import re
import shutil
import subprocess
from pathlib import Path

OLDEST = 17
PACKAGES = "openjdk-17-jre-headless maven"


class BrokerError(Exception):
    """What a person is told, in one sentence: the broker cannot be made, or not like this."""


def java() -> str:
    """The program, of JAVA_HOME or on the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(Path(home) / "bin" / "java") if home else shutil.which("java")
    if found is None:
        raise BrokerError(f"The broker needs Java {OLDEST} or later, and there is no java: apt-get install {PACKAGES}.")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST:
        first = said.strip().partition("\n")[0]
        raise BrokerError(
            f"The broker needs Java {OLDEST} or later, and {found} is {first}: apt-get install {PACKAGES}."
        )
    return found


def keytool() -> str:
    """Beside the real java, which the one on the PATH is a link to."""
    return str(Path(java()).resolve().with_name("keytool"))


def maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        raise BrokerError(f"The broker's parts come by Maven, and there is no mvn: apt-get install {PACKAGES}.")
    return found
