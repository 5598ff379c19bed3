"""The seeds' Flask backend, put together from their documents: what it reads, answers and posts is theirs.

A prompt that begins with `avant` is handled as before 23 October 2025: the backend ignores our `job_id`.
"""

import os
import sys
import threading
import uuid
from datetime import datetime

import requests
from flask import Flask, jsonify, request

app = Flask(__name__)

WEBHOOK_URL = os.environ["WEBHOOK_URL"]
WEBHOOK_SECRET = os.environ["WEBHOOK_SECRET"]


def send_webhook(url, payload):
    print(f"📡 Envoi du webhook pour le job {payload['job_id']} vers {url}", flush=True)
    response = requests.post(url, json=payload, headers={"X-Webhook-Secret": WEBHOOK_SECRET})
    if response.status_code == 200:
        print(f"✅ Webhook envoyé avec succès (status {response.status_code})", flush=True)


def progress(url, job_id, status, message, percent):
    send_webhook(
        url,
        {
            "job_id": job_id,
            "status": status,
            "timestamp": datetime.now().isoformat(),
            "message": message,
            "progress": percent,
        },
    )


def run_job(url, kind, job_id, user_id, prompt, count):
    progress(url, job_id, "initializing", "Initialisation du modèle...", 25)
    progress(url, job_id, "generating", "Génération en cours...", 60)
    progress(url, job_id, "saving", "Enregistrement des images...", 90)
    if prompt.startswith("échec"):
        send_webhook(
            url,
            {
                "job_id": job_id,
                "status": "failed",
                "timestamp": datetime.now().isoformat(),
                "error_message": "Erreur lors de la génération: Quota API dépassé",
                "message": "La génération a échoué",
            },
        )
        return
    extension = {"image": "png", "video": "mp4"}[kind]
    generated = [
        {
            "file_path": f"{kind}s/{job_id}/{kind}_{number}.{extension}",
            "url": f"https://s3.amazonaws.com/bucket/{kind}s/{job_id}/{kind}_{number}.{extension}",
            "description": prompt,
            "format": extension.upper(),
            "size_bytes": 524288,
            "dimensions": "1024x1024",
        }
        for number in range(1, count + 1)
    ]
    webhook_payload = {
        "job_id": job_id,
        "status": "completed",
        "timestamp": datetime.now().isoformat(),
        "environment": os.getenv("ENVIRONMENT", "development"),
        "data": {
            "job_id": job_id,
            f"{kind}s": generated,
            "metadata": {
                "model_name": "gemini-2.5-flash-image",
                "version": "1.0",
                "generation_time_seconds": 12.5,
            },
            "status": "completed",
            "generated_at": datetime.now().isoformat(),
        },
    }
    send_webhook(url, webhook_payload)


def accept(url, kind, count_field):
    data = request.json
    prompt = data.get("prompt")
    job_id = None if prompt.startswith("avant") else data.get("job_id")
    job_id = job_id or str(uuid.uuid4())
    user_id = data.get("user_id")
    print(f"reçu {kind} {data}", flush=True)
    args = (url, kind, job_id, user_id, prompt, data.get(count_field, 1))
    threading.Timer(0.05, run_job, args).start()
    return jsonify({"job_id": job_id, "status": "PENDING"})


@app.route("/api/images/generate", methods=["POST"])
def generate_images():
    return accept(WEBHOOK_URL, "image", "num_images")


@app.route("/api/videos/generate", methods=["POST"])
def generate_videos():
    return accept(WEBHOOK_URL.replace("image-completion", "video-completion"), "video", "num_videos")


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]))
