-- Idempotency keys and send limits.
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
\set superuser :USER
\set SHOW_CONTEXT never

-- The same key and the same request: the first answer.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id, status, replayed, "timestamp" AS at FROM wa.send_message(:'acme_session', '15551112222', 'text', '{"text":"once"}', idempotency_key => 'order-1') \gset first_
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id = :'first_id' AS same, status, replayed, "timestamp" = :'first_at' AS same_time FROM wa.send_message(:'acme_session', '+15551112222', 'text', '{"text":"once"}', idempotency_key => 'order-1');
SELECT count(*) FROM wa.message WHERE body = 'once';
-- Another request with it: a conflict.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM error_of(format($$SELECT wa.send_message(%L, '15551112222', 'text', '{"text":"twice"}', idempotency_key => 'order-1')$$, :'acme_session'));
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM error_of(format($$SELECT wa.send_message(%L, '15551113333', 'text', '{"text":"once"}', idempotency_key => 'order-1')$$, :'acme_session'));
-- Another organization's key of the same name is another key.
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT id = :'first_id' AS same, replayed FROM wa.send_message(:'beta_session', '15551112222', 'text', '{"text":"once"}', idempotency_key => 'order-1');
-- A request that was refused leaves no trace.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM error_of(format($$SELECT wa.send_message(%L, 'nobody', 'text', '{"text":"x"}', idempotency_key => 'order-2')$$, :'acme_session'));
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT replayed FROM wa.send_message(:'acme_session', '15551112222', 'text', '{"text":"x"}', idempotency_key => 'order-2');
-- What a key may look like.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT e.* FROM unnest(ARRAY['', repeat('x', 256), E'a\nb', 'ä']) k, error_of(format($$SELECT wa.send_message(%L, '15551112222', 'text', '{"text":"x"}', idempotency_key => %L)$$, :'acme_session', k)) e;
-- After a day it is forgotten.
UPDATE wa.idempotency SET created_at = created_at - interval '24 hours 1 second' WHERE key = 'order-1';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id <> :'first_id' AS another, replayed FROM wa.send_message(:'acme_session', '15551112222', 'text', '{"text":"another"}', idempotency_key => 'order-1');
-- A replay is answered after the message is gone, and after a logout.
DELETE FROM wa.message WHERE body = 'another';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT replayed FROM wa.send_message(:'acme_session', '15551112222', 'text', '{"text":"another"}', idempotency_key => 'order-1');

-- Send limits: 3 a minute, counted for the session whichever key sends.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id, rate_per_min, rate_per_hour FROM wa.create_session('limited') \gset limited_
SELECT :'limited_rate_per_min' AS per_minute, :'limited_rate_per_hour' AS per_hour;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT rate_per_min FROM wa.update_session(:'limited_id', rate_per_min => 3);
CREATE FUNCTION pg_temp.send(n integer) RETURNS TABLE (state text, constraint_name text) LANGUAGE sql AS $$
	SELECT e.state, e.constraint_name FROM generate_series(1, n) i,
		public.error_of(format($s$SELECT wa.send_message(%L, '15551112222', 'text', '{"text":"x%s"}')$s$, current_setting('regress.session'), i)) e
$$;
SELECT set_config('regress.session', :'limited_id', false) = :'limited_id' AS set;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, constraint_name, count(*) FROM pg_temp.send(5) GROUP BY 1, 2 ORDER BY 3;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT message FROM error_of(format($$SELECT wa.send_message(%L, '15551112222', 'text', '{"text":"x"}')$$, :'limited_id'));
-- The detail begins with the seconds to wait.
CREATE FUNCTION pg_temp.detail(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN EXECUTE statement; RETURN 'accepted'; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL; RETURN detail; END $$;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT substring(d FROM '^[0-9]+')::integer BETWEEN 1 AND 60 AS within_a_minute, regexp_replace(d, '^[0-9]+', 'N') AS detail FROM pg_temp.detail(format($$SELECT wa.send_message(%L, '15551112222', 'text', '{"text":"x"}')$$, :'limited_id')) d;
-- The next minute; the hour goes on.
UPDATE wa.session_rate SET minute_start = minute_start - interval '1 minute' WHERE session_id = :'limited_id';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT rate_per_min FROM wa.update_session(:'limited_id', rate_per_hour => 5);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, constraint_name, count(*) FROM pg_temp.send(5) GROUP BY 1, 2 ORDER BY 3;
-- 0 is no limit.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT rate_per_min, rate_per_hour FROM wa.update_session(:'limited_id', rate_per_min => 0, rate_per_hour => 0);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, count(*) FROM pg_temp.send(30) GROUP BY 1;
-- A replay costs nothing.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT replayed FROM wa.send_message(:'limited_id', '15551112222', 'text', '{"text":"x"}', idempotency_key => 'limited-1');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT rate_per_min FROM wa.update_session(:'limited_id', rate_per_min => 1);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, count(*) FROM pg_temp.send(1) GROUP BY 1;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT replayed FROM wa.send_message(:'limited_id', '15551112222', 'text', '{"text":"x"}', idempotency_key => 'limited-1');

-- Every list that a caller can hand over is bounded, in all its dimensions: whoever adds one
-- adds it here, with a call.  (Lists of tables are for those who may send any SQL.)
\c - :superuser
\set SHOW_CONTEXT never
SELECT p.oid::regprocedure AS function FROM pg_proc p
WHERE p.pronamespace = 'wa'::regnamespace AND EXISTS (SELECT FROM unnest(p.proargtypes) t JOIN pg_type y ON y.oid = t WHERE y.typcategory = 'A')
	AND NOT 'oid[]'::regtype = ANY (p.proargtypes)
	AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname IN ('wa_app', 'wa_gateway', 'wa_connector', 'wa_worker') AND has_function_privilege(r.oid, p.oid, 'EXECUTE'))
ORDER BY p.proname;
CREATE FUNCTION pg_temp.lists(call text, few text, good text, flat integer) RETURNS TABLE (list text, state text, column_name text) LANGUAGE sql VOLATILE AS $$
	SELECT l.list, e.state, e.column_name
	FROM (VALUES ('good', good), ('too many', format('array_fill(%s, ARRAY[%s])', few, flat + 1)), ('two dimensions', format('array_fill(%s, ARRAY[1, 4])', few)),
		('a million', format('array_fill(%s, ARRAY[2, 500000])', few)), ('null', 'NULL'), ('empty', $e$'{}'$e$)) l (list, text), error_of(format(call, l.text)) e
$$;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM pg_temp.lists(format($$SELECT wa.send_message(%L, '15551112222', 'text', '{"text":"x"}', mentions => %%s)$$, :'acme_session'), $$'15557654321'::text$$, $$array_fill('15557654321'::text, ARRAY[256])$$, 256);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM pg_temp.lists('SELECT wa.create_ticket(types => %s)', $$'message'::text$$, $$array_fill('message'::text, ARRAY[64])$$, 64);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM pg_temp.lists('SELECT count(*) FROM wa.read_events(types => %s)', $$'message'::text$$, $$array_fill('message'::text, ARRAY[64])$$, 64);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM pg_temp.lists($$SELECT wa.create_webhook('https://example.com', %s)$$, $$'message'::text$$, $$array_fill('message'::text, ARRAY[64])$$, 64);
SELECT * FROM pg_temp.lists('SELECT (%s::text[])::wa.permissions', $$'read'::text$$, $$array_fill('read'::text, ARRAY[64])$$, 64);
SELECT * FROM pg_temp.lists(format('SELECT wa.authenticate_for(%L, %%s)', :'acme_all'), $$'read'::text$$, $$array_fill('read'::text, ARRAY[64])$$, 64);
INSERT INTO wa.message (org_id, session_id, chat_jid, type, content, wa_message_id, direction, status) SELECT s.org_id, s.id, '15551112222@s.whatsapp.net', 'poll', '{"options":["a","b"]}', 'POLL', 'out', 'sent' FROM wa.session s WHERE s.id = :'acme_session';
SELECT wa.act_for((SELECT org_id FROM wa.session WHERE id = :'acme_session')) \; SELECT * FROM pg_temp.lists(format($$SELECT wa.connector_poll_vote(%L, 'POLL', '15551112222@s.whatsapp.net', %%s, now())$$, :'acme_session'), $$'a'::text$$, $$'{a,b}'::text[]$$, 12);
SELECT * FROM pg_temp.lists('SELECT count(*) FROM wa.connector_credentials(''none'', ''one'', %s)', 'wa.uuid7()', 'array_fill(wa.uuid7(), ARRAY[1000])', 1000);
SELECT * FROM pg_temp.lists('SELECT count(*) FROM wa.connector_receivers(''none'', %s, NULL)', $$'1'::text$$, $$array_fill('1'::text, ARRAY[1000])$$, 1000);
-- This one answers instead of raising: a list is refused by what it says.
SELECT list, left(wa.event_types_problem(types), 40) AS problem
FROM (VALUES ('good', array_fill('message'::text, ARRAY[64])), ('too many', array_fill('message'::text, ARRAY[65])), ('two dimensions', array_fill('message'::text, ARRAY[1, 4])), ('null', NULL), ('empty', '{}'), ('unknown', '{message,x,y}'), ('with null', '{NULL}')) l (list, types);
-- These two answer with nothing.
SELECT list, cardinality(wa.from_session_ids(ids)) AS sessions, cardinality(wa.session_ids(array_fill('00000000-0000-0000-0000-000000000000'::uuid, ARRAY(SELECT array_length(ids, d) FROM generate_series(1, array_ndims(ids)) d)))) AS ids
FROM (VALUES ('good', array_fill('x'::text, ARRAY[32])), ('too many', array_fill('x'::text, ARRAY[33])), ('two dimensions', array_fill('x'::text, ARRAY[1, 4])), ('a million', array_fill('x'::text, ARRAY[2, 500000]))) l (list, ids);
DELETE FROM wa.webhook;
DELETE FROM wa.ticket;
DELETE FROM wa.message WHERE wa_message_id = 'POLL';

-- Nobody reads or writes these tables directly.
\c - regress_app
SELECT * FROM wa.idempotency;
SELECT * FROM wa.session_rate;
UPDATE wa.session_rate SET minute_count = 0;
SELECT has_function_privilege('wa.count_send(wa.session)', 'EXECUTE') AS counts, has_function_privilege('wa.replay(text, bytea, uuid, uuid)', 'EXECUTE') AS replays;
