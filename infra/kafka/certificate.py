"""A certificate for a broker of this machine, by an authority of its own whose key is forgotten at once."""

import subprocess
from pathlib import Path

from infra.kafka.java import keytool
from infra.kafka.ports import HOST
from infra.kafka.properties import Security


def secure(directory: Path, username: str, password: str) -> Security:
    """Make keystore and ``ca.pem`` in the directory. The password is that of the user and of the keystore."""
    security = Security(username, password, directory / "keystore.p12", directory / "ca.pem")
    store = ["-keystore", str(security.keystore), "-storetype", "PKCS12", "-storepass", password]
    key = ["-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "3650"]
    steps = (
        [*key, "-alias", "ca", "-dname", "CN=Grossbuch CA", "-ext", "bc:c=ca:true", "-ext", "ku:c=keyCertSign"],
        [*key, "-alias", "broker", "-dname", f"CN={HOST}", "-ext", f"san=dns:{HOST},ip:127.0.0.1", "-signer", "ca"],
        ["-exportcert", "-rfc", "-alias", "ca", "-file", str(security.ca)],
        ["-delete", "-alias", "ca"],
    )
    for step in steps:
        subprocess.run([keytool(), *step, *store], check=True, capture_output=True)
    return security
