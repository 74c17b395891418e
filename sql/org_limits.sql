-- How much an organization may have, and who says so.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
\set superuser :USER
\set SHOW_CONTEXT never
SELECT * FROM wa.default_limits();

-- Sessions and webhooks: as many as there are and one more.
SELECT wa.set_org_limit(:'acme', 'sessions', (SELECT count(*) + 1 FROM wa.session WHERE org_id = :'acme' AND deleted_at IS NULL)::integer);
SELECT wa.set_org_limit(:'acme', 'webhooks', (SELECT count(*) + 1 FROM wa.webhook WHERE org_id = :'acme')::integer);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS made FROM wa.create_session('the last', false) \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, regexp_replace(message, '\d+', 'N') AS message, constraint_name FROM error_of($$SELECT wa.create_session('one more')$$);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.create_webhook('https://limits.example/');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, constraint_name FROM error_of($$SELECT wa.create_webhook('https://limits.example/')$$);
-- Another organization's limits are its own, and what goes makes room.
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT wa.delete_session(s.id) FROM wa.create_session('of beta', false) s;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.delete_session(:'made');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS made FROM wa.create_session('the last again', false) \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, constraint_name FROM error_of($$SELECT wa.create_session('one more')$$);
-- NULL is the default again.
SELECT wa.set_org_limit(:'acme', 'sessions', NULL);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.delete_session(s.id) FROM wa.create_session('one more', false) s;
SELECT name FROM wa.org_limits WHERE org_id = :'acme' ORDER BY 1;
DELETE FROM wa.webhook WHERE url LIKE 'https://limits.example/%';

-- Keys: the last one can still be rotated, but not again and again while the old ones work.
SELECT wa.create_org('Limited') AS limited \gset
SELECT wa.set_org_limit(:'limited', 'keys', 2);
SELECT id AS first FROM wa.create_key(:'limited', 'one', '{read}') \gset
SELECT id AS second FROM wa.create_key(:'limited', 'two', '{read}') \gset
SELECT state, constraint_name FROM error_of(format($$SELECT wa.create_key(%L, 'three', '{read}')$$, :'limited'));
SELECT id AS third FROM wa.rotate_key(:'second') \gset
SELECT id AS fourth FROM wa.rotate_key(:'third') \gset
SELECT state, constraint_name FROM error_of(format($$SELECT wa.rotate_key(%L)$$, :'fourth'));
SELECT wa.revoke_key(:'second'), wa.revoke_key(:'third');
SELECT count(*) FROM wa.rotate_key(:'fourth');
SELECT wa.revoke_key(:'first');
SELECT count(*) FROM wa.create_key(:'limited', 'three', '{read}');
-- Members.
SELECT wa.set_org_limit(:'limited', 'members', 1);
SELECT one.id AS one, two.id AS two FROM wa.create_user('one@limits.example', 'One', 'a long password') one, wa.create_user('two@limits.example', 'Two', 'a long password') two \gset
SELECT wa.add_member(:'limited', :'one', 'owner');
SELECT state, constraint_name FROM error_of(format($$SELECT wa.add_member(%L, %L, 'member')$$, :'limited', :'two'));
SELECT wa.set_org_limit(:'limited', 'members', 2);
SELECT wa.add_member(:'limited', :'two', 'member');
-- Who is one already can get another role, and 0 is none.
SELECT wa.set_org_limit(:'limited', 'members', 0);
SELECT wa.add_member(:'limited', :'two', 'admin');

-- Messages that wait in a session; what a connector has sent makes room.
SELECT wa.set_org_limit(:'acme', 'queued_messages', 3);
CREATE FUNCTION pg_temp.send(session uuid, n integer) RETURNS TABLE (state text, constraint_name text) LANGUAGE sql AS $$
	SELECT e.state, e.constraint_name FROM generate_series(1, n) i,
		public.error_of(format($s$SELECT wa.send_message(%L, '15551112222', 'text', '{"text":"x%s"}')$s$, session, i)) e
$$;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, constraint_name, count(*) FROM pg_temp.send(:'made', 5) GROUP BY 1, 2 ORDER BY 3;
-- Also where a session has no rates.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT rate_per_min FROM wa.update_session(:'made', rate_per_min => 0, rate_per_hour => 0);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, constraint_name, count(*) FROM pg_temp.send(:'made', 2) GROUP BY 1, 2 ORDER BY 3;
UPDATE wa.message SET status = 'sent' WHERE id = (SELECT min(id::text)::uuid FROM wa.message WHERE session_id = :'made' AND status = 'queued');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state, constraint_name, count(*) FROM pg_temp.send(:'made', 2) GROUP BY 1, 2 ORDER BY 3, 1 NULLS FIRST;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.delete_session(:'made');

-- What a count has left is remembered for a fixed number of sessions.  An organization with many
-- sessions gives up its own, the one first that was not used for the longest time, and nobody else's.
SELECT gen_random_uuid() AS of_acme, gen_random_uuid() AS of_beta, gen_random_uuid() AS used, gen_random_uuid() AS newest \gset
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT wa.set_queue_room(:'of_beta', 10, false);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.set_queue_room(:'of_acme', 10, false), wa.set_queue_room(:'used', 100000, false);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(wa.set_queue_room(gen_random_uuid(), 10, false)), bool_and(wa.take_queue_room(:'used', true) OR i < 0) AS used FROM generate_series(1, 40000) i;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.set_queue_room(:'newest', 10, false);
SELECT wa.take_queue_room(:'of_beta', true) AS of_beta, wa.take_queue_room(:'of_acme', true) AS of_acme, wa.take_queue_room(:'newest', true) AS newest;
-- Another organization gets a place all the same, and keeps it.
SELECT gen_random_uuid() AS late \gset
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT wa.set_queue_room(:'late', 10, false);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(wa.set_queue_room(gen_random_uuid(), 10, false)) FROM generate_series(1, 40000);
SELECT wa.take_queue_room(:'late', true) AS late, wa.take_queue_room(:'of_beta', true) AS of_beta;
-- Which sessions are in one set cannot be computed: those that were, by the hash without its
-- seed, do not put each other out.
CREATE TEMPORARY TABLE place AS
	SELECT s.id
	FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 50000)) s
	WHERE uuid_hash_extended(s.id, (SELECT d.oid::bigint FROM pg_database d WHERE d.datname = current_database())) & 1023 = 7
	LIMIT 30;
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT count(wa.set_queue_room(id, 10, false)) FROM place;
SELECT count(*) > 15 AS kept FROM place WHERE wa.take_queue_room(id, true);
-- A place that is given back is free.
SELECT wa.forget_queue_room(:'late');
SELECT wa.take_queue_room(:'late', true) AS late, wa.take_queue_room(:'of_beta', true) AS of_beta;
-- A session gives it back when it is logged out or deleted.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS made FROM wa.create_session('place') \gset
SELECT wa.set_queue_room(:'made', 100, false);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status FROM wa.control_session(:'made', 'stop');
SELECT wa.take_queue_room(:'made', true);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status FROM wa.control_session(:'made', 'logout');
SELECT wa.take_queue_room(:'made', true);
SELECT wa.set_queue_room(:'made', 100, false);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.delete_session(:'made');
SELECT wa.take_queue_room(:'made', true);

-- Tests of webhooks that are on their way; what is delivered or given up makes room.
SELECT wa.set_org_limit(:'acme', 'webhook_tests', 2);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS hook FROM wa.create_webhook('https://limits.example/tests') \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT e.state, e.constraint_name, count(*) FROM generate_series(1, 3) i, error_of(format($$SELECT wa.test_webhook(%L) WHERE %s > 0$$, :'hook', i)) e GROUP BY 1, 2 ORDER BY 3;
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT t.status FROM wa.create_webhook('https://limits.example/tests') w, wa.test_webhook(w.id) t;
UPDATE wa.delivery SET status = 'failed', next_attempt_at = 'tomorrow' WHERE org_id = :'acme' AND webhook_id = :'hook';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state FROM error_of(format($$SELECT wa.test_webhook(%L)$$, :'hook'));
UPDATE wa.delivery SET status = 'dead' WHERE org_id = :'acme' AND webhook_id = :'hook';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(wa.test_webhook(CASE WHEN i > 0 THEN :'hook'::uuid END)) FROM generate_series(1, 2) i;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT e.state, e.constraint_name FROM wa.delivery d, error_of(format($$SELECT wa.replay_delivery(%L, %L)$$, :'hook', d.id)) e WHERE d.webhook_id = :'hook' AND d.status = 'dead' LIMIT 1;
DELETE FROM wa.delivery d USING wa.webhook w WHERE w.url = 'https://limits.example/tests' AND d.org_id = w.org_id AND d.webhook_id = w.id;
DELETE FROM wa.webhook WHERE url = 'https://limits.example/tests';

-- What is no limit, and who may not set one.
SELECT e.state, e.message, e.column_name FROM unnest(ARRAY['rooms', NULL]) n, error_of(format($$SELECT wa.set_org_limit(%L, %L, 1)$$, :'acme', n)) e;
SELECT e.state, e.message, e.column_name FROM unnest(ARRAY[-1, 10001]) v, error_of(format($$SELECT wa.set_org_limit(%L, 'webhooks', %s)$$, :'acme', v)) e;
SELECT * FROM error_of($$SELECT wa.set_org_limit(wa.uuid7(), 'webhooks', 1)$$);
DELETE FROM wa.org_limits WHERE org_id = :'acme';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT state FROM error_of(format($$SELECT wa.set_org_limit(%L, 'webhooks', 1)$$, :'acme'));
\c - regress_admin
SELECT wa.set_org_limit(:'acme', 'webhooks', 7);
SELECT name, value FROM wa.org_limits WHERE org_id = :'acme';
UPDATE wa.org_limits SET value = 8;
SELECT wa.set_org_limit(:'acme', 'webhooks', NULL);
\c - regress_app
SELECT wa.set_org_limit(:'acme', 'webhooks', 1);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM wa.org_limits;
SELECT wa.refuse_beyond_limit(:'acme', 'webhooks');
SELECT wa.org_limit(:'acme', 'webhooks');
