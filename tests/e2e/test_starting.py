"""What is imported before a command begins."""

import subprocess
import sys

WITHOUT_A_BROKER = ("up", "serve", "consume", "rebuild", "recover", "check")


def test_who_needs_no_broker_does_not_wait_for_the_clients_of_one() -> None:
    code = f"import sys, {', '.join(f'api.cli.{command}' for command in WITHOUT_A_BROKER)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in done.stdout.split()}
    assert "fastapi" in imported
    assert not imported & {"kafka", "aiokafka"}
