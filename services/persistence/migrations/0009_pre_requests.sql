-- Idempotency keys, limits, batches and cancellations.
SELECT 1;
