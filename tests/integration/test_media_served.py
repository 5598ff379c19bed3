"""How media are served: another origin, a fixed type, signed for minutes, and no signature is kept anywhere."""

from urllib.parse import parse_qs, urlsplit

import httpx

from services.runtime.signed_urls import LIFETIME_SECONDS
from tests.support.product import Person, Product


async def made(person: Person) -> str:
    job_id = await person.ask()
    await person.ended(job_id)
    address: str = (await person.http.get(f"/api/images/{job_id}/result")).json()["images"][0]["fileUrl"]
    return address


async def redirected(address: str) -> httpx.Response:
    async with httpx.AsyncClient() as anybody:
        return await anybody.get(address)


async def test_the_redirect_is_fixed_in_every_way_s26(product: Product) -> None:
    answer = await redirected(await made(product.person()))
    target = urlsplit(answer.headers["location"])
    assert answer.status_code == 302
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert f"{target.scheme}://{target.netloc}" == product.stack.env["S3_ENDPOINT_URL"] != product.url


async def test_html_that_is_called_a_picture_is_served_as_a_picture_s26(product: Product) -> None:
    person = product.person()
    address = await made(person)
    target = (await redirected(address)).headers["location"]
    # The signature covers the type and the name: nobody can ask for another.
    changed = target.replace("image%2Fpng", "text%2Fhtml")
    assert changed != target
    async with httpx.AsyncClient() as anybody:
        served, refused = await anybody.get(target), await anybody.get(changed)
    assert served.headers["content-type"] == "image/png"
    assert served.headers["content-disposition"].startswith("inline; filename*=UTF-8''image_1.png")
    assert refused.status_code == 403


async def test_a_download_is_saved_under_its_name(product: Product) -> None:
    address = await made(product.person())
    async with httpx.AsyncClient(follow_redirects=True) as anybody:
        saved = await anybody.get(address + "?download")
    assert saved.headers["content-disposition"].startswith("attachment; filename*=UTF-8''image_1.png")


async def test_the_signature_is_of_version_4_and_lasts_minutes_s29_s30(product: Product) -> None:
    query = parse_qs(urlsplit((await redirected(await made(product.person()))).headers["location"]).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert int(query["X-Amz-Expires"][0]) == LIFETIME_SECONDS <= 900


async def test_no_signature_is_kept_in_a_row_or_a_log_s33(product: Product) -> None:
    person = product.person()
    await redirected(await made(person))
    await person.http.post("/api/uploads", json={"content_type": "image/png", "size_bytes": 5, "sha256": "0" * 64})
    tables = await product.rows(
        "SELECT table_schema || '.' || quote_ident(table_name) AS name FROM information_schema.tables"
        " WHERE table_schema IN ('public', 'sorami') AND table_type = 'BASE TABLE'"
    )
    for table in tables:
        found = await product.row(f"SELECT count(*) FROM {table['name']} t WHERE t::text ILIKE '%X-Amz-Signature%'")
        assert found[0] == 0, table["name"]
    logs = [path for path in product.stack.home.logs.iterdir() if path.name.startswith(("gateway", "generator"))]
    assert logs
    for log in logs:
        assert "x-amz-signature" not in log.read_text(errors="replace").lower(), log.name


async def test_only_the_token_opens_a_file_s14(product: Product) -> None:
    address = await made(product.person())
    token, name = address.split("/")[-2:]
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "a" * 65, "%00", "..", "image_1"):
        answer = await redirected(f"{product.url}/media/{wrong}/{name}")
        assert answer.status_code == 404, wrong
    async with httpx.AsyncClient() as anybody:
        env = product.stack.env
        assert (await anybody.get(f"{env['S3_ENDPOINT_URL']}/{env['S3_BUCKET']}/?list-type=2")).status_code == 403
