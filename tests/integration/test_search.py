"""Search over prompts: two languages at once, accents, stems and slips, whoever wrote the row and however lately."""

import asyncio

import pytest

from tests.support.library import all_pages, delete, listed, made_by_prisma, minutes
from tests.support.product import Person, Product

PROMPTS = [
    "Un chat roux élégant sur une plage dorée",
    "Des chevaux sauvages générés à l'aquarelle",
    "An arctic fox running through the snowy forests",
    "Un dragon d'or dans la forêt enneigée",
    "A city of glass/steel, cinematic 16:9, v5.1",
    "Un œuf de dinosaure, Noël à l'école",
    "东京 street at night, Москва in the rain",
    "astronaute_sur_la_lune--ar 3:2",
]


@pytest.fixture(scope="module")
async def reader(product: Product) -> Person:
    """Somebody with a few prompts that are all indexed."""
    person = product.person()
    for n, prompt in enumerate(PROMPTS):
        await made_by_prisma(product, person, prompt, "video" if n == 2 else "image", createdAt=minutes(n))
    await product.until(
        "SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.search_pending WHERE owner_id = $1)", await person.user_id()
    )
    return person


async def found(person: Person, q: str, **parameters: str) -> list[str]:
    answer = await person.http.get("/api/gallery", params={"q": q} | parameters)
    assert answer.status_code == 200, answer.text
    return [item["prompt"] for item in answer.json()["generations"]]


@pytest.mark.parametrize(
    ("q", "prompts"),
    [
        ("chat", [0]),
        ("CHATS", [0]),
        ("elegant", [0]),
        ("élégante", [0]),
        ("dorees", [0]),
        ("cheval", [1]),
        ("générer", [1]),
        ("genere", [1]),
        ("aquarelles", [1]),
        ("l’aquarelle", [1]),
        ("fox run", [2]),
        ("forest", [2]),
        ("foret", [3]),
        ("or", [3]),
        ("dragon d'or", [3]),
        ("steel", [4]),
        ("glass city", [4]),
        ("16:9", [4]),
        ("oeuf", [5]),
        ("noel ecole", [5]),
        ("dinosaures", [5]),
        ("москва", [6]),
        ("東京", []),
        ("astronaute lune", [7]),
        ("chat dragon", []),
    ],
)
async def test_words_are_found_in_both_languages(reader: Person, q: str, prompts: list[int]) -> None:
    # Where few are found, what is spelt alike comes after them.
    assert (await found(reader, q))[: max(1, len(prompts))] == [PROMPTS[n] for n in prompts]


@pytest.mark.parametrize(
    ("q", "prompt"),
    [("chta", 0), ("plgae", 0), ("aquarele", 1), ("chevaus", 1), ("forets", 3), ("dinozaure", 5), ("astronote", 7)],
)
async def test_a_slip_of_the_finger_is_forgiven(reader: Person, q: str, prompt: int) -> None:
    assert PROMPTS[prompt] in await found(reader, q)


async def test_a_word_that_is_begun_is_found_when_nothing_else_is(reader: Person) -> None:
    assert await found(reader, "dinosau") == [PROMPTS[5]]


async def test_a_match_is_marked_in_plain_text(product: Product) -> None:
    person = product.person()
    prompt = "<b>Chats</b> & un élégant CHAT"
    await made_by_prisma(product, person, prompt)
    item = (await person.http.get("/api/gallery", params={"q": "chat elegante"})).json()["generations"][0]
    segments = item["match"]["segments"]
    assert "".join(piece["text"] for piece in segments) == prompt
    assert [piece["text"] for piece in segments if piece["match"]] == ["Chats", "élégant", "CHAT"]


async def test_the_very_word_comes_before_its_stem_and_both_before_a_slip(product: Product) -> None:
    person = product.person()
    stem = await made_by_prisma(product, person, "des peintures vives", createdAt=minutes(3))
    word = await made_by_prisma(product, person, "une peinture", createdAt=minutes(1))
    slip = await made_by_prisma(product, person, "la pointure", createdAt=minutes(5))
    await product.until(
        "SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.search_pending WHERE owner_id = $1)", await person.user_id()
    )
    assert await listed(person, q="peinture") == [word, stem, slip]
    assert await listed(person, q="peinture", sort="newest") == [slip, stem, word]


async def test_a_search_keeps_every_filter(product: Product) -> None:
    person = product.person()
    inked = await made_by_prisma(product, person, "un phare", style="ink", createdAt=minutes(0))
    film = await made_by_prisma(product, person, "un phare", "video", createdAt=minutes(1))
    failed = await made_by_prisma(product, person, "un phare", status="FAILED", progress=0, createdAt=minutes(2))
    gone = await made_by_prisma(product, person, "un phare", createdAt=minutes(3))
    await delete(product, person, gone)
    await person.http.put(f"/api/favourites/{film}")
    album = (await person.http.post("/api/albums", json={"name": "A", "items": [inked]})).json()["id"]
    for indexed in (False, True):
        if indexed:
            await product.until(
                "SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.search_pending WHERE owner_id = $1)",
                await person.user_id(),
            )
        assert await listed(person, q="phares") == [film, inked]
        assert await listed(person, q="phare", style="ink") == [inked]
        assert await listed(person, q="phare", kind="video") == [film]
        assert await listed(person, q="phare", status="FAILED") == [failed]
        assert await listed(person, q="phare", favourite="true") == [film]
        assert await listed(person, q="phare", favourite="false") == [inked]
        assert await listed(person, q="phare", album=album) == [inked]
        assert await listed(person, q="phare", deleted="true") == [gone]
        assert await listed(person, q="phare", created_after="2026-05-01T12:01:00Z") == [film]
        assert await listed(person, q="phare", source="api") == []


async def test_pages_of_a_search_have_no_gaps_while_new_ones_come(product: Product) -> None:
    person = product.person()
    made = [await made_by_prisma(product, person, "des vagues", createdAt=minutes(n)) for n in range(7)]
    first = (await person.http.get("/api/gallery", params={"q": "vague", "limit": 3})).json()
    await made_by_prisma(product, person, "des vagues", createdAt=minutes(9))
    rest = (
        await person.http.get("/api/gallery", params={"q": "vague", "limit": 10, "cursor": first["nextCursor"]})
    ).json()
    ids = [item["id"] for item in first["generations"] + rest["generations"]]
    assert ids == made[::-1]
    assert first["search"] == {"total": 7, "allCounted": True, "corrected": False}
    assert len(await all_pages(person, limit=3, q="vague")) == 8


async def test_a_prompt_is_found_at_once_and_by_its_new_words_alone_once_it_changes(product: Product) -> None:
    person = product.person()
    owner = await person.user_id()
    job_id = await person.ask(prompt="une mandarine bleue")
    await person.ended(job_id)
    assert await listed(person, q="mandarines") == [job_id]
    indexed = "SELECT 1 FROM sorami.search_documents WHERE generation_id = $1"
    await product.until(indexed, job_id)
    await product.pool.execute("UPDATE image_generations SET prompt = 'une banquise' WHERE id = $1", job_id)
    assert await listed(person, q="mandarine") == []
    assert await listed(person, q="banquises") == [job_id]
    await product.until(indexed, job_id)
    assert await listed(person, q="banquise") == [job_id]
    await product.pool.execute('DELETE FROM image_files WHERE "generationId" = $1', job_id)
    await product.pool.execute("DELETE FROM image_generations WHERE id = $1", job_id)
    left = await product.row(
        "SELECT (SELECT count(*) FROM sorami.search_documents WHERE owner_id = $1)"
        " + (SELECT count(*) FROM sorami.search_pending WHERE owner_id = $1) AS left",
        owner,
    )
    assert left["left"] == 0


async def test_a_change_while_the_old_words_are_read_is_not_lost(product: Product) -> None:
    person = product.person()
    made = [await made_by_prisma(product, person, "premier texte") for _ in range(20)]

    async def change(generation_id: str) -> None:
        for n in range(10):
            await product.pool.execute(
                "UPDATE image_generations SET prompt = $2 WHERE id = $1", generation_id, f"texte numero{n}"
            )

    await asyncio.gather(*(change(generation_id) for generation_id in made))
    await product.until(
        "SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.search_pending WHERE owner_id = $1)", await person.user_id()
    )
    assert sorted(await listed(person, q="numero9")) == sorted(made)
    assert await listed(person, q="premier") == []


@pytest.mark.parametrize("q", ["' | '", "a:* & !b", "\\", "''''", "chat' OR 1=1 --", "<-> x", "\U0001f431", "%00chat"])
async def test_no_text_is_read_as_an_operator(reader: Person, q: str) -> None:
    answer = await reader.http.get("/api/gallery", params={"q": q})
    assert answer.status_code in (200, 422), answer.text
