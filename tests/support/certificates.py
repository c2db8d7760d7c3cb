# certificates.py - a CA and key pairs signed by it, for tests of TLS.
from support import proc


def make(directory, *names):
    """Writes ca.pem and, for each name, NAME.key and NAME.pem. Valid for two days."""
    def openssl(*words):
        proc.run(["openssl", *words], 30)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test CA",
            "-keyout", directory / "ca.key", "-out", directory / "ca.pem")
    for name in names:
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", directory / f"{name}.key",
                "-out", directory / f"{name}.csr")
        openssl("x509", "-req", "-days", "2", "-in", directory / f"{name}.csr", "-CA", directory / "ca.pem",
                "-CAkey", directory / "ca.key", "-CAcreateserial", "-out", directory / f"{name}.pem")
