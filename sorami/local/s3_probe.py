"""Signed requests to the bucket: the keys work, the bucket is there, or it is made."""

import asyncio
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Bucket:
    """A bucket on an S3 server of this machine (plain HTTP, path style)."""

    host: str
    port: int
    name: str
    region: str
    access_key: str
    secret_key: str

    async def is_there(self) -> bool:
        """Makes it when the server says that it is missing; False while the server does not answer."""
        status = await self._send("HEAD")
        if status == 404:
            status = await self._send("PUT")
        return status == 200

    async def _send(self, method: str, within: float = 3.0) -> int:
        host = f"{self.host}:{self.port}"
        headers = self._signed(method, host, datetime.now(UTC))
        lines = [f"{method} /{self.name} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        request = "\r\n".join([*lines, "content-length: 0", "connection: close", "", ""])
        try:
            async with asyncio.timeout(within):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                try:
                    writer.write(request.encode())
                    status_line = await reader.readline()
                finally:
                    writer.close()
            return int(status_line.split()[1])
        except (OSError, TimeoutError, IndexError, ValueError):
            return 0

    def _signed(self, method: str, host: str, now: datetime) -> dict[str, str]:
        """AWS Signature Version 4 of a request without body or query."""
        at, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        headers = {"host": host, "x-amz-content-sha256": EMPTY, "x-amz-date": at}
        names = ";".join(headers)
        canonical = "\n".join(
            [
                method,
                f"/{self.name}",
                "",
                *(f"{name}:{value}" for name, value in headers.items()),
                "",
                names,
                EMPTY,
            ]
        )
        scope = f"{day}/{self.region}/s3/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = f"AWS4{self.secret_key}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}".encode(), "sha256").hexdigest()
        credential = f"Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**headers, "authorization": f"AWS4-HMAC-SHA256 {credential}"}
