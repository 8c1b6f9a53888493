"""Approvals as a foreign tool would make them: in-toto statements in DSSE envelopes, signed by openssl."""

import base64
import json

TYPE = "application/vnd.in-toto+json"


def pae(payload, kind=TYPE):
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def statement(bundle_id, name="trino", note="CHG-1", created="2024-01-01T00:00:00Z", destination=None, expires=None,
              **more):
    return {"_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": name, "digest": {"sha256": bundle_id.removeprefix("sha256:")}}],
            "predicateType": "https://sealift/approval/v1",
            "predicate": {"note": note, "created": created, "destination": destination, "expires": expires, **more}}


def envelope(document, *signers, kind=TYPE, sign=pae):
    """The envelope's document; signers have .kid and .raw(data)."""
    payload = document if isinstance(document, bytes) else json.dumps(document, separators=(",", ":")).encode()
    return {"payload": base64.b64encode(payload).decode(), "payloadType": kind,
            "signatures": [{"keyid": s.kid, "sig": base64.b64encode(s.raw(sign(payload))).decode()} for s in signers]}
