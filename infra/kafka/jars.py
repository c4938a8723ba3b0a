"""The jars a broker is made of: fetched by Maven once, kept in the user's cache."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import platformdirs

from infra.embedded.locks import exclusive
from infra.kafka.java import BrokerError, maven

POM = Path(__file__).with_name("pom.xml")


def assemble(*, tools: bool = False) -> Path:
    """The directory of the jars; ``tools`` adds Kafka's own command line programs."""
    cache = platformdirs.user_cache_path("grossbuch")
    jars = cache / (_name() + ("-tools" if tools else ""))
    if not jars.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Two at once would also be two in Maven's own cache, where nothing keeps them apart.
        with exclusive(cache / "kafka.lock"):
            if not jars.exists():
                _fetch(jars, tools)
    return jars


def _name() -> str:
    """By the whole pom: what is cached for another one is not what this one asks for."""
    pom = POM.read_bytes()
    version = re.search(rb"<kafka.version>(.+)</kafka.version>", pom)
    assert version
    return f"kafka-{version[1].decode()}-{hashlib.sha256(pom).hexdigest()[:8]}"


def _fetch(jars: Path, tools: bool) -> None:
    """Beside it first, renamed when whole."""
    half = jars.with_name("half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    command = [maven(), "-q", "-B", "-C", "-f", str(POM), *(["-Ptools"] if tools else [])]
    copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={half}"]
    try:
        done = subprocess.run([*command, *copy], cwd=half, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BrokerError(f"Maven did not bring the broker's parts: {done.stdout.strip() or done.stderr.strip()}")
        half.rename(jars)
    finally:
        shutil.rmtree(half, ignore_errors=True)
