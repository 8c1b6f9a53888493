"""A registry that hashes what it is given and forgets it: for pushes of more than memory or a disk holds.

    with Drain() as drain:
        drain.host, drain.taken        {digest: size} of the blobs that came whole
        drain.tags                     names that were set
"""

import hashlib
import http.server
import threading
import urllib.parse

STEP = 1 << 20


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def receive(self, keep=False):
        """(digest, size, bytes if they are kept) of the request's body."""
        if "100-continue" in self.headers.get("Expect", ""):
            self.send_response_only(100)
            self.end_headers()
        left, running, kept = int(self.headers.get("Content-Length", 0)), hashlib.sha256(), []
        size, room = left, memoryview(bytearray(STEP))
        while left:
            got = self.rfile.readinto(room[:min(STEP, left)])
            if not got:
                raise ConnectionError("cut")
            running.update(room[:got])
            left -= got
            kept += [bytes(room[:got])] if keep else []
        return "sha256:" + running.hexdigest(), size, b"".join(kept)

    def do_GET(self):
        drain, path = self.server.drain, urllib.parse.urlsplit(self.path).path
        name = path.rpartition("/")[2]
        if path == "/v2/":
            self.say(200, b"{}", Docker_Distribution_Api_Version="registry/2.0")
        elif "/manifests/" in path and name in drain.manifests:
            data, kind, digest = drain.manifests[name]
            self.say(200, data, Content_Type=kind, Docker_Content_Digest=digest)
        elif "/blobs/" in path and name in drain.taken:
            self.send_response(200)
            self.send_header("Content-Length", str(drain.taken[name]))
            self.end_headers()
        else:
            self.say(404, b'{"errors":[{"code":"UNKNOWN"}]}', Content_Type="application/json")

    do_HEAD = do_GET

    def do_POST(self):
        self.receive()
        self.say(202, Location=self.path.split("?")[0] + "1", Docker_Upload_UUID="1")

    def do_PUT(self):
        drain, address = self.server.drain, urllib.parse.urlsplit(self.path)
        digest, size, data = self.receive(keep="/manifests/" in self.path)
        if "/manifests/" in address.path:
            name = address.path.rpartition("/")[2]
            for key in (name, digest):
                drain.manifests[key] = (data, self.headers["Content-Type"], digest)
            drain.tags += [] if name.startswith("sha256:") else [name]
        elif urllib.parse.parse_qs(address.query).get("digest") != [digest]:
            self.say(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}', Content_Type="application/json")
            return
        else:
            drain.taken[digest] = size
        self.say(201, Docker_Content_Digest=digest, Location=address.path)


class Drain:
    def __init__(self):
        self.taken, self.manifests, self.tags = {}, {}, []

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.drain, self.server.daemon_threads = self, True
        self.host = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()
