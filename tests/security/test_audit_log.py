"""Who ended, deleted or shared something stands in the audit log, in the transaction of the deed (S49)."""

from tests.support.product import Product


async def test_S49_cancelling_deleting_and_sharing_are_noted(product: Product) -> None:
    person = product.person()
    job, other = await person.ask(), await person.ask()
    await person.ended(job)
    await person.ended(other)
    waiting = await person.ask(model="painter-1")
    assert (await person.http.post(f"/api/jobs/{waiting}/cancel")).status_code == 202
    share = (await person.http.post("/api/shares", json={"generation_id": job})).json()["id"]
    assert (await person.http.delete(f"/api/shares/{share}")).status_code == 204
    await person.http.delete(f"/api/gallery/{job}")
    await person.http.delete(f"/api/gallery/{job}")
    await person.http.post(f"/api/gallery/{job}/restore")
    await person.http.post("/api/gallery/delete", json={"ids": [job, other]})

    me = await person.user_id()
    lines = await product.rows("SELECT action, subject, detail FROM sorami.audit_log WHERE actor = $1 ORDER BY id", me)
    assert [(line["action"], line["subject"]) for line in lines] == [
        ("job.cancel_requested", waiting),
        ("share.made", share),
        ("share.ended", share),
        ("generation.deleted", job),
        ("generation.restored", job),
        ("generation.deleted", None),
    ]
    assert job in lines[-1]["detail"]
    assert other in lines[-1]["detail"]


async def test_S49_what_a_stranger_tries_is_no_deed(product: Product) -> None:
    owner, stranger = product.person(), product.person()
    job = await owner.ask()
    await owner.ended(job)
    await stranger.http.delete(f"/api/gallery/{job}")
    await stranger.http.post("/api/shares", json={"generation_id": job})
    me = await stranger.user_id()
    assert await product.rows("SELECT 1 FROM sorami.audit_log WHERE actor = $1", me) == []
