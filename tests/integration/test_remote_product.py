"""The running product with providers behind it: settings alone enable them, in the gateway and the generator."""

import pytest

from tests.support.product import Product
from tests.support.running import Painters


@pytest.mark.parametrize(("provider", "model"), [("openai", "gpt-image-2"), ("fal", "fal-ai/flux/dev")])
async def test_a_picture_that_another_renders_reaches_its_user(
    product: Product, painters: Painters, provider: str, model: str
) -> None:
    person = product.person()
    paid = len(getattr(painters, provider).ledger.paid)
    job_id = await person.ask(model=model)
    frames = await person.ended(job_id)
    assert frames[-1].data["status"] == "COMPLETED", frames[-1].data
    shown = [frame.data["progress"] for frame in frames]
    assert shown == sorted(shown)
    result = (await person.http.get(f"/api/images/{job_id}/result")).json()
    (image,) = result["images"]
    assert image["thumbnails"] is not None
    served = await person.http.get(image["fileUrl"], follow_redirects=True)
    assert served.content.startswith(b"\x89PNG")
    assert await product.object_keys(f"images/{job_id}/image_1.png")
    assert len(getattr(painters, provider).ledger.paid) == paid + 1
    attempt = await product.until(
        "SELECT provider, step, outcome FROM sorami.operations WHERE job_id = $1 AND closed_at IS NOT NULL", job_id
    )
    assert tuple(attempt) == (provider, "reported", "completed")


async def test_the_gateway_lists_what_the_settings_enable(product: Product) -> None:
    models = {model["id"]: model for model in (await product.person().http.get("/api/models")).json()["models"]}
    assert models["gpt-image-2"]["provider"] == "openai"
    assert models["fal-ai/flux/dev"]["input_image"]
