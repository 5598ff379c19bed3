-- The migration: the tables of a kind, like those of images, with its own columns, and triggers; grants are roles.sql's.
CREATE TABLE sound_generations (LIKE image_generations INCLUDING ALL);
ALTER TABLE sound_generations RENAME COLUMN "numImages" TO "numSounds";
ALTER TABLE sound_generations
    ADD COLUMN "durationSeconds" double precision NOT NULL DEFAULT 1,
    ADD CONSTRAINT "sound_generations_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES users (id);

CREATE TABLE sound_files (LIKE image_files INCLUDING ALL);
ALTER TABLE sound_files
    ADD COLUMN "durationSeconds" double precision,
    ADD CONSTRAINT "sound_files_generationId_fkey" FOREIGN KEY ("generationId") REFERENCES sound_generations (id)
        ON DELETE CASCADE;

CREATE TRIGGER no_way_back AFTER UPDATE ON sound_generations FOR EACH ROW
WHEN (NEW.progress < OLD.progress
      OR OLD.status <> NEW.status
      AND (OLD.status::text IN ('COMPLETED', 'FAILED', 'CANCELLED') OR NEW.status::text = 'PENDING'))
EXECUTE FUNCTION sorami.refuse_way_back();
CREATE TRIGGER search_insert AFTER INSERT ON sound_generations REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION sorami.note_new_prompts('sound');
CREATE TRIGGER search_update AFTER UPDATE OF prompt, "authorId", "createdAt" ON sound_generations FOR EACH ROW
WHEN (OLD.prompt IS DISTINCT FROM NEW.prompt OR OLD."authorId" IS DISTINCT FROM NEW."authorId"
      OR OLD."createdAt" IS DISTINCT FROM NEW."createdAt")
EXECUTE FUNCTION sorami.note_changed_prompt('sound');
CREATE TRIGGER search_delete AFTER DELETE ON sound_generations FOR EACH ROW
EXECUTE FUNCTION sorami.note_changed_prompt('sound');

ALTER TABLE sound_generations ENABLE ROW LEVEL SECURITY;
ALTER TABLE sound_files ENABLE ROW LEVEL SECURITY;
CREATE POLICY sorami_everybody ON sound_generations USING (true);
CREATE POLICY sorami_everybody ON sound_files USING (true);
