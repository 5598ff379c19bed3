-- Uploads and smaller versions of media.
SELECT 1;
