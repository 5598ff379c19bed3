"""Object addresses signed for minutes (SigV4), made without a client or a request."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from services.runtime.settings import ObjectSettings

LIFETIME_SECONDS = 600
"""Ten minutes: long enough for a slow download to begin, below the fifteen that nothing here may exceed."""


class UrlSigner:
    """Signs GET addresses of objects for whoever reaches the public endpoint."""

    def __init__(self, settings: ObjectSettings, credentials: Callable[[], Any]) -> None:
        self._region = settings.s3_region
        self._credentials = credentials
        endpoint = settings.s3_public_endpoint_url or settings.s3_endpoint_url
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
