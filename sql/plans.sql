-- Plans are shared between transactions; identities are not.
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
\set superuser :USER
\c - regress_app
\set SHOW_CONTEXT never

-- P09: one prepared statement with a generic plan, two organizations, nobody.
SET plan_cache_mode = force_generic_plan;
PREPARE bodies AS SELECT body FROM wa.message WHERE body LIKE 'secret%';
PREPARE org AS SELECT wa.current_org() = $1;
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; EXECUTE bodies; EXECUTE org(:'acme'); COMMIT;
BEGIN; SELECT wa.authenticate(:'beta_all') IS NOT NULL; EXECUTE bodies; EXECUTE org(:'acme'); COMMIT;
EXECUTE bodies;
EXECUTE org(:'acme');
SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = 'bodies';
-- A plan made without a key serves one with a key, too.
DEALLOCATE ALL;
PREPARE bodies AS SELECT body FROM wa.message WHERE body LIKE 'secret%';
EXECUTE bodies;
BEGIN; SELECT wa.authenticate(:'beta_all') IS NOT NULL; EXECUTE bodies; COMMIT;
RESET plan_cache_mode;

-- A cursor reads as the transaction that it was opened in, and ends with it.
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
DECLARE held CURSOR WITH HOLD FOR SELECT body FROM wa.message WHERE body LIKE 'secret%';
COMMIT;
BEGIN; SELECT wa.authenticate(:'beta_all') IS NOT NULL; FETCH ALL held; COMMIT;
CLOSE held;

-- The organization is an index condition, evaluated once and before any row,
-- and so is the place in a list that a page begins at.  (COALESCE in place of
-- CASE would not be: the planner takes it for leaky, and keeps it behind the
-- policy as a filter.)
SET plan_cache_mode = force_generic_plan;
PREPARE page(uuid) AS SELECT * FROM wa.session
WHERE id < CASE WHEN $1 IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE $1 END ORDER BY id DESC LIMIT 50;
PREPARE coalesced(uuid) AS SELECT * FROM wa.session
WHERE id < COALESCE($1, 'ffffffff-ffff-ffff-ffff-ffffffffffff') ORDER BY id DESC LIMIT 50;
PREPARE messages(uuid, text, timestamptz) AS SELECT * FROM wa.message
WHERE session_id = $1 AND chat_jid = $2 AND sent_at <= LEAST($3, 'infinity') ORDER BY sent_at DESC, id DESC LIMIT 50;
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
SET LOCAL enable_seqscan = off;
SELECT plan_of('EXECUTE page(NULL)');
SELECT plan_of('EXECUTE coalesced(NULL)');
SELECT plan_of('EXECUTE messages(NULL, NULL, NULL)');
COMMIT;
RESET plan_cache_mode;

-- The setting's name since 16, and before.
SELECT name AS parallel_mode FROM pg_settings WHERE name IN ('debug_parallel_query', 'force_parallel_mode') \gset
-- P10: the identity is no worker's business: with parallel mode forced, plans
-- that need it stay in the leader and find it there.
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
SET LOCAL :parallel_mode = on;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SELECT plan_of('SELECT body FROM wa.message');
SELECT body FROM wa.message WHERE body LIKE 'secret%';
SELECT count(*) FROM generate_series(1, 3) g WHERE wa.current_org() = :'acme';
COMMIT;
-- The control: a plan that does not need it does run in a worker.
SET :parallel_mode = on;
EXPLAIN (COSTS OFF) SELECT count(*) FROM generate_series(1, 3);
RESET :parallel_mode;

-- No registered statement is compiled at each execution, which takes a hundred times as long as
-- most of them: the planner believes none of them to be that costly.
\c - :superuser
CREATE FUNCTION public.planned_cost(s wa.statement) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE format('PREPARE measured%s AS %s', (SELECT '(' || string_agg(t::text, ', ' ORDER BY n) || ')' FROM unnest(s.parameters) WITH ORDINALITY p (t, n)), s.source);
	EXECUTE 'EXPLAIN (FORMAT json) EXECUTE measured' || COALESCE((SELECT '(' || string_agg('NULL', ', ') || ')' FROM unnest(s.parameters)), '') INTO plan;
	DEALLOCATE measured;
	RETURN plan -> 0 -> 'Plan' ->> 'Total Cost';
END $$;
SET plan_cache_mode = force_generic_plan;
SELECT s.name, c AS cost FROM wa.statement s CROSS JOIN planned_cost(s) c WHERE c > current_setting('jit_above_cost')::float8 / 10;
SELECT count(*) > 50 AS seen FROM wa.statement s CROSS JOIN planned_cost(s) c WHERE c > 0;
DROP FUNCTION public.planned_cost;
