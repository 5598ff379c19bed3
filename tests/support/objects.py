"""What lies in the bucket, as its own client sees it."""

from collections.abc import Mapping

import aioboto3


async def keys_of(env: Mapping[str, str], prefix: str) -> list[str]:
    """Return the keys that begin with `prefix`."""
    session = aioboto3.Session(
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name=env["S3_REGION"],
    )
    async with session.client("s3", endpoint_url=env["S3_ENDPOINT_URL"]) as client:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=env["S3_BUCKET"], Prefix=prefix)
        found = [entry["Key"] async for page in pages for entry in page.get("Contents", ())]
    return sorted(found)
