"""One job is one tree of spans, from the request to the webhook, whichever processes it went through."""

import secrets

from tests.support.collector import Collector
from tests.support.product import Product
from tests.support.receiver import Receiver

HOPS = {
    ("sorami-gateway", "POST /api/images/generate"),
    ("sorami-gateway", "publish job.requested"),
    ("sorami-generator", "process job.requested"),
    ("sorami-generator", "work on image"),
    ("sorami-generator", "store an object"),
    ("sorami-generator", "publish job.completed"),
    ("sorami-persistence", "process job.completed"),
    ("sorami-persistence", "publish job.updated"),
    ("sorami-notifier", "process job.updated"),
    ("sorami-notifier", "deliver webhook"),
}


async def test_a_job_is_one_connected_tree(product: Product, collector: Collector, receiver: Receiver) -> None:
    person = product.person()
    trace, caller = secrets.token_hex(16), secrets.token_hex(8)
    secret = "a prompt that no span may hold"
    answer = await person.http.post(
        "/api/images/generate",
        json={"prompt": secret, "model": "instant"},
        headers={"traceparent": f"00-{trace}-{caller}-01"},
    )
    job_id = answer.json()["job_id"]
    await person.ended(job_id)
    await receiver.wait_for(job_id, "completed")

    spans = await collector.until(trace, HOPS)
    known = {span.id for span in spans} | {caller}
    assert [span for span in spans if span.parent not in known] == [], "a span hangs in the air"
    roots = [span.name for span in spans if span.parent == caller]
    assert roots == ["POST /api/images/generate"]
    assert {span.attributes["sorami.key"] for span in spans if span.name in ("work on image", "deliver webhook")} == {
        job_id
    }
    assert secret not in str(spans)
