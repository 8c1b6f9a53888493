"""npm as tests use it: believing the machine's own authorities, a cache that is thrown away."""

import os
import subprocess
import tempfile

AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


def npm(*words, cwd=None):
    """Runs npm; it has 180 s."""
    with tempfile.TemporaryDirectory() as cache:
        subprocess.run(["npm", *words], cwd=cwd, check=True, stdout=subprocess.DEVNULL, timeout=180,
                       env={"NODE_EXTRA_CA_CERTS": AUTHORITIES, **os.environ, "npm_config_cache": cache,
                            "npm_config_update_notifier": "false"})
