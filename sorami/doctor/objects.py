"""The object store: whether a medium can be stored, read and removed with the settings' keys."""

import asyncio
import secrets
from hashlib import sha256

from services.runtime.objects import ObjectMissing, ObjectsUnavailable, open_objects
from services.runtime.settings import ObjectSettings
from sorami.doctor.findings import Finding, bad, ok

PATIENCE = 20.0
FOLDER = "doctor/"
_BODY = b"written by sorami doctor, and removed again"


async def examine_objects(settings: ObjectSettings) -> Finding:
    """Write, read and remove one small object under doctor/."""
    place = f"{settings.s3_endpoint_url or 'AWS'} bucket {settings.s3_bucket}"
    key = f"{FOLDER}{secrets.token_hex(8)}.txt"
    try:
        async with asyncio.timeout(PATIENCE), open_objects(settings, connections=2) as objects:
            await objects.put(key, _BODY, content_type="text/plain", sha256=sha256(_BODY).hexdigest())
            same = await objects.get(key, most_bytes=1_000) == _BODY
            await objects.delete(key)
    except (ObjectsUnavailable, ObjectMissing, TimeoutError) as error:
        return bad("objects", f"{place} does not take an object ({_cause(error)})", _advice(_cause(error)))
    if not same:
        return bad("objects", f"{place} gave back something else than was written", "look after the object store")
    return ok("objects", f"written, read and removed at {place}")


def _cause(error: BaseException) -> str:
    response = getattr(error.__cause__, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or error or type(error).__name__)


def _advice(cause: str) -> str:
    if cause in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403"):
        return "give a key that may read, write and delete there: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"
    if cause in ("NoSuchBucket", "404"):
        return "create the bucket, or correct S3_BUCKET"
    if cause == "RequestTimeTooSkewed":
        return "set this machine's clock by NTP"
    return "is it up, is the address right, may this machine reach it, is its disk full? S3_ENDPOINT_URL, S3_REGION"
