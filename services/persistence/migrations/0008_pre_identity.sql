-- Organisations, API keys and sign-in.
SELECT 1;
