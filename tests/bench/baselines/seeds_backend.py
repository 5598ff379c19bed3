"""The seeds' Flask backend with a generation that takes no time: three calls of progress, one of the end.

Run by gunicorn with sixteen threads; it works in sixteen more, and calls by `requests.post` as the seeds do.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from flask import Flask, request

WEBHOOK_URL = os.environ["WEBHOOK_URL"]
HEADERS = {"X-Webhook-Secret": os.environ["WEBHOOK_SECRET"]}
STEPS = (("initializing", 25), ("generating", 60), ("saving", 90)) if os.environ["STEPS"] == "3" else ()

app = Flask(__name__)
_pool = ThreadPoolExecutor(16)


def _run(job_id: str, prompt: str) -> None:
    for status, percent in STEPS:
        body = {"job_id": job_id, "status": status, "message": "Génération en cours...", "progress": percent}
        requests.post(WEBHOOK_URL, json=body, headers=HEADERS)
    path = f"images/{job_id}/image_1.png"
    image = {"file_path": path, "url": f"https://s3.amazonaws.com/bucket/{path}", "description": prompt}
    image |= {"format": "PNG", "size_bytes": 524288, "dimensions": "1024x1024"}
    data = {"job_id": job_id, "images": [image], "metadata": {"model_name": "instant", "version": "1.0"}}
    requests.post(WEBHOOK_URL, json={"job_id": job_id, "status": "completed", "data": data}, headers=HEADERS)


@app.post("/api/images/generate")
def generate() -> dict[str, Any]:
    wanted = request.get_json()
    _pool.submit(_run, wanted["job_id"], wanted["prompt"])
    return {"job_id": wanted["job_id"], "status": "PENDING"}
