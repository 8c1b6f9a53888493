#!/usr/bin/python3
"""What export and push cost beside the least that the same work can cost.  Run by `make bench`.

    tests/bench/bench.py [--megabytes 2000] [--runs 5] [--folder build/bench] [-o docs/PERFORMANCE.md]

Both sides of every ratio are measured in one run, in turn; the figures are medians. The same is
done again on a tmpfs that has room, where no disk hides the program's own cost.
"""

import argparse
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from support import images, keys, measure, processes  # noqa: E402
from support.fetch_helm import root  # noqa: E402
from support.program import Program, binary  # noqa: E402
from support.registry import Registry  # noqa: E402

IMAGES, LAYERS, JOBS = 6, 4, 4
NAME = "registry.example"
MIB = 1024 * 1024


class Bench:
    def __init__(self, folder, megabytes, runs):
        self.folder, self.runs = os.path.abspath(folder), runs
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.program = Program(self.folder, timeout=600)
        self.env = self.program.environment()
        self.floor = self.compile_floor()
        self.vendor = Registry(self.path("vendor"))
        self.customer = Registry(self.path("customer"))
        self.blobs = []
        self.fill(megabytes * 1_000_000 // (IMAGES * LAYERS))
        self.key = keys.make(self.program, self.folder, "bench")

    def path(self, name):
        return os.path.join(self.folder, name)

    def compile_floor(self):
        target = self.path("floor")
        subprocess.run([os.environ.get("CC", "gcc"), "-std=c17", "-D_GNU_SOURCE", "-O2", "-pthread", "-o", target,
                        os.path.join(root(), "tests", "bench", "floor.c"), "-lcurl", "-lcrypto"], check=True)
        return target

    def fill(self, size):
        """Six images, one at a time so that memory stays small; curl sends the vendor's own files."""
        self.references = []
        self.documents = 0
        for i in range(IMAGES):
            image = images.image([images.layer(f"bench-{i}-{n}", size) for n in range(LAYERS)])
            self.vendor.plant(f"bench/image-{i}", "1.0", image)
            self.references.append(f"{NAME}/bench/image-{i}:1.0")
            self.documents += len(image.manifests())
            for part in image.all_blobs():
                self.blobs.append((f"bench/image-{i}", part.digest, part.size, self.vendor.blob_path(part.digest)))
        with open(self.path("images.txt"), "w") as f:
            f.write("\n".join(self.references) + "\n")
        self.total = sum(size for _, _, size, _ in self.blobs)

    # One measured run each; what a run leaves is removed before the next.

    def settle(self, *leavings):
        for path in leavings:
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.unlink(path)
        os.sync()
        time.sleep(0.5)

    def must(self, cost, what):
        if cost.rc != 0:
            raise RuntimeError(f"{what}: status {cost.rc}\n{cost.out[-2000:]}")
        return cost

    def run_floor(self):
        self.settle(self.path("floor.bin"), self.path("bundle.tar"))
        listing = "".join(f"{size} {digest.split(':')[1]} {self.vendor.url}/v2/{name}/blobs/{digest}\n"
                          for name, digest, size, _ in self.blobs)
        cost = self.must(measure.run([self.floor, JOBS, self.path("floor.bin")], input=listing, env=self.env), "floor")
        self.settle(self.path("floor.bin"))
        return cost

    def run_export(self):
        self.settle(self.path("bundle.tar"))
        return self.must(measure.run(
            [binary(), "export", "--images", self.path("images.txt"), "--mirror", f"{NAME}={self.vendor.url}",
             "--name", "bench", "-j", JOBS, *self.key.signing(), "-o", self.path("bundle.tar")],
            env=self.env, cwd=self.folder), "export")

    def run_push(self):
        return self.must(measure.run(
            [binary(), "push", self.path("bundle.tar"), self.customer.host, "--plain-http", "-j", JOBS,
             *self.key.trusting()], env=self.env, cwd=self.folder), "push")

    def run_first_push(self):
        self.customer.empty()
        self.settle()
        return self.run_push()

    def run_curl(self):
        """Every blob hashed by openssl and sent by curl -T, as many at a time as push sends."""
        self.customer.empty()
        self.settle()
        script = ('set -e; sum=$(openssl dgst -sha256 -r "$1"); [ "sha256:${sum%% *}" = "$2" ]; '
                  'to=$(curl -sS -f -o /dev/null -w "%header{location}" -X POST "$3/v2/$0/blobs/uploads/"); '
                  'exec curl -sS -f -o /dev/null -T "$1" -H Expect: -H "Content-Type: application/octet-stream" "$to&digest=$2"')
        lines = "".join(f"{name}\n{path}\n{digest}\n{self.customer.url}\n" for name, digest, _, path in self.blobs)
        return self.must(measure.run(["xargs", "-d", "\n", "-n", "4", "-P", JOBS, "sh", "-c", script], input=lines,
                                     env=self.env), "curl")

    def run_second_push(self):
        before = len(self.customer.requests())
        self.run_push()
        return self.customer.requests(since=before)

    def run_skopeo(self):
        self.customer.empty()
        self.settle(self.path("bundle.tar"))
        lines = [f'skopeo copy -q --all --src-tls-verify=false docker://{self.vendor.host}/bench/image-{i}:1.0 '
                 f'oci:layout:image-{i}' for i in range(IMAGES)]
        cost = self.must(measure.run(["sh", "-ec", "; ".join([*lines, "tar -cf layout.tar layout", "sync layout.tar"])],
                                     env=self.env, cwd=self.folder), "skopeo")
        self.settle(self.path("layout"), self.path("layout.tar"))
        return cost

    def measure(self):
        """All runs in turn, so that a slow minute of the machine touches every side."""
        found = {name: [] for name in ("floor", "export", "push", "curl", "skopeo")}
        for i in range(self.runs):
            found["floor"].append(self.run_floor())
            found["export"].append(self.run_export())
            found["curl"].append(self.run_curl())
            found["push"].append(self.run_first_push())
            self.second = self.run_second_push()
            self.size = os.path.getsize(self.path("bundle.tar"))
            if i < 3:
                found["skopeo"].append(self.run_skopeo())
            print(f"run {i + 1}: " + ", ".join(f"{n} {c[-1].seconds:.2f} s" for n, c in found.items() if c), flush=True)
        return found

    def close(self):
        self.vendor.remove()
        self.customer.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


def median(costs, field):
    return statistics.median(getattr(c, field) for c in costs)


def spread(costs):
    times = [c.seconds for c in costs]
    return f"{min(times):.2f}-{max(times):.2f}"


def row(name, costs, base=None, limit=""):
    wall = median(costs, "seconds")
    ratio = f"{wall / median(base, 'seconds'):.2f}" if base else ""
    return (f"| {name} | {wall:.2f} | {spread(costs)} | {median(costs, 'user') + median(costs, 'system'):.2f} | "
            f"{max(c.peak for c in costs) / MIB:.1f} | {ratio} | {limit} |")


def table(bench, found, where):
    puts = sum(r.method in ("PUT", "POST", "PATCH") for r in bench.second)
    per = len(bench.second) / bench.documents
    written = median(found["export"], "written")
    # A tmpfs has no storage below it, so there the kernel counts no byte as written.
    share = f"{written:,.0f} bytes ({written / bench.size:.4f} of the bundle)" if written else "not counted on a tmpfs"
    return "\n".join([
        f"### {where}", "",
        f"{IMAGES} images, {len(bench.blobs)} blobs, {bench.total:,} bytes; the bundle has {bench.size:,}. "
        f"`-j {JOBS}`, {bench.runs} runs.", "",
        "| what | wall, s (median) | all runs | processor, s | peak memory, MiB | ratio | allowed |",
        "|---|---|---|---|---|---|---|",
        row("floor: fetch, hash, write, sync", found["floor"]),
        row("`sealift export`", found["export"], found["floor"], "1.3"),
        row("`openssl dgst` and `curl -T`", found["curl"]),
        row("`sealift push`, empty registry", found["push"], found["curl"], "1.3"),
        row("`skopeo copy` and `tar`, for orientation", found["skopeo"], found["floor"]), "",
        f"Written by export: {share}. Second push: {len(bench.second)} requests for {bench.documents} manifests "
        f"({per:.1f} each; 3 allowed), {puts} of them PUT, POST or PATCH (0 allowed).", ""])


def machine():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) / MIB
    return f"{len(names)} x {names[0] if names else platform.machine()}, {memory:.0f} GiB, Linux {platform.release()}"


def has_room(folder, megabytes):
    """Room for the vendor's images, a bundle, the customer's images, and some more."""
    os.makedirs(folder, exist_ok=True)
    if shutil.disk_usage(folder).free >= megabytes * 4_000_000:
        return True
    print(f"bench: {folder} has not the room for {4 * megabytes} MB; left out", flush=True)
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", default=os.path.join(root(), "build", "bench"))
    parser.add_argument("--memory-folder", default="/dev/shm", help="a tmpfs; left out when it has not the room")
    parser.add_argument("-o", "--output", default=os.path.join(root(), "docs", "PERFORMANCE.md"))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    command = "make bench" if len(sys.argv) == 1 else " ".join(["tests/bench/bench.py", *sys.argv[1:]])
    parts = ["# Performance", "",
             "Both sides of a ratio were measured in one run, in turn, on one machine. The registry is Debian's",
             "docker-registry on the loopback interface, anonymous and without TLS. The floor is",
             "`tests/bench/floor.c`: the same bytes fetched, hashed, written and synced by as many threads.", "",
             f"    {command}", "", f"Machine: {machine()}. {time.strftime('%Y-%m-%d')}.", ""]
    for where, folder in (("On disk", options.folder), ("In memory (tmpfs)", options.memory_folder)):
        if not has_room(folder, options.megabytes):
            continue
        bench = Bench(os.path.join(folder, "sealift-bench"), options.megabytes, options.runs)
        try:
            parts.append(table(bench, bench.measure(), where))
        finally:
            bench.close()
            processes.stop_all()
    report = "\n".join(parts)
    print(report)
    with open(options.output, "w") as f:
        f.write(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
