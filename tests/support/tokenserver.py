"""A token server for the real registry: JWTs signed with RS256 by a certificate that openssl made.

    with TokenServer(folder, users={"me": "pw"}) as tokens, ...:
        make_registry(extra=tokens.configuration())
"""

import base64
import json
import os
import subprocess
import time

from .scripted import Answer, TokenService, error


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenServer(TokenService):
    """Whoever is in users may everything; anybody may what `anonymous` lists; `rights` says other."""

    def __init__(self, folder, users=None, anonymous=(), life=300):
        self.key, self.cert = (os.path.join(str(folder), n) for n in ("token.key", "token.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.cert,
                        "-days", "3", "-subj", "/CN=token authority"], check=True, capture_output=True)
        der = subprocess.run(["openssl", "x509", "-in", self.cert, "-outform", "DER"], check=True, capture_output=True).stdout
        self.head = _b64(json.dumps({"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}).encode())
        self.life, self.expired = life, 0
        super().__init__(users, anonymous)

    def configuration(self):
        """Lines for the registry's configuration."""
        return (f"auth:\n  token: {{realm: '{self.realm}', service: scripted, issuer: tests, "
                f"rootcertbundle: {self.cert}}}\n")

    def sign(self, access, life):
        now = int(time.time())
        claims = {"iss": "tests", "sub": "", "aud": "scripted", "exp": now + life, "nbf": now - 100, "iat": now - 100,
                  "jti": str(len(self.journal)), "access": access}
        text = f"{self.head}.{_b64(json.dumps(claims).encode())}"
        made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=text.encode(), check=True,
                              capture_output=True)
        return f"{text}.{_b64(made.stdout)}"

    def decide(self, request):
        user = request.login
        if user and self.users.get(user[0]) != user[1]:
            return error(401, "UNAUTHORIZED", "incorrect username or password")
        access = []
        for scope in request.query.get("scope", []):
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            allowed = [a for a in actions.split(",") if user or a in self.anonymous]
            access.append({"type": kind, "name": name, "actions": allowed})
        life = self.life
        if self.expired:  # the registry lets a minute pass (TOK-21)
            self.expired -= 1
            life = -61
        return Answer(200, {}, json.dumps({"token": self.sign(access, life), "expires_in": self.life}).encode())
