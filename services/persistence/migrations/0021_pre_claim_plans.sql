-- Whose turn it is was planned anew for every task: two statements that name their provider took more time to plan than
-- to run. Their plans are the same for every provider, so they are made once a connection.
ALTER FUNCTION sorami.claim_tasks(text[], integer[], text, double precision, jsonb, jsonb)
    SET plan_cache_mode = force_generic_plan;
