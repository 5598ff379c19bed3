-- Webhook endpoints, their secrets and deliveries.
SELECT 1;
