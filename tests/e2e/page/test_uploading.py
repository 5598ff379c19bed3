"""A script of our page sends a picture straight to the bucket: its rules and the bucket's let it."""

from tests.e2e.page.visit import Visit

SEND = """async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 30 });
    canvas.getContext("2d").fillRect(0, 0, 20, 30);
    const file = await new Promise((done) => canvas.toBlob(done, "image/png"));
    const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    const sha256 = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const begun = await fetch("/api/uploads", {
        method: "POST", headers: { "content-type": "application/json" },
        body: JSON.stringify({ content_type: file.type, size_bytes: file.size, sha256 }),
    });
    const { upload_id, url, fields } = await begun.json();
    const form = new FormData();
    Object.entries(fields).forEach(([name, value]) => form.append(name, value));
    form.append("file", file);
    const sent = await fetch(url, { method: "POST", body: form });
    const complete = await fetch(`/api/uploads/${upload_id}/complete`, { method: "POST" });
    return [begun.status, sent.status, (await complete.json()).state];
}"""


async def test_a_picture_goes_from_the_page_to_the_bucket(visit: Visit) -> None:
    assert await visit.page.evaluate(SEND) == [201, 201, "ready"]
