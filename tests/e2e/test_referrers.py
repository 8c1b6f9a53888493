"""What refers to an image goes with it: signatures, SBOMs, attestations (PROTOCOL 10)."""

import json
import os
import subprocess

import pytest

from support.artifacts import BUNDLE, artifact, cosign, cosign_tag, fallback_tag, index_of, manifest
from support.carry import HOST, QUICK, Carrier, blobs, carries, member
from support.images import OCI_INDEX, OCI_MANIFEST, blob, image, index, layer
from support.scripted import Answer, Scripted, error, headers, html, redirect, say

SMALL, LARGE = layer("small", 5_000), layer("large", 60_000)
APP = image([SMALL, LARGE])
SBOM = artifact("application/spdx+json", [b'{"spdx":1}'], subject=APP, notes={"made.by": 'a "tool"\n'})
SIGNED = artifact(BUNDLE, [b"signature of the SBOM"], subject=SBOM)
SIGNATURE = cosign(APP)


@pytest.fixture
def carrier(sealift, keys, tmp_path):
    return Carrier(sealift, keys.ed25519, tmp_path)


def fill(server, *listed, tags=None, what=APP):
    """The image, what the registry lists for it, and what has a tag of its own."""
    server.store("team/app", "1.0", what)
    for one in listed:
        server.store("team/app", one.digest, one)
    for tag, one in (tags or {}).items():
        server.store("team/app", tag, one)


def referrers(bundle, at=0):
    """[(digest, artifactType, via)] of an image in a bundle."""
    image = json.loads(member(bundle, "bundle/inventory.json"))["images"][at]
    return [(r["digest"], r["artifactType"], r["via"]) for r in image["referrers"]]


def exported(carrier, server, *more):
    result = carrier.export(server, *more)
    assert result.rc == 0, result
    return result


def pushed(carrier, server, *more):
    result = carrier.push(server, carrier.bundle, *more)
    assert result.rc == 0, result
    return result


WORD = "application/spdx+json"


@pytest.mark.fault("F-REF")
@pytest.mark.cell("referrers", "Q")
def test_RFR_01_RULE_1_listed_by_the_registry(carrier):
    with Scripted() as reg:
        reg.referrers = True
        fill(reg, SBOM)
        exported(carrier, reg)
    assert referrers(carrier.bundle) == [(SBOM.digest, WORD, "api")]
    assert carries(carrier.bundle, SBOM) and carries(carrier.bundle, APP)
    assert carrier.program.ok("verify", carrier.bundle, *carrier.keys.trusting())


@pytest.mark.fault("F-REF")
@pytest.mark.cell("referrers", "Q")
@pytest.mark.parametrize("answer", [
    say(404, b"404 page not found"), lambda r, a: error(404, "NOT_FOUND"), say(400), say(401, WWW_Authenticate='Basic realm="x"'),
    say(403), say(405), say(406), say(500), html(), say(200, b"{}", "application/json"),
    say(200, b'{"schemaVersion":2}', OCI_INDEX), say(200, b"nonsense", OCI_INDEX)],
    ids=["404", "404-json", "400", "401", "403", "405", "406", "500", "html", "json", "no-index", "nonsense"])
def test_RFR_01_anything_but_a_list_means_the_fallback_tag(carrier, answer):
    with Scripted() as reg:
        fill(reg, tags={fallback_tag(APP): index_of([SBOM])})
        reg.on("GET", "/referrers/", answer)
        exported(carrier, reg)
        assert referrers(carrier.bundle) == [(SBOM.digest, WORD, "tag:" + fallback_tag(APP))]
        assert len(reg.asked("GET", "/referrers/")) <= 3


@pytest.mark.fault("F-REF")
@pytest.mark.cell("referrers", "Q")
def test_RFR_01_sent_to_another_host(carrier):
    """GHCR leads to its web pages, which are asked once and not believed."""
    with Scripted() as reg, Scripted() as web:
        web.referrers = True
        fill(web, artifact("a/b", [b"x"], subject=APP))
        fill(reg, tags={fallback_tag(APP): index_of([SBOM])})
        reg.on("GET", "/referrers/", redirect(303, lambda r: web.url + r.target))
        web.on("*", "", say(429, b"slow down", Retry_After="300"))
        exported(carrier, reg)
        assert [d for d, _, _ in referrers(carrier.bundle)] == [SBOM.digest]


@pytest.mark.fault("F-REF")
@pytest.mark.cell("referrers", "Q")
@pytest.mark.parametrize("status", [429, 503])
def test_RFR_01_a_registry_that_is_busy_is_asked_again(carrier, status):
    with Scripted() as reg:
        reg.referrers = True
        fill(reg, SBOM)
        reg.on("GET", "/referrers/", say(status), times=2)
        exported(carrier, reg)
        assert [d for d, _, _ in referrers(carrier.bundle)] == [SBOM.digest]


def paged(entries, link):
    """Each entry on a page of its own; link gives the Link header of the page after."""
    def rule(request, answer):
        at = int(request.query.get("page", ["0"])[0])
        where = f"{request.path}?page={at + 1}"
        more = {"Link": link(where)} if at + 1 < len(entries) else {}
        return Answer(200, {"Content-Type": OCI_INDEX, **more}, index_of([entries[at]]).top.data)
    return rule


@pytest.mark.fault("F-LINK")
@pytest.mark.parametrize("link", [
    lambda w: f'<{w}>; rel="next"', lambda w: f"<{w}>; rel=next", lambda w: f"<{w}>", lambda w: f'<{w}>;REL="prev next"',
    lambda w: f'</elsewhere>; rel="prev", <{w}>; title="a, b; rel=x"; rel="next"',
    lambda w: f'<http://127.0.0.1{w}>; rel="next"', lambda w: f"<?{w.partition('?')[2]}>; rel=next"],
    ids=["quoted", "bare", "no-rel", "two-rels", "several", "port-lost", "relative"])
def test_RFR_02_pages(carrier, link):
    more = [artifact("a/b", [b"%d" % i], subject=APP) for i in range(4)]
    with Scripted() as reg:
        fill(reg, *more)
        reg.on("GET", "/referrers/" + APP.digest, paged([more[0], *more], link))
        exported(carrier, reg)
    assert [d for d, _, _ in referrers(carrier.bundle)] == sorted(m.digest for m in more)


@pytest.mark.fault("F-LINK")
def test_RFR_02_pages_of_another_host_are_not_asked_for(carrier):
    with Scripted() as reg, Scripted() as other:
        fill(reg, SBOM, SIGNED)
        reg.on("GET", "/referrers/" + APP.digest, paged([SBOM, SIGNED], lambda w: f'<http://localhost:{other.port}{w}>; rel="next"'))
        exported(carrier, reg)
        assert not other.journal
    assert [d for d, _, _ in referrers(carrier.bundle)][:1] == [SBOM.digest]


@pytest.mark.fault("F-LINK")
def test_RFR_02_pages_that_go_round(carrier):
    with Scripted() as reg:
        fill(reg, SBOM)
        reg.on("GET", "/referrers/" + APP.digest, lambda r, a: Answer(
            200, {"Content-Type": OCI_INDEX, "Link": f'<{r.path}?page={"b" if "page=a" in r.target else "a"}>; rel="next"'},
            index_of([SBOM]).top.data))
        exported(carrier, reg)
        assert len(reg.asked("GET", "/referrers/" + APP.digest)) == 3
    assert [d for d, _, _ in referrers(carrier.bundle)] == [SBOM.digest]


def test_RFR_03_no_filter_is_asked_for_and_every_type_is_taken(carrier):
    kinds = ["application/spdx+json", BUNDLE, "x/y"]
    these = [artifact(kind, [b"x"], subject=APP) for kind in kinds]
    with Scripted() as reg:
        reg.referrers = True
        fill(reg, *these)
        reg.on("GET", "/referrers/", headers(OCI_Filters_Applied="artifactType"))
        exported(carrier, reg)
        assert all("artifactType" not in r.target for r in reg.journal)
    assert sorted(kind for _, kind, _ in referrers(carrier.bundle)) == sorted(kinds)


@pytest.mark.fault("F-REF")
def test_RFR_04_the_tag_gives_the_image_itself(carrier):
    """GitLab resolves sha256-… to the image."""
    what = index([APP, image([SMALL], "linux/arm64")])
    with Scripted() as reg:
        fill(reg, what=what, tags={fallback_tag(what): what})
        exported(carrier, reg)
    assert referrers(carrier.bundle) == []


@pytest.mark.fault("F-REF")
@pytest.mark.parametrize("entry", [
    artifact("a/b", [b"x"], subject=SBOM), artifact("a/b", [b"x"]), manifest(
        APP.top.data[:-1] + b',"subject":null}', APP.blobs)],
    ids=["another-subject", "no-subject", "null"])
@pytest.mark.parametrize("by", ["api", "tag"])
def test_RFR_04_what_does_not_refer_to_it(carrier, entry, by):
    with Scripted() as reg:
        fill(reg, entry, SBOM, tags={fallback_tag(APP): index_of([entry, SBOM])} if by == "tag" else {})
        if by == "api":
            reg.on("GET", "/referrers/" + APP.digest, say(200, index_of([entry, SBOM]).top.data, OCI_INDEX))
        result = exported(carrier, reg)
    assert [d for d, _, _ in referrers(carrier.bundle)] == [SBOM.digest]
    assert entry.digest in result.err and "does not; left out" in result.err


@pytest.mark.fault("F-REF")
def test_RFR_04_what_is_listed_and_gone(carrier):
    with Scripted() as reg:
        fill(reg, tags={fallback_tag(APP): index_of([SBOM])})
        del reg.manifests["team/app", SBOM.digest]
        result = exported(carrier, reg)
    assert referrers(carrier.bundle) == [] and SBOM.digest in result.err


@pytest.mark.fault("F-REF")
def test_RFR_04_entries_without_types_and_a_list_that_is_a_manifest(carrier):
    bare = manifest({"schemaVersion": 2, "manifests": [{"mediaType": OCI_MANIFEST, "digest": SBOM.digest, "size": SBOM.top.size}]},
                    (), (SBOM,), OCI_INDEX)
    with Scripted() as reg:
        fill(reg, tags={fallback_tag(APP): bare, fallback_tag(SBOM): APP})
        exported(carrier, reg)
    assert [d for d, _, _ in referrers(carrier.bundle)] == [SBOM.digest]


@pytest.mark.cell("referrers", "Q")
@pytest.mark.parametrize("lists_tags", [True, False])
def test_RFR_07_RFR_10_cosign_tags_of_the_index_and_each_child(carrier, lists_tags):
    what = index([APP, image([SMALL], "linux/arm64")])
    tags = {cosign_tag(what): cosign(what), cosign_tag(APP, "att"): cosign(APP, b"att"), cosign_tag(APP, "sbom"): SBOM}
    with Scripted() as reg:
        fill(reg, what=what, tags=tags)
        if not lists_tags:
            reg.on("GET", "/tags/list", say(403))
        exported(carrier, reg)
        asked = [r.path.rsplit("/", 1)[1] for r in reg.asked("GET", "/manifests/sha256-")]
        assert set(tags) <= set(asked) and (len(asked) == len(tags)) == lists_tags
        assert len(reg.asked("GET", "/tags/list")) == 1
    found = referrers(carrier.bundle)
    assert {(d, via) for d, _, via in found} == {(t.digest, "tag:" + tag) for tag, t in tags.items()}


@pytest.mark.cell("referrers", "Q")
def test_RFR_10_tags_are_listed_once_for_all_images_of_a_repository(carrier, tmp_path):
    others = [image([layer(f"other-{i}", 2_000)]) for i in range(5)]
    names = [f"{HOST}/team/app:{i}" for i in range(5)]
    (tmp_path / "list").write_text("\n".join(names))
    with Scripted() as reg:
        for i, other in enumerate(others):
            fill(reg, tags={str(i): other, cosign_tag(other): cosign(other)})
        exported(carrier, reg, "--images", tmp_path / "list")
        assert len(reg.asked("GET", "/tags/list")) == 1
        assert len(reg.asked("GET", "/referrers/")) <= 6, "a registry without the list is not asked on and on"
        assert not reg.asked("HEAD"), "no storm"


@pytest.mark.cell("referrers", "Q")
def test_RFR_08_three_deep_and_no_deeper(carrier):
    chain = [APP]
    for depth in range(5):
        chain.append(artifact(BUNDLE, [b"%d" % depth], subject=chain[-1]))
    for by_api in (True, False):
        with Scripted() as reg:
            reg.referrers = by_api
            fill(reg, *chain[1:], tags={} if by_api else {fallback_tag(a): index_of([b]) for a, b in zip(chain, chain[1:])})
            exported(carrier, reg)
        assert [d for d, _, _ in referrers(carrier.bundle)] == [c.digest for c in chain[1:4]]
        os.remove(carrier.bundle)


@pytest.mark.cell("referrers", "Q")
def test_RFR_08_an_index_that_refers(carrier):
    inner = image([SMALL], "linux/arm64")
    attestations = manifest({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [inner.top.descriptor()],
                             "artifactType": "x/y", "subject": APP.top.descriptor()}, (), (inner,), OCI_INDEX)
    with Scripted() as reg, Scripted() as target:
        reg.referrers = target.referrers = True
        fill(reg, attestations)
        exported(carrier, reg)
        pushed(carrier, target)
        assert target.manifests["apps/team/app", attestations.digest].data == attestations.top.data
    assert carries(carrier.bundle, attestations)


def test_no_referrers_at_export(carrier):
    with Scripted() as reg:
        reg.referrers = True
        fill(reg, SBOM, tags={cosign_tag(APP): SIGNATURE})
        exported(carrier, reg, "--no-referrers")
        assert not reg.asked("GET", "/referrers/|/tags/list|/sha256-")
        plan = carrier.plan(reg, "--no-referrers")
        assert plan.rc == 0 and not reg.asked("GET", "/referrers/")
    assert referrers(carrier.bundle) == [] and SBOM.digest not in blobs(carrier.bundle)


def test_RFR_09_one_platform_has_its_own_referrers_only(carrier):
    arm = image([SMALL], "linux/arm64")
    what = index([APP, arm])
    of_index, of_arm = (artifact("a/b", [b"x"], subject=s) for s in (what, arm))
    with Scripted() as reg:
        reg.referrers = True
        fill(reg, SBOM, of_index, of_arm, what=what)
        exported(carrier, reg, "--platform", "linux/arm64")
    assert [d for d, _, _ in referrers(carrier.bundle)] == [of_arm.digest]


def test_the_order_of_a_list_changes_no_byte(carrier):
    these = [artifact("a/b", [b"%d" % i], subject=APP) for i in range(6)]
    found = []
    for turn in (these, these[::-1]):
        with Scripted() as reg:
            fill(reg, *these)
            reg.on("GET", "/referrers/" + APP.digest, say(200, index_of(turn).top.data, OCI_INDEX))
            exported(carrier, reg)
        found.append(referrers(carrier.bundle))
        os.remove(carrier.bundle)
    assert found[0] == found[1] and len(found[0]) == 6


def test_an_interrupted_export_keeps_the_referrers_it_had(carrier):
    later = artifact("a/b", [b"later"], subject=APP)
    with Scripted() as reg:
        reg.referrers = True
        fill(reg, SBOM)
        reg.on("GET", LARGE.digest, say(503))
        assert carrier.export(reg).rc == 5
        reg.rules.clear()
        fill(reg, later)
        exported(carrier, reg)
    assert [d for d, _, _ in referrers(carrier.bundle)] == [SBOM.digest]


def test_too_many(carrier):
    entries = [blob(b"%d" % i, OCI_MANIFEST) for i in range(1100)]
    with Scripted() as reg:
        fill(reg)
        listed = manifest({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [e.descriptor() for e in entries]}, (), (), OCI_INDEX)
        reg.on("GET", "/referrers/" + APP.digest, say(200, listed.top.data, OCI_INDEX))
        def made(request, answer):
            digest = request.path.rsplit("/", 1)[1]
            return answer() if answer().status == 200 else error(404, "MANIFEST_UNKNOWN")
        reg.on("GET", "/manifests/sha256:", made)
        result = carrier.export(reg)
    assert result.rc == 0 and referrers(carrier.bundle) == []


# --- push ---

def full(carrier):
    """A bundle of the image with an SBOM, its signature and a cosign signature."""
    with Scripted() as reg:
        reg.referrers = True
        fill(reg, SBOM, SIGNED, tags={cosign_tag(APP): SIGNATURE})
        exported(carrier, reg)


def puts(server):
    return [r.path.rsplit("/", 1)[1] for r in server.asked("PUT", "/manifests/")]


@pytest.mark.cell("referrers", "Q")
def test_RFR_05_RFR_06_PSH_01_subject_first_and_listed_by_the_registry(carrier):
    full(carrier)
    with Scripted() as target:
        target.referrers = True
        pushed(carrier, target)
        order = puts(target)
        assert order[0] == "1.0" and order.index(SBOM.digest) < order.index(SIGNED.digest)
        assert sorted(order) == sorted(["1.0", SBOM.digest, SIGNED.digest, cosign_tag(APP)])
        assert target.manifests["apps/team/app", cosign_tag(APP)].data == SIGNATURE.top.data
        assert not target.asked("GET", "/referrers/"), "OCI-Subject said it"
        blobs_done = max(i for i, r in enumerate(target.journal) if r.method == "PUT" and "/blobs/" in r.path)
        assert blobs_done < next(i for i, r in enumerate(target.journal) if r.method == "PUT" and "/manifests/" in r.path)


@pytest.mark.cell("referrers", "Q")
@pytest.mark.parametrize("status", [200, 404])
def test_RFR_05_no_OCI_Subject(carrier, status):
    """A registry that lists is left alone; one that does not gets the fallback tag."""
    full(carrier)
    with Scripted() as target:
        target.referrers = status == 200
        target.on("PUT", "/manifests/", headers(OCI_Subject=None))
        pushed(carrier, target)
        assert (fallback_tag(APP) in target.tags("apps/team/app")) == (status == 404)


def listed_by_tag(server, subject):
    top = server.manifests.get(("apps/team/app", fallback_tag(subject)))
    return top and json.loads(top.data)


@pytest.mark.cell("referrers", "Q")
def test_RFR_05_fallback_tag_is_made(carrier):
    full(carrier)
    with Scripted() as target:
        pushed(carrier, target)
        made = listed_by_tag(target, APP)
        assert made == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [SBOM.top.descriptor(
            artifactType=WORD, annotations={"made.by": 'a "tool"\n'})]}
        assert [m["digest"] for m in listed_by_tag(target, SBOM)["manifests"]] == [SIGNED.digest]


@pytest.mark.cell("referrers", "Q")
def test_RFR_05_RULE_1_what_the_list_has_stays_byte_for_byte(carrier):
    full(carrier)
    theirs = artifact("theirs/x", [b"theirs"], subject=APP)
    text = (b'{ "schemaVersion" : 2,\n "mediaType":"%s", "annotations":{"a":"\\u003c"},\n "manifests" : [ %s ] ,"z":1.0}\n'
            % (OCI_INDEX.encode(), json.dumps(theirs.top.descriptor(), indent=2).encode()))
    with Scripted() as target:
        target.store("apps/team/app", theirs.digest, theirs)
        target.store("apps/team/app", fallback_tag(APP), manifest(text, (), (theirs,), OCI_INDEX))
        pushed(carrier, target)
        now = target.manifests["apps/team/app", fallback_tag(APP)].data
        at = text.rindex(b" ]") + 1
        assert now.startswith(text[:at]) and now.endswith(text[at:])
        assert [m["digest"] for m in json.loads(now)["manifests"]] == [theirs.digest, SBOM.digest]


@pytest.mark.cell("referrers", "Q")
@pytest.mark.parametrize("empty", [b'{"schemaVersion":2,"manifests":[]}', b'{"schemaVersion":2,"manifests":null}'])
def test_RFR_05_an_empty_list(carrier, empty):
    full(carrier)
    with Scripted() as target:
        target.store("apps/team/app", fallback_tag(APP), manifest(empty, (), (), OCI_INDEX))
        pushed(carrier, target)
        assert [m["digest"] for m in listed_by_tag(target, APP)["manifests"]] == [SBOM.digest]


@pytest.mark.cell("referrers", "Q")
def test_RFR_05_somebody_else_adds_at_the_same_time(carrier):
    full(carrier)
    theirs = artifact("theirs/x", [b"theirs"], subject=APP)
    with Scripted() as target:
        target.store("apps/team/app", theirs.digest, theirs)

        def overtaken(request, answer):
            was = answer()
            target.store("apps/team/app", fallback_tag(APP), index_of([theirs]))
            return was
        target.on("PUT", fallback_tag(APP) + "$", overtaken, times=1)
        assert carrier.push(target, carrier.bundle).rc == 0
        assert {m["digest"] for m in listed_by_tag(target, APP)["manifests"]} == {theirs.digest, SBOM.digest}


@pytest.mark.cell("referrers", "Q")
@pytest.mark.cell("push again", "Q")
def test_RFR_05_PSH_19_a_second_push_puts_nothing(carrier):
    full(carrier)
    for lists in (True, False):
        with Scripted() as target:
            target.referrers = lists
            pushed(carrier, target)
            before = len(target.journal)
            pushed_again = carrier.push(target, carrier.bundle)
            assert pushed_again.rc == 0 and "was there" in pushed_again.out
            again = target.journal[before:]
            assert {r.method for r in again} <= {"GET", "HEAD"}
            assert len(again) <= 1 + 3 * 4, "at most three a manifest, and the door"


def test_a_push_that_was_cut_short_lists_them_the_second_time(carrier):
    full(carrier)
    with Scripted() as target:
        target.on("PUT", fallback_tag(APP) + "$", say(503))
        assert carrier.push(target, carrier.bundle).rc == 8
        target.rules.clear()
        pushed(carrier, target)
        assert [m["digest"] for m in listed_by_tag(target, APP)["manifests"]] == [SBOM.digest]


@pytest.mark.parametrize("refusal", [
    lambda r, a: error(400, "TAG_INVALID", "the tag is immutable"), lambda r, a: error(412, "PRECONDITION"), say(409)],
    ids=["ecr", "harbor", "quay"])
def test_RFR_11_a_list_that_does_not_change(carrier, refusal):
    full(carrier)
    with Scripted() as target:
        target.on("PUT", fallback_tag(APP) + "$", refusal)
        result = carrier.push(target, carrier.bundle)
        assert result.rc == 8, result
        assert "not listed" in result.err and fallback_tag(APP)[:20] in result.err
        assert target.manifests["apps/team/app", SBOM.digest] and target.manifests["apps/team/app", cosign_tag(APP)]
        assert listed_by_tag(target, SBOM), "the others are listed all the same"


def test_cosign_tag_of_another_is_not_taken_away(carrier):
    full(carrier)
    theirs = cosign(APP, b"theirs")
    with Scripted() as target:
        target.store("apps/team/app", cosign_tag(APP), theirs)
        result = carrier.push(target, carrier.bundle)
        assert result.rc == 1 and cosign_tag(APP) in result.err and not target.asked("PUT")
        pushed(carrier, target, "--on-existing-tag", "overwrite")
        kept = f"{cosign_tag(APP)}-was-{theirs.digest[7:19]}"
        assert target.manifests["apps/team/app", kept].data == theirs.top.data
        assert target.manifests["apps/team/app", cosign_tag(APP)].data == SIGNATURE.top.data


def test_no_referrers_at_push(carrier):
    full(carrier)
    with Scripted() as target:
        pushed(carrier, target, "--no-referrers")
        assert puts(target) == ["1.0"] and target.tags("apps/team/app") == ["1.0"]


@pytest.mark.cell("referrers", "Q")
def test_RFR_05_out_of_a_pipe(carrier):
    full(carrier)
    with Scripted() as target, subprocess.Popen(["cat", carrier.bundle], stdout=subprocess.PIPE) as pipe:
        with carrier.program.start("push", "-", f"{target.host}/apps", *carrier.keys.trusting(), "--plain-http", *QUICK,
                                   stdin=pipe.stdout) as push:
            assert push.wait(60) == 0, push.stderr.read()
        assert target.manifests["apps/team/app", SIGNED.digest].data == SIGNED.top.data
        assert [m["digest"] for m in listed_by_tag(target, APP)["manifests"]] == [SBOM.digest]


# --- real registries, and skopeo as the judge ---

def raw(server, name):
    user, password = server.login
    done = subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"--creds={user}:{password}",
                           f"docker://{server.host}/{name}"], capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.cell("referrers", "R0", "Q")
def test_RFR_05_RFR_07_real_registries(carrier, make_registry, make_authfile):
    source, target = make_registry({"vendor": "pw"}), make_registry({"customer": "pw"})
    client = source.client()
    for tag, what in {"1.0": APP, SBOM.digest: SBOM, SIGNED.digest: SIGNED, cosign_tag(APP): SIGNATURE,
                      fallback_tag(APP): index_of([SBOM]), fallback_tag(SBOM): index_of([SIGNED])}.items():
        for part in what.all_blobs():
            client.put_blob("team/app", part)
        client.put_manifest("team/app", tag, what.top.data, what.top.media_type)
    login = "--authfile", make_authfile(source, target)
    assert carrier.export(source, *login).rc == 0
    assert [d for d, _, _ in referrers(carrier.bundle)] == sorted([SBOM.digest, SIGNATURE.digest]) + [SIGNED.digest]
    assert carrier.push(target, carrier.bundle, *login).rc == 0
    for what, tag in ((APP, "1.0"), (SIGNATURE, cosign_tag(APP))):
        assert raw(target, f"apps/team/app:{tag}") == what.top.data
    for what in (SBOM, SIGNED):
        assert raw(target, f"apps/team/app@{what.digest}") == what.top.data
    listed = json.loads(raw(target, f"apps/team/app:{fallback_tag(APP)}"))
    assert [m["digest"] for m in listed["manifests"]] == [SBOM.digest]
    done = len(target.requests())
    assert carrier.push(target, carrier.bundle, *login).rc == 0
    assert {r.method for r in target.requests(done)} <= {"GET", "HEAD"}


@pytest.mark.parametrize("layers", [1, 7])
def test_requests_of_a_fresh_pull(carrier, make_registry, layers):
    """n layers, the config and the manifest; two more where it is looked for what refers to the image."""
    what = image([layer(f"l{i}", 2_000) for i in range(layers)])
    source = make_registry()
    source.plant("team/app", "1.0", what)
    assert carrier.export(source, "--no-referrers").rc == 0
    assert len(source.requests()) == layers + 2
    done = len(source.requests())
    os.remove(carrier.bundle)
    assert carrier.export(source).rc == 0
    assert len(source.requests(done)) == layers + 4
