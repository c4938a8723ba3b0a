"""``requirements/java``: the tests' broker gets its Java and Maven, or a person is told, and nothing is skipped."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "requirements" / "java"

APT = """#!/bin/sh
echo "$*" >>{log}
case "$*" in
install*) printf '#!/bin/sh\\necho openjdk version \\\\"17.0.2\\\\" >&2\\n' >{bin}/java
    printf '#!/bin/sh\\n' >{bin}/mvn
    chmod +x {bin}/java {bin}/mvn ;;
esac
"""


class Machine:
    """Programs that are all there is."""

    def __init__(self, bin: Path) -> None:
        self.bin = bin
        self.log = bin / "apt.log"
        bin.mkdir()
        for program in ("chmod", "sed", "head"):
            (bin / program).symlink_to(str(shutil.which(program)))
        self.has("apt-get", APT.format(log=self.log, bin=bin))
        self.has("apt-cache", "#!/bin/sh\n")
        self.user(0)

    def has(self, program: str, script: str = "#!/bin/sh\n") -> None:
        path = self.bin / program
        path.unlink(missing_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def java(self, version: str) -> None:
        self.has("java", f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")

    def user(self, uid: int) -> None:
        self.has("id", f"#!/bin/sh\necho {uid}\n")

    def run(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", SCRIPT], env={"PATH": str(self.bin)}, capture_output=True, text=True, check=False
        )

    @property
    def installed(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.partition("recommends ")[2] for line in lines if line.startswith("install")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "bin")


def test_a_machine_that_has_both_is_left_alone(machine: Machine) -> None:
    machine.java("21.0.1")
    machine.has("mvn")
    assert machine.run().returncode == 0
    assert machine.installed == []


@pytest.mark.parametrize("version", [None, "1.8.0_402", "11.0.2"])
def test_root_gets_what_is_missing(machine: Machine, version: str | None) -> None:
    if version:
        machine.java(version)
        machine.has("mvn")
    assert machine.run().returncode == 0
    assert machine.installed == ["openjdk-17-jre-headless maven"]


def test_a_release_without_java_17_gives_its_own(machine: Machine) -> None:
    machine.has("apt-cache", "#!/bin/sh\nexit 100\n")
    assert machine.run().returncode == 0
    assert machine.installed == ["default-jre-headless maven"]


def test_others_are_told_and_nothing_goes_on(machine: Machine) -> None:
    machine.user(1000)
    done = machine.run()
    assert done.returncode == 1
    assert "apt-get install openjdk-17-jre-headless maven" in done.stderr
    assert machine.installed == []


def test_an_old_java_that_stays_in_front_is_told(machine: Machine) -> None:
    machine.has("apt-get", "#!/bin/sh\n")
    machine.java("11.0.2")
    machine.has("mvn")
    done = machine.run()
    assert done.returncode == 1
    assert "version 11, and 17 or later is needed" in done.stderr
