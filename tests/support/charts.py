"""Packs a chart folder of tests/support/charts as helm would, the same bytes on every run."""

import io
import os
import re
import tarfile

from . import images

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "charts")


def pack(name, files):
    """A chart archive of {path inside the chart: bytes}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(files, key=lambda p: (p != "Chart.yaml", p)):
            info = tarfile.TarInfo(f"{name}/{path}")
            info.size, info.mode = len(files[path]), 0o644
            tar.addfile(info, io.BytesIO(files[path]))
    return images.gzip_bytes(out.getvalue(), 9)


def package(name, version=None, app_version=None):
    """The archive of tests/support/charts/NAME; a version given replaces Chart.yaml's."""
    root = os.path.join(FOLDER, name)
    files = {}
    for folder, _, names in os.walk(root):
        for leaf in names:
            path = os.path.join(folder, leaf)
            with open(path, "rb") as f:
                files[os.path.relpath(path, root)] = f.read()
    chart = files["Chart.yaml"].decode()
    for key, value in (("version", version), ("appVersion", app_version)):
        if value:
            chart = re.sub(rf"(?m)^{key}:.*$", f'{key}: "{value}"', chart)
    files["Chart.yaml"] = chart.encode()
    return pack(name, files)


def small(name="app", version="0.1.0", images_of=None):
    """A chart of two files, for tests that need any chart."""
    values = "".join(f"{k}: {v}\n" for k, v in (images_of or {"image": "registry.example/app:1.0"}).items())
    return pack(name, {"Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n".encode(),
                       "values.yaml": values.encode()})
