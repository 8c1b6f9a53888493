"""The vendor's side, filled with stand-ins: images of our own making under Immuta's six names.

Nothing here is Immuta's: the layers hold seeded random bytes, and the chart is our own.
"""

from . import charts, chartrepo, images

IMMUTA_VERSION = "2024.1.5"
CHART_VERSION = "4.13.5"
REGISTRY = "registry.immuta.com"
CHARTS = "archives.immuta.com"

# repository, tag, platforms, Docker's media types?, own layers in thousandths of the total size;
# "base" is shared by all of one platform, "node" by three of them.
_IMAGES = (
    ("immuta/immuta-service", IMMUTA_VERSION, ("linux/amd64", "linux/arm64"), False, ("base", "node"), (60, 60)),
    ("immuta/immuta-db", IMMUTA_VERSION, ("linux/amd64", "linux/arm64"), False, ("base",), (70, 50)),
    ("immuta/immuta-fingerprint", IMMUTA_VERSION, ("linux/amd64",), False, ("base", "node"), (150,)),
    ("immuta/immuta-deploy-tools", "2.4.3", ("linux/amd64", "linux/arm64"), True, ("base", "node"), (25,)),
    ("memcached", "1.6-alpine", ("linux/amd64", "linux/arm64/v8"), False, (), (10, 5)),
    ("ingress-nginx-controller", "v1.1.0", ("linux/amd64",), True, (), (60, 30)),
)
_SHARED = {"base": 40, "node": 50}


def references():
    """[(repository, tag)] of the six."""
    return [(name, tag) for name, tag, *_ in _IMAGES]


def build(total):
    """{(repository, tag): Image}, together about `total` bytes, shared layers counted once."""
    unit = total // 1000

    shared_layers = {}

    def shared_layer(name, arch):
        key = f"{name}-{arch}"
        if key not in shared_layers:
            shared_layers[key] = images.layer(key, _SHARED[name] * unit)
        return shared_layers[key]

    def child(name, platform, docker, shared, own):
        arch = platform.split("/")[1]
        layers = [shared_layer(s, arch) for s in shared]
        layers += [images.layer(f"{name.replace('/', '-')}-{arch}-{i}", n * unit) for i, n in enumerate(own)]
        return images.image(layers, platform, docker, {"stand-in": "made for tests; not the vendor's image"})

    found = {}
    for name, tag, platforms, docker, shared, own in _IMAGES:
        children = [child(name, p, docker, shared, own) for p in platforms]
        found[name, tag] = images.index(children, docker) if len(children) > 1 else children[0]
    return found


def fill(registry, total):
    """Pushes the six into a registry; returns {(repository, tag): Image}."""
    made = build(total)
    client, homes = registry.client(), {}
    for (name, tag), image in made.items():
        images.push(client, name, tag, image, homes)
    return made


def chart():
    """The archive of our own `immuta` chart."""
    return charts.package("immuta", CHART_VERSION, IMMUTA_VERSION)


def chart_repository(folder, users):
    """The chart repository with that chart, at /charts."""
    name = f"immuta-{CHART_VERSION}.tgz"
    return chartrepo.ChartRepository(folder, [("immuta", CHART_VERSION, IMMUTA_VERSION, name, chart())], users)


def export_arguments(registry, repository, authfile):
    """What `sealift plan immuta` and `sealift export immuta` need to reach the stand-ins."""
    return ["--param", f"immutaVersion={IMMUTA_VERSION}", "--param", f"chartVersion={CHART_VERSION}",
            "--mirror", f"{REGISTRY}={registry.url}", "--mirror", f"{CHARTS}={repository.url}",
            "--authfile", authfile]
