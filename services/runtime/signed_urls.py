"""Object addresses and upload forms signed for minutes (SigV4), made without a client or a request."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from services.runtime.settings import ObjectSettings

LIFETIME_SECONDS = 600
"""Ten minutes: long enough for a slow download to begin, below the fifteen that nothing here may exceed."""


UPLOAD_SECONDS = 300
"""Five minutes to begin an upload, which no signed write may exceed."""


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What a browser or a script sends as multipart/form-data to `url`: the fields in order, then the file."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


class UrlSigner:
    """Signs addresses of objects for whoever reaches the public endpoint, or (`inside`) for this process itself."""

    def __init__(self, settings: ObjectSettings, credentials: Callable[[], Any], *, inside: bool = False) -> None:
        self._region = settings.s3_region
        self._bucket = settings.s3_bucket
        self._credentials = credentials
        public = None if inside else settings.s3_public_endpoint_url
        endpoint = public or settings.s3_endpoint_url
        if endpoint:
            self._base = f"{endpoint.rstrip('/')}/{settings.s3_bucket}"
        else:
            self._base = f"https://{settings.s3_bucket}.s3.{self._region}.amazonaws.com"
        self.origin = "/".join(self._base.split("/")[:3])

    def sign(self, key: str, *, content_type: str, filename: str, attachment: bool = False) -> str:
        """Return an address that shows the object with a fixed type and name, or saves it under that name."""
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        way = "attachment" if attachment else "inline"
        query = urlencode(
            {
                "response-content-type": content_type,
                "response-content-disposition": f"{way}; filename*=UTF-8''{quote(filename)}",
            },
            quote_via=quote,
        )
        request = AWSRequest("GET", f"{self._base}/{quote(key)}?{query}")
        S3SigV4QueryAuth(self._credentials(), "s3", self._region, expires=LIFETIME_SECONDS).add_auth(request)
        return str(request.url)

    def sign_call(self, method: str, key: str) -> str:
        """Return an address for one call (GET, HEAD or DELETE) that is made at once."""
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method, f"{self._base}/{quote(key)}")
        S3SigV4QueryAuth(self._credentials(), "s3", self._region, expires=60).add_auth(request)
        return str(request.url)

    def sign_upload(self, key: str, *, content_type: str, size_bytes: int, sha256: str) -> UploadForm:
        """Return a form that uploads exactly this object: its key, type, size and checksum are conditions."""
        credentials = self._credentials()
        now = datetime.now(UTC)
        day = now.strftime("%Y%m%d")
        scope = f"{day}/{self._region}/s3/aws4_request"
        fields = {
            "key": key,
            "Content-Type": content_type,
            "success_action_status": "201",
            "x-amz-checksum-algorithm": "SHA256",
            "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(sha256)).decode(),
            "x-amz-algorithm": "AWS4-HMAC-SHA256",
            "x-amz-credential": f"{credentials.access_key}/{scope}",
            "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
        }
        if credentials.token:
            fields["x-amz-security-token"] = credentials.token
        expires_at = now + timedelta(seconds=UPLOAD_SECONDS)
        conditions: list[Any] = [{"bucket": self._bucket}, ["content-length-range", size_bytes, size_bytes]]
        conditions += [{name: value} for name, value in fields.items()]
        expiration = expires_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        policy = base64.b64encode(json.dumps({"expiration": expiration, "conditions": conditions}).encode()).decode()
        secret = f"AWS4{credentials.secret_key}".encode()
        for part in (day, self._region, "s3", "aws4_request"):
            secret = hmac.digest(secret, part.encode(), "sha256")
        fields["policy"] = policy
        fields["x-amz-signature"] = hmac.digest(secret, policy.encode(), "sha256").hex()
        return UploadForm(self._base, fields, expires_at)


def credentials_of(settings: ObjectSettings) -> Callable[[], Any]:
    """Return where credentials come from: the settings, else whatever the machine's AWS configuration offers."""
    from botocore.credentials import Credentials

    key_id, secret, token = (
        settings.aws_access_key_id,
        settings.aws_secret_access_key,
        settings.aws_session_token,
    )
    if key_id and secret:
        fixed = Credentials(
            key_id.get_secret_value(), secret.get_secret_value(), token.get_secret_value() if token else None
        )
        return lambda: fixed
    from botocore.session import get_session

    session = get_session()
    return lambda: session.get_credentials().get_frozen_credentials()
