#!/usr/bin/python3
"""The main job on real parts: a release leaves a vendor's registry as one signed file and arrives
in a customer's registry, and other people's tools say that it did.  Run by `make demo`.

Everything is kept under build/demo; the servers are ended whatever happens.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from support import fetch_helm, processes, vendor as vendor_side  # noqa: E402
from support.registry import Registry, docker_auth  # noqa: E402

TOTAL = 320_000_000  # bytes of stand-in layers
BUNDLE = f"immuta-{vendor_side.IMMUTA_VERSION}.tar"
PREFIX = "apps"


class Mismatch(Exception):
    """Something is not as it must be: the demo has failed."""


def section(text):
    print(f"\n== {text}\n", flush=True)


def tell(text):
    print(f"   {text}", flush=True)


class Demo:
    def __init__(self, root):
        self.root = root
        self.folder = os.path.join(root, "build", "demo")
        self.connected = os.path.join(self.folder, "connected")
        self.disconnected = os.path.join(self.folder, "disconnected")
        shutil.rmtree(self.folder, ignore_errors=True)
        for path in (self.connected, self.disconnected, self.path("home"), self.path("tmp")):
            os.makedirs(path)
        helm = os.path.dirname(fetch_helm.fetch("3.17.3"))
        self.env = {
            "PATH": f"{root}/build:{helm}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.path("home"),
            "TMPDIR": self.path("tmp"), "LC_ALL": "C.UTF-8", "SEALIFT_RELEASES": os.path.join(root, "manifests")}

    def path(self, name):
        return os.path.join(self.folder, name)

    # Running commands: what is printed is what runs.

    def run(self, command, folder, show=True, quiet=False):
        """Runs a shell command as it is printed; its output goes to the screen, or is returned."""
        if show:
            print("$ " + command, flush=True)
        done = subprocess.Popen(**processes.child(["sh", "-c", command]), cwd=folder, env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE if quiet else None, text=True)
        try:
            out, _ = done.communicate(timeout=100)
        except BaseException:
            os.killpg(done.pid, signal.SIGKILL)
            raise
        if done.returncode != 0:
            raise Mismatch(f"status {done.returncode} of: {command}")
        if show:
            print(flush=True)
        return out

    def write(self, path, text):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write(text)

    # The steps.

    def start_servers(self):
        section("Two registries and a chart repository, each with users of its own")
        self.vendor = Registry(self.path("vendor"), {"vendor": "vendor-password"})
        self.customer = Registry(self.path("customer"), {"customer": "customer-password"})
        self.charts = vendor_side.chart_repository(self.path("charts"), {"charts": "charts-password"})
        tell(f"the vendor's registry    {self.vendor.host}   (stands for registry.immuta.com)")
        tell(f"the chart repository     {self.charts.host}   (stands for archives.immuta.com)")
        tell(f"the customer's registry  {self.customer.host}")
        self.target = f"{self.customer.host}/{PREFIX}"
        self.write(os.path.join(self.connected, "auth.json"), docker_auth(
            {s.host: s.login for s in (self.vendor, self.charts)}))
        self.write(os.path.join(self.disconnected, "auth.json"), docker_auth({self.customer.host: self.customer.login}))
        self.write(self.path("both.json"), docker_auth(
            {s.host: s.login for s in (self.vendor, self.customer)}))

    def fill(self):
        section("The vendor's side is filled with stand-ins")
        tell("These are stand-ins of our own making: Immuta's image names over seeded random bytes,")
        tell("and a small chart of our own. Nothing in them is Immuta's.")
        self.images = vendor_side.fill(self.vendor, TOTAL)
        for (name, tag), image in self.images.items():
            platforms = " ".join(c.platform for c in image.children) or image.platform
            tell(f"{name + ':' + tag:38} {image.size() / 1e6:6.1f} MB  {platforms}")
        blobs = {b.digest: b.size for i in self.images.values() for b in i.all_blobs()}
        tell(f"{sum(blobs.values()) / 1e6:.1f} MB in all, shared layers counted once")

    def connected_side(self):
        section("On the connected side: one signed file")
        self.write(os.path.join(self.connected, "vendor.pass"), "a passphrase for the demo\n")
        release = (f"immuta --param immutaVersion={vendor_side.IMMUTA_VERSION}"
                   f" --param chartVersion={vendor_side.CHART_VERSION} \\\n"
                   f"      --mirror {vendor_side.REGISTRY}={self.vendor.url} \\\n"
                   f"      --mirror {vendor_side.CHARTS}={self.charts.url} --authfile auth.json")
        self.run("sealift keygen -o vendor --passphrase-file vendor.pass", self.connected)
        self.run(f"sealift plan {release}", self.connected)
        self.run(f"sealift export {release} \\\n"
                 f"      --sign-key vendor.key --passphrase-file vendor.pass -o {BUNDLE}", self.connected)
        self.run(f"sealift inspect {BUNDLE} --trust vendor.pub", self.connected)
        section("The medium is carried across")
        self.run(f"mv connected/{BUNDLE} connected/vendor.pub disconnected/", self.folder)
        shutil.copy(os.path.join(self.root, "tests", "demo", "customer-values.yaml"), self.disconnected)

    def disconnected_side(self):
        section("On the disconnected side: verify, push, values")
        self.run(f"sealift verify {BUNDLE} --trust vendor.pub", self.disconnected)
        self.run(f"sealift push {BUNDLE} {self.target} --trust vendor.pub --plain-http \\\n"
                 "      --authfile auth.json -f customer-values.yaml -o values/", self.disconnected)
        self.run(f"sealift values {BUNDLE} {self.target} --trust vendor.pub \\\n"
                 "      -f customer-values.yaml -o values-again/", self.disconnected)
        self.run("diff -r values values-again && echo the same values both times", self.disconnected)

    def prove_by_hand(self):
        section("Proof 1: the file, by tar, openssl and sha256sum")
        by_hand = os.path.join(self.disconnected, "by-hand")
        os.makedirs(by_hand)
        self.run(f"tar -xf ../{BUNDLE} --occurrence=1 --wildcards bundle/inventory.json 'bundle/sig/*.sig'", by_hand)
        self.run("base64 -d bundle/sig/*.sig > inventory.sig\n"
                 "  openssl dgst -sha256 -verify ../vendor.pub -signature inventory.sig bundle/inventory.json", by_hand)
        self.run(f"tar -xf ../{BUNDLE}\n"
                 "  grep -o '\"path\":\"[^\"]*\",\"size\":[0-9]*,\"sha256\":\"[0-9a-f]*\"' bundle/inventory.json |\n"
                 "    awk -F'\"' '{print $10\"  \"$4}' > sums\n"
                 "  sha256sum -c --quiet sums && echo \"$(wc -l < sums) members match the signed sums\"", by_hand)
        with open(os.path.join(by_hand, "sums")) as f:
            if len(f.readlines()) < 20:
                raise Mismatch("the signed inventory names too few members to be this release")
        shutil.rmtree(by_hand)

    def raw_digest(self, where, show=False):
        return "sha256:" + self.run(
            f"skopeo inspect --raw --tls-verify=false --authfile both.json docker://{where} | sha256sum",
            self.folder, show=show, quiet=True).split()[0]

    def prove_digests(self):
        section("Proof 2: every image at vendor and customer, digest for digest, by skopeo")
        print(f"$ skopeo inspect --raw docker://{self.vendor.host}/NAME:TAG | sha256sum\n"
              f"$ skopeo inspect --raw docker://{self.target}/NAME:TAG | sha256sum", flush=True)
        wrong = 0
        for (name, tag), image in self.images.items():
            there = self.raw_digest(f"{self.vendor.host}/{name}:{tag}")
            here = self.raw_digest(f"{self.target}/{name}:{tag}")
            children = [c.digest for c in image.children]
            whole = all(self.raw_digest(f"{self.target}/{name}@{d}") == d for d in children)
            same = there == here == image.digest and whole
            wrong += not same
            kind = f"index of {len(children)}, whole" if children else "one platform"
            tell(f"{name + ':' + tag:38} {there[:23]}… {here[:23]}… {'equal' if same else 'DIFFERENT'} ({kind})")
        if wrong:
            raise Mismatch(f"{wrong} of {len(self.images)} images differ")

    def prove_values(self):
        section("Proof 3: the chart from the customer's registry with the new values, by helm")
        self.run(f"helm pull oci://{self.target}/immuta --version {vendor_side.CHART_VERSION} --plain-http \\\n"
                 "      --registry-config auth.json", self.disconnected)
        files = sorted(os.listdir(os.path.join(self.disconnected, "values")),
                       key=lambda n: (n != "customer-values.yaml", n))
        values = " ".join(f"-f values/{name}" for name in files)
        rendered = self.run(f"helm template immuta immuta-{vendor_side.CHART_VERSION}.tgz {values} > rendered.yaml &&"
                            " grep -E '^ *(- )?image:' rendered.yaml | sort -u", self.disconnected, quiet=True)
        print(rendered, flush=True)
        found = set(re.findall(r'image: *"?([^"\s]+)', rendered))
        wanted = {f"{self.target}/{name}:{tag}" for name, tag in vendor_side.references()}
        with open(os.path.join(self.disconnected, "rendered.yaml")) as f:
            if vendor_side.REGISTRY in f.read():
                raise Mismatch(f"the rendered chart still names {vendor_side.REGISTRY}")
        there = [ref for ref in sorted(found & wanted) if self.raw_digest(ref)]
        tell(f"{len(there)} of {len(wanted)} references point to {self.target} and exist there")
        if found != wanted or len(there) != len(wanted):
            raise Mismatch(f"expected {sorted(wanted)}, found {sorted(found)}")

    def play(self):
        self.start_servers()
        self.fill()
        self.connected_side()
        self.disconnected_side()
        self.prove_by_hand()
        self.prove_digests()
        self.prove_values()

    def clean(self):
        """The servers' data go; the bundle and the values stay under build/demo to be looked at."""
        processes.stop_all()
        for name in ("vendor", "customer", "charts", "home", "tmp"):
            shutil.rmtree(self.path(name), ignore_errors=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    demo = Demo(fetch_helm.root())
    try:
        demo.play()
    except (Mismatch, RuntimeError, subprocess.SubprocessError) as e:
        print(f"\ndemo: FAILED: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        demo.clean()
    print(f"\ndemo: passed in {time.monotonic() - began:.0f} s: {len(demo.images)} of {len(demo.images)} images at "
          "the customer's registry under their vendor's digests, and the values point there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
