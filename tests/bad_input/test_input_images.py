"""Rows U1 to U21: which input images are refused, with which code, and what is left of those that are taken."""

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from contracts.failures import FailureCode
from services.generator.providers.base import ProviderFailed
from services.generator.render_pool import RenderLimits, RenderPool
from services.generator.usecases.read_input import CLEANER, ReadInput
from services.runtime.addresses import AddressRefused
from services.runtime.guarded_http import GuardedFetcher, next_hop
from tests.support import pictures
from tests.support.image_host import Answer, ImageHost, declared, drip, endless, redirect, status, zipped
from tests.support.product import Person, Product

AT_SUBMIT = {
    "U1": ("url_scheme", ["file:///etc/passwd", "gopher://x/", "data:image/png;base64,AA", "ftp://example.org/x.png",
                          "javascript:alert(1)", "//example.org/x.png", "x.png", "/etc/passwd"]),
    "U2": ("url_forbidden_address", [f"http://{host}/x.png" for host in (
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
        "%31%32%37.0.0.1", "localhost", "localhost.")]),
    "U3": ("url_forbidden_address", [f"http://[{host}]/x.png" for host in (
        "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%25eth0", "fec0::1",
        "fd00:ec2::254")]),
    "U4": ("url_forbidden_address", [f"http://{host}/latest/meta-data" for host in (
        "169.254.169.254", "100.100.100.200", "168.63.129.16", "metadata.google.internal")]),
    "U5": ("url_forbidden_address", ["http://kafka:9092/", "http://postgres:5432/", "http://a.b.svc.cluster.local/",
                                     "{S3_ENDPOINT_URL}/sorami/x.png", "{SORAMI_URL}/healthz"]),
    "U8": ("url_malformed", ["http://user:pw@example.org/", "http://good.com\\@evil.org/", "http://exam\tple.org/",
                             "http://example.org/\nx", "http://exa mple.org/"]),
    "U9": ("url_port", [f"http://example.org:{port}/" for port in (22, 25, 6379, 0, 99999)]),
    "U10": ("url_malformed", ["http://" + "a" * 64 + ".org/", "http://a..org/", "http://256.1.1.1/"]),
    "U10 too long": ("url_too_long", ["http://example.org/" + "a" * 2_049]),
}  # fmt: skip
AT_SUBMIT_CASES = [
    pytest.param(url, code, id=f"{row} {url[:40]!a}") for row, (code, urls) in AT_SUBMIT.items() for url in urls
]


@pytest.mark.parametrize(("url", "code"), AT_SUBMIT_CASES)
async def test_an_address_of_a_wrong_form_is_refused_at_once(product: Product, url: str, code: str) -> None:
    for name in ("S3_ENDPOINT_URL", "SORAMI_URL"):
        url = url.replace("{" + name + "}", product.stack.env[name])
    person = product.person("user_of_bad_images")
    answer = await person.http.post("/api/images/generate", json={"prompt": "x", "input_image_url": url})
    body = answer.json()
    assert (answer.status_code, body["code"], body["field"]) == (422, code, "input_image_url")
    assert url not in answer.text


@pytest.mark.parametrize(
    "url", ["upload:nothing", "upload:", "upload:../../x", "upload:\x7f"], ids=lambda u: f"U5 {u!a}"
)
async def test_an_upload_that_is_not_mine_is_unknown(product: Product, url: str) -> None:
    answer = await product.person("user_of_bad_images").http.post(
        "/api/images/generate", json={"prompt": "x", "input_image_url": url}
    )
    assert answer.status_code == 422
    assert answer.json()["code"] in ("upload_unknown", "input_image_url_control_character")


async def test_a_name_in_other_letters_is_kept_as_punycode_u10(product: Product) -> None:
    person = product.person()
    body = {
        "prompt": "x",
        "model": "procedural-1",
        "size": "256x256",
        "input_image_url": "http://\u0430pple.example.org/x.png",
    }
    job_id = await person.ask(**body)
    row = await product.row('SELECT "inputImageUrl" FROM image_generations WHERE id = $1', job_id)
    assert row[0] == "http://xn--pple-43d.example.org/x.png"


class Reader:
    """ReadInput as the generator wires it, with a resolver and a patience of the test's own."""

    def __init__(self, folder: Path, allowed: set[int], resolve: Any = None, renderer: str = CLEANER) -> None:
        pairs = frozenset(("127.0.0.1", port) for port in allowed)
        self.fetcher = GuardedFetcher(pairs, **({"resolve": resolve} if resolve else {}))
        limits = RenderLimits(memory_bytes=1024**3, cpu_seconds=20, wall_seconds=30)
        self.cleaners = RenderPool(1, limits, renderer=renderer, orders_per_child=1)
        nothing = cast(Any, None)
        self.folder = folder
        self._read = ReadInput(nothing, nothing, self.fetcher, self.cleaners, "http://ours.example", seconds=1.0)

    async def __call__(self, url: str) -> Path:
        return await self._read(url, "owner", self.folder)

    async def refusal(self, url: str) -> tuple[FailureCode, str | None, bool]:
        with pytest.raises(ProviderFailed) as refused:
            await self(url)
        failure = refused.value.failure
        return failure.code, failure.reason, failure.retryable

    async def close(self) -> None:
        await self.cleaners.close()
        await self.fetcher.close()


@pytest.fixture
async def reader(image_host: ImageHost, tmp_path: Path) -> AsyncIterator[Reader]:
    reader = Reader(tmp_path, {image_host.port})
    yield reader
    await reader.close()


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([["93.184.216.34"], ["127.0.0.1"]], id="U6 public and then private"),
        pytest.param([["93.184.216.34", "10.0.0.1"]], id="U6 one public and one private"),
        pytest.param([["127.0.0.1"]], id="U6 an alias of localhost"),
        pytest.param([["::ffff:10.0.0.1"]], id="U6 a private address in IPv6"),
    ],
)
async def test_a_name_that_leads_inside_is_not_connected_to(tmp_path: Path, answers: list[list[str]]) -> None:
    left = list(answers)

    async def resolve(host: str, port: int) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    reader = Reader(tmp_path, set(), resolve)
    if len(left) > 1:
        # What was public when it was looked at first does not count: the address is judged when it is connected to.
        assert await resolve("rebound.example.org", 80) == ["93.184.216.34"]
    found = await reader.refusal("http://rebound.example.org/x.png")
    assert found == (FailureCode.INVALID_INPUT, "url_forbidden_address", False)
    await reader.close()


def test_a_redirect_never_leaves_https_u7() -> None:
    assert next_hop("https://example.org/a", "/b") == "https://example.org/b"
    with pytest.raises(AddressRefused) as refused:
        next_hop("https://example.org/a", "http://example.org/b")
    assert refused.value.code == "url_scheme"


def round_and_round(host: ImageHost) -> str:
    address = host.put(pictures.png())
    for _ in range(11):
        address = host.put(redirect(address))
    return address


Prepared = Callable[[ImageHost], str]


def _put(answer: Answer | bytes, **more: str) -> Prepared:
    return lambda host: host.put(answer, **more)


REFUSED_LATER: dict[str, tuple[str, Prepared]] = {
    "U7 redirect inside": ("url_forbidden_address", _put(redirect("http://10.0.0.1/x.png"))),
    "U7 redirect to a file": ("url_scheme", _put(redirect("file:///etc/passwd"))),
    "U7 11 redirects": ("input_image_too_many_redirects", round_and_round),
    "U11 HTML": ("input_image_not_an_image", _put(pictures.HTML, content_type="text/html")),
    "U11 JSON": ("input_image_not_an_image", _put(b"[1, 2]")),
    "U11 nothing": ("input_image_not_an_image", _put(b"")),
    "U11 204": ("input_image_http_204", _put(status(204))),
    "U11 404": ("input_image_http_404", lambda host: f"{host.url}/nothing"),
    "U11 401": ("input_image_http_401", _put(status(401))),
    "U12 10 GB declared": ("input_image_too_large", _put(declared(10 * 2**30))),
    "U12 endless": ("input_image_too_large", _put(endless)),
    "U12 drip": ("input_image_timeout", _put(drip)),
    "U13 gzip": ("input_image_encoding", _put(zipped(b"\x1f\x8b"))),
    "U14 12000 x 12000": ("input_image_too_many_pixels", _put(pictures.png_bomb(12_000))),
    "U14 30000 x 30000": ("input_image_too_many_pixels", _put(pictures.png_bomb(30_000))),
    "U15 APNG of 20,000 frames": ("input_image_animated", _put(pictures.animated_png(20_000))),
    "U15 moving WebP": ("input_image_animated", _put(pictures.animated("WEBP"))),
    "U15 GIF": ("input_image_format_unsupported", _put(pictures.animated("GIF"))),
    "U15 TIFF": ("input_image_format_unsupported", _put(pictures.animated("TIFF"))),
    "U15 a text of 90 MB": ("input_image_corrupt", _put(pictures.texts_png(90_000_000))),
    "U16 SVG": ("input_image_format_unsupported", _put(pictures.SVG)),
    "U16 PDF": ("input_image_format_unsupported", _put(pictures.PDF)),
    "U16 EPS": ("input_image_format_unsupported", _put(pictures.EPS)),
    "U16 HEIC": ("input_image_format_unsupported", _put(pictures.HEIC)),
    "U16 PSD": ("input_image_format_unsupported", _put(pictures.PSD)),
    "U18 PNG cut in its pixels": ("input_image_corrupt", _put(pictures.png()[:-40])),
    "U18 PNG without IEND": ("input_image_corrupt", _put(pictures.png()[:-12])),
    "U18 JPEG cut in half": ("input_image_corrupt", lambda host: host.put(_jpeg()[: len(_jpeg()) // 2])),
    "U18 JPEG without its end": ("input_image_corrupt", lambda host: host.put(_jpeg()[:-2])),
    "U18 WebP cut": ("input_image_corrupt", lambda host: host.put(_webp()[:-30])),
    "U18 PNG with a wrong checksum": ("input_image_corrupt", lambda host: host.put(_wrong_checksum())),
    "U18 only the first bytes": ("input_image_corrupt", _put(pictures.PNG)),
}


def _jpeg() -> bytes:
    return pictures.encoded(pictures.picture(), "JPEG")


def _webp() -> bytes:
    return pictures.encoded(pictures.picture(), "WEBP")


def _wrong_checksum() -> bytes:
    body = bytearray(pictures.png())
    body[-20] ^= 0xFF
    return bytes(body)


@pytest.mark.parametrize("row", REFUSED_LATER)
async def test_what_cannot_be_used_is_refused_with_its_code(image_host: ImageHost, reader: Reader, row: str) -> None:
    reason, prepare = REFUSED_LATER[row]
    assert await reader.refusal(prepare(image_host)) == (FailureCode.INVALID_INPUT, reason, False)


TAKEN: dict[str, tuple[bytes, tuple[int, int], str]] = {
    "U17 polyglot": (pictures.png() + pictures.TAIL, (96, 64), "RGB"),
    "U17 JPEG with a tail": (_jpeg() + pictures.TAIL, (96, 64), "RGB"),
    "U19 EXIF": (pictures.located_jpeg(), (64, 96), "RGB"),
    "U15 texts": (pictures.texts_png(600), (8, 8), "RGB"),
    "U21 1x1": (pictures.png((1, 1)), (1, 1), "RGB"),
    "U21 10000x1": (pictures.png((10_000, 1)), (10_000, 1), "RGB"),
    "U21 CMYK": (pictures.encoded(pictures.picture(mode="CMYK"), "JPEG"), (96, 64), "RGB"),
    "U21 16 bit": (pictures.png(mode="I;16"), (96, 64), "RGB"),
    "U21 palette with alpha": (pictures.png(mode="P+alpha"), (96, 64), "RGBA"),
    "U21 grey with alpha": (pictures.png(mode="LA"), (96, 64), "RGBA"),
    "U21 one bit": (pictures.png(mode="1"), (96, 64), "RGB"),
    "U21 WebP": (_webp(), (96, 64), "RGB"),
}


@pytest.mark.parametrize("row", TAKEN)
async def test_what_is_taken_is_written_anew_and_holds_pixels_only(
    image_host: ImageHost, reader: Reader, row: str
) -> None:
    given, size, mode = TAKEN[row]
    written = (await reader(image_host.put(given))).read_bytes()
    with Image.open(io.BytesIO(written)) as image:
        image.load()
        assert (image.size, image.mode) == (size, mode)
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not image.getexif()
    assert written != given
    assert b"CANARY" not in written


async def test_sixteen_bits_become_eight_and_not_white_u21(image_host: ImageHost, reader: Reader) -> None:
    path = await reader(image_host.put(pictures.png(mode="I;16")))
    with Image.open(path) as image, pictures.picture() as same:
        values = zip(image.convert("L").tobytes(), same.convert("L").tobytes(), strict=True)
        assert max(abs(one - other) for one, other in values) <= 2


@pytest.mark.parametrize("number", ["SIGSEGV", "SIGKILL"], ids=lambda name: f"S25 {name}")
async def test_a_decoder_that_dies_ends_the_job_and_nothing_else(
    image_host: ImageHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    reader = Reader(tmp_path, {image_host.port}, renderer=f"tests.bad_input.dying.{number.lower()}")
    found = await reader.refusal(image_host.put(pictures.png()))
    assert found == (FailureCode.INVALID_INPUT, "input_image_unreadable", False)
    await reader.close()


async def test_a_child_sees_one_strangers_picture_only_s25(image_host: ImageHost, reader: Reader) -> None:
    await reader(image_host.put(pictures.png()))
    first = reader.cleaners.pids
    await reader(image_host.put(pictures.png()))
    assert first == [] == reader.cleaners.pids


async def ended_with(person: Person, url: str) -> dict[str, Any]:
    job_id = await person.ask(model="procedural-1", size="256x256", input_image_url=url)
    data: dict[str, Any] = (await person.ended(job_id))[-1].data
    return data


@pytest.mark.parametrize(
    "row", ["U7 redirect inside", "U11 HTML", "U12 10 GB declared", "U14 12000 x 12000", "U16 SVG"]
)
async def test_a_job_with_a_bad_image_fails_for_a_stated_reason(
    product: Product, image_host: ImageHost, row: str
) -> None:
    reason, prepare = REFUSED_LATER[row]
    last = await ended_with(product.person(), prepare(image_host))
    assert (last["status"], last["failure"]["code"], last["failure"]["reason"]) == ("FAILED", "invalid_input", reason)
    assert last["error_message"] == "L'image de départ ne peut pas être utilisée."


@pytest.mark.parametrize("row", ["U17 polyglot", "U21 10000x1", "U21 CMYK"])
async def test_a_job_with_an_odd_image_is_done(product: Product, image_host: ImageHost, row: str) -> None:
    last = await ended_with(product.person(), image_host.put(TAKEN[row][0]))
    assert last["status"] == "COMPLETED", last["failure"]


async def test_U20_the_bytes_decide_and_not_the_name(product: Product, image_host: ImageHost) -> None:
    address = image_host.put(_jpeg(), name="picture.png", content_type="text/html")
    assert (await ended_with(product.person(), address))["status"] == "COMPLETED"
