"""What the gateway's routes use, made by somebody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.models import BUILT_IN, Models
from services.gateway.settings import GatewaySettings
from services.gateway.usecases.accept_backend_webhook import AcceptBackendWebhook
from services.gateway.usecases.await_jobs import AwaitJobs
from services.gateway.usecases.begin_upload import BeginUpload
from services.gateway.usecases.begin_worker_upload import BeginWorkerUpload
from services.gateway.usecases.cancel_jobs import CancelJobs
from services.gateway.usecases.delete_generations import DeleteGenerations
from services.gateway.usecases.estimate_wait import EstimateWait
from services.gateway.usecases.finish_upload import FinishUpload
from services.gateway.usecases.hear_provider import HearProvider
from services.gateway.usecases.log_impersonation import LogImpersonation
from services.gateway.usecases.look_at_health import LookAtHealth
from services.gateway.usecases.pass_streams import PassedStreams
from services.gateway.usecases.request_batch import RequestBatch
from services.gateway.usecases.request_generation import RequestGeneration
from services.gateway.usecases.retry_job import RetryJob
from services.gateway.usecases.search_prompts import SearchPrompts
from services.gateway.usecases.settle_dead_letters import SettleDeadLetters
from services.gateway.usecases.settle_orphan import SettleOrphan
from services.gateway.usecases.share_media import Shares
from services.gateway.usecases.sign_in_at_provider import SignInAtProvider
from services.gateway.usecases.stream_zip import StreamZip
from services.gateway.usecases.sweep_uploads import SweepUploads
from services.gateway.usecases.watch_providers import WatchProviders
from services.runtime.callers import own_origins
from services.runtime.database import Pool
from services.runtime.health import Check
from services.runtime.identity import Identities
from services.runtime.own_rows import OwnRows
from services.runtime.signed_urls import UrlSigner
from services.runtime.tokens import TokenVerifier


@dataclass(frozen=True, slots=True)
class MediaParts:
    """What routes around uploads, deletions and downloads use."""

    begin_upload: BeginUpload
    finish_upload: FinishUpload
    sweep_uploads: SweepUploads
    delete_generations: DeleteGenerations
    stream_zip: StreamZip
    begin_worker_upload: BeginWorkerUpload


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the gateway's routes use."""

    settings: GatewaySettings
    pool: Pool
    identities: Identities
    verifier: TokenVerifier | None
    request_generation: RequestGeneration
    request_batch: RequestBatch
    retry_job: RetryJob
    cancel_jobs: CancelJobs
    await_jobs: AwaitJobs
    estimate_wait: EstimateWait
    accept_backend_webhook: AcceptBackendWebhook
    hear_provider: HearProvider
    look_at_health: LookAtHealth
    settle_dead_letters: SettleDeadLetters
    settle_orphan: SettleOrphan
    search_prompts: SearchPrompts
    shares: Shares
    signer: UrlSigner
    streams: Any
    checks: Mapping[str, Check]
    media: MediaParts
    watch_providers: WatchProviders
    models: Models = BUILT_IN
    passed_streams: PassedStreams = field(default_factory=PassedStreams)
    sign_in_at_provider: SignInAtProvider | None = None
    log_impersonation: LogImpersonation = field(default_factory=LogImpersonation)

    def own(self, person_id: str) -> OwnRows:
        """Return what this person may see."""
        return OwnRows(self.pool, person_id)

    @property
    def public_url(self) -> str:
        return self.settings.public_url.rstrip("/")

    @property
    def own_origins(self) -> frozenset[str]:
        """Origins whose pages may write with our cookie; a machine that serves itself goes by both its names."""
        return own_origins(self.public_url, self.settings.cors_origins)
