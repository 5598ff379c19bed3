-- A status never goes backwards, a terminal one is never left, progress never falls: for every role and client.
-- The WHEN clauses say what is refused, so the function runs only to refuse; AFTER, because a BEFORE trigger
-- would lock each row a second time and could be followed by another that changes the row.

CREATE FUNCTION sorami.refuse_way_back() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> NEW.status
       AND (OLD.status::text IN ('COMPLETED', 'FAILED', 'CANCELLED') OR NEW.status::text = 'PENDING') THEN
        RAISE EXCEPTION '% %: status may not go from % to %', TG_TABLE_NAME, OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'no_way_back', TABLE = TG_TABLE_NAME;
    END IF;
    RAISE EXCEPTION '% %: progress may not fall from % to %', TG_TABLE_NAME, OLD.id, OLD.progress, NEW.progress
        USING ERRCODE = 'check_violation', CONSTRAINT = 'no_way_back', TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER no_way_back AFTER UPDATE ON sorami.jobs FOR EACH ROW
WHEN (NEW.progress < OLD.progress
      OR OLD.status <> NEW.status
      AND (OLD.status IN ('COMPLETED', 'FAILED', 'CANCELLED') OR NEW.status = 'PENDING'))
EXECUTE FUNCTION sorami.refuse_way_back();

-- As text, because an application may have added CANCELLED to its enum, or not.
CREATE TRIGGER no_way_back AFTER UPDATE ON image_generations FOR EACH ROW
WHEN (NEW.progress < OLD.progress
      OR OLD.status <> NEW.status
      AND (OLD.status::text IN ('COMPLETED', 'FAILED', 'CANCELLED') OR NEW.status::text = 'PENDING'))
EXECUTE FUNCTION sorami.refuse_way_back();

CREATE TRIGGER no_way_back AFTER UPDATE ON video_generations FOR EACH ROW
WHEN (NEW.progress < OLD.progress
      OR OLD.status <> NEW.status
      AND (OLD.status::text IN ('COMPLETED', 'FAILED', 'CANCELLED') OR NEW.status::text = 'PENDING'))
EXECUTE FUNCTION sorami.refuse_way_back();
