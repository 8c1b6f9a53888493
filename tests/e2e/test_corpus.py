"""R5: hostile tar files and charts (tests/data/hostile), each refused, and for the reason that it must be refused for."""

import hashlib
import os
import subprocess

import pytest

from data.hostile.charts import CHARTS, METADATA
from data.hostile.lies import LIES
from data.hostile.tars import TARS, Tar
from support import images, reader
from support.carry import HOST, Carrier
from support.charts import pack
from support.figures import figure
from support.forge import Forged, Signer, blob
from support.program import Result
from support.scripted import Scripted
from test_charts import Charts, index


@pytest.fixture(scope="module")
def honest(session_sealift, keys, tmp_path_factory):
    """A bundle of two images; its last member is a layer with padding."""
    carrier = Carrier(session_sealift, keys.p256, tmp_path_factory.mktemp("corpus"))
    with Scripted() as server:
        server.store("team/app", "1.0", images.image([images.layer("c1", 3000), images.layer("c2", 4001)]))
        server.store("team/other", "2.0", images.index([images.image([images.layer("c3", 900)], docker=False)]))
        result = carrier.export(server, "--image", f"{HOST}/team/other:2.0")
        assert result.rc == 0, result
    return carrier.bundle


TAR_HEADER = "expected its tar header"


def wrong(result, status, words):
    """What is not as it must be: the status, or a word that the sentence lacks."""
    told = [] if result.rc == status else [f"status {result.rc}"]
    told += [f"no {word!r}" for word in words if word not in result.err]
    return [f"{', '.join(told)}: {result}"] if told else []


def through_a_pipe(sealift, data, *args):
    run = sealift.start(*args, stdin=subprocess.PIPE)
    out, err = run.communicate(data, timeout=60)
    return Result(run.args, run.returncode, out.decode(), err.decode())


def judge(sealift, path, trusting, case, tar):
    """What is wrong with the refusals of one tar: out of a file, out of a pipe, by the second reader."""
    (name, at, _), data = tar.last, case.make(tar)
    where = [name, f"at byte {at}"]
    path.write_bytes(data)
    found = wrong(sealift("verify", path, *trusting), case.status, [*case.because, *(where if case.inside else [])])
    found += wrong(through_a_pipe(sealift, data, "verify", "-", *trusting), case.status,
                   [*(case.stream or case.because), *(where if TAR_HEADER in (case.stream or case.because) else [])])
    if reader.verdict(data, trusting[1]) not in ("untrusted", "damaged"):
        found.append("the second reader believes it")
    return found


def publish(what, found, cases):
    """found: {case: what is wrong with it}"""
    bad = [f"{case}: {text}" for case, texts in found.items() for text in texts]
    figure("R5", what, sum(not texts for texts in found.values()), len(cases), "refused, each for its reason")
    assert len(found) == len(cases) and not bad, "\n".join(bad)


def test_R5_tars_that_say_more_than_the_inventory(honest, keys, sealift, tmp_path):
    found = {case.what: judge(sealift, tmp_path / "b.tar", keys.p256.trusting(), case, Tar(honest)) for case in TARS}
    publish("hostile tar files", found, TARS)
    assert len({case.make(Tar(honest)) for case in TARS}) == len(TARS), "two are the same"


def test_R5_lies_that_a_trusted_key_signed(honest, sealift, tmp_path):
    signer, found = Signer(tmp_path), {}
    for lie in LIES:
        forged = Forged(honest)
        text = lie.tell(forged)
        data = forged.bytes(signer, text)
        (tmp_path / "b.tar").write_bytes(data)
        found[lie.what] = wrong(sealift("verify", "b.tar", *signer.trusting()), lie.status, lie.because)
        if reader.verdict(data, signer.public) != ("newer" if lie.status == 1 else "damaged"):
            found[lie.what].append("the second reader says " + reader.verdict(data, signer.public))
    publish("signed lies", found, LIES)


class ChartDesk:
    """Charts as a repository serves them, under the digest that its index promises, and in signed bundles."""

    def __init__(self, sealift, folder, repository):
        self.sealift, self.signer, self.folder, self.repository = sealift, Signer(folder), folder / "place", repository
        self.folder.mkdir()

    def export(self, data):
        self.repository.files = {"/index.yaml": index(digest=hashlib.sha256(data).hexdigest()), "/app-1.2.3.tgz": data}
        return self.sealift("export", "--chart", "app", "--repo", self.repository.url, "--version", "1.2.3", "--sign-key",
                            self.signer.private, "--no-passphrase", "-o", "b.tar", "--retries", "1", "--no-progress",
                            cwd=self.folder)

    def carry(self, honest, data):
        """Verifies a bundle whose chart is data, and asks it for values."""
        forged = Forged(honest)
        chart, name = forged.inventory["charts"][0], "blobs/" + forged.inventory["charts"][0]["blob"].replace(":", "/")
        at = [n for n, _ in forged.members].index(name)
        forged.members[at] = blob(data)
        chart["blob"] = "sha256:" + hashlib.sha256(data).hexdigest()
        path = forged.write(self.folder / "forged.tar", self.signer)
        result = self.sealift("values", path, "registry.corp", *self.signer.trusting(), "-o", "out.yaml", cwd=self.folder)
        os.unlink(path)
        return result

    def left(self):
        """Sweeps away what a run left; says so."""
        found = sorted(self.folder.iterdir())
        for path in found:
            path.unlink()
        return [f"left {path}" for path in found]


def test_R5_charts(sealift, tmp_path):
    """Out of a repository, and out of a bundle that a trusted key signed; nothing is written."""
    served, carried = {}, {}
    with Charts() as repository:
        desk, honest = ChartDesk(sealift, tmp_path, repository), tmp_path / "honest.tar"
        result = desk.export(pack("app", {"Chart.yaml": METADATA, "values.yaml": b"a: 1\n"}))
        assert result.rc == 0, result
        os.rename(desk.folder / "b.tar", honest)
        for chart in CHARTS:
            data = chart.make()
            served[chart.what] = wrong(desk.export(data), chart.status, ("chart app", *chart.because)) + desk.left()
            if chart.carried:
                carried[chart.what] = wrong(desk.carry(honest, data), 1, ("chart app", *chart.carried)) + desk.left()
    publish("hostile charts out of a repository", served, CHARTS)
    publish("hostile charts out of a signed bundle", carried, [c for c in CHARTS if c.carried])
