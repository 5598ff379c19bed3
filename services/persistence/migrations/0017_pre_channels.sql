-- Not written yet.
SELECT 1;
