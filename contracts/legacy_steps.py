"""The steps that the seeds want to read in the logs, in their own words (O1 to O5)."""

from dataclasses import dataclass

from contracts.kinds import Kind

_GENERATED = {"image": "génération d'images", "video": "génération de vidéos"}
_THINGS = {"image": "Images", "video": "Vidéos"}
_MARKS = {"image": "📸", "video": "🎬"}
BYPASSED = "ℹ️ Le job a peut-être été créé directement dans le backend sans passer par l'API Next.js"


@dataclass(frozen=True, slots=True)
class Steps:
    """The lines about jobs of one kind; what varies stands beside them as fields of the record."""

    kind: Kind

    @property
    def _row(self) -> str:
        return f"{self.kind.title}Generation"

    @property
    def _api(self) -> str:
        return f"[{self.kind.title} Generate API]"

    @property
    def _webhook(self) -> str:
        return f"[{self.kind.title} Webhook]"

    @property
    def created(self) -> str:
        """With id and authorId."""
        return f"✅ {self._api} {self._row} créée"

    @property
    def sent_to_backend(self) -> str:
        return f"🚀 {self._api} Envoi au backend Flask..."

    @property
    def received(self) -> str:
        about = _GENERATED.get(self.kind.name, f"génération ({self.kind.plural})")
        return f"📨 {self._webhook} Réception d'un webhook de {about}..."

    @property
    def payload(self) -> str:
        """With job_id, status, has_data and the count of files."""
        return f"📦 {self._webhook} Payload reçu"

    @property
    def count_field(self) -> str:
        return f"{self.kind.plural}_count"

    @property
    def found(self) -> str:
        return f"✅ {self._webhook} {self._row} existante trouvée"

    def not_found(self, job_id: str) -> str:
        return f"⚠️ {self._webhook} {self._row} non trouvée pour job_id: {job_id}"

    @property
    def creating(self) -> str:
        return f"🔧 {self._webhook} Création d'une nouvelle entrée {self._row}..."

    @property
    def created_by_webhook(self) -> str:
        """With id and authorId."""
        return f"✅ {self._webhook} {self._row} créée"

    @property
    def creating_files(self) -> str:
        return f"{_MARKS.get(self.kind.name, '📁')} {self._webhook} Création des {self.kind.title}File..."

    @property
    def files_created(self) -> str:
        """With generationId and the count of files."""
        return f"✅ {self._webhook} {_THINGS.get(self.kind.name, self.kind.plural)} créées depuis le backend"

    @property
    def files_count_field(self) -> str:
        return f"{self.kind.plural}Count"

    def notified(self, user_id: str) -> str:
        return f"🔔 {self._webhook} Notification créée pour: {user_id}"

    def done(self, milliseconds: float) -> str:
        return f"⏱️ {self._webhook} Traitement terminé en {milliseconds:.0f}ms"


def sending(job_id: str, address: str) -> str:
    """Say that a webhook goes out, as the seeds' backend does."""
    return f"📡 Envoi du webhook pour le job {job_id} vers {address}"


def sent(status: int | None) -> str:
    """Say that it was taken."""
    return f"✅ Webhook envoyé avec succès (status {status})"
