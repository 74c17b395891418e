-- Who works for all: what a claim costs does not depend on what waits, and organizations
-- take turns, so that none waits behind what another one has queued.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
\set SHOW_CONTEXT never
SET client_min_messages = warning;

-- Rows and index entries that a statement reads in schema wa, and whole tables.
CREATE FUNCTION public.counters(OUT read bigint, OUT scanned bigint) LANGUAGE sql VOLATILE AS $$
	SELECT sum(pg_stat_get_xact_tuples_returned(c.oid) + CASE c.relkind WHEN 'i' THEN 0 ELSE pg_stat_get_xact_tuples_fetched(c.oid) END),
		sum(pg_stat_get_xact_numscans(c.oid)) FILTER (WHERE c.relkind = 'r')
	FROM pg_class c WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'i')
$$;
CREATE FUNCTION public.cost_of(statement text, OUT result bigint, OUT read bigint, OUT scanned bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	before record := public.counters();
	after record;
BEGIN
	EXECUTE statement INTO result;
	after := public.counters();
	read := after.read - before.read;
	scanned := after.scanned - before.scanned;
END $$;

CREATE FUNCTION public.poll(owner text, many integer, times integer DEFAULT 1) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	held bigint;
BEGIN
	FOR i IN 1..times LOOP
		held := (SELECT count(*) FROM wa.connector_sessions('claims', owner, many, '1 min'));
	END LOOP;
	RETURN held;
END $$;
CREATE FUNCTION public.make_sessions(org uuid, many integer, state text) RETURNS SETOF uuid LANGUAGE sql VOLATILE AS $$
	INSERT INTO wa.session (org_id, status, connector) SELECT org, state, 'claims' FROM generate_series(1, many) RETURNING id
$$;
CREATE FUNCTION public.enqueue(session uuid, many integer) RETURNS bigint LANGUAGE sql VOLATILE AS $$
	INSERT INTO wa.chat (org_id, session_id, jid, type) SELECT s.org_id, s.id, '15550001111@s.whatsapp.net', 'dm' FROM wa.session s WHERE s.id = enqueue.session ON CONFLICT DO NOTHING;
	WITH made AS (
		INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
		SELECT s.org_id, s.id, '15550001111@s.whatsapp.net', 'out', 'text', 'queued', 'queued' FROM wa.session s, generate_series(1, many) WHERE s.id = enqueue.session RETURNING 1)
	SELECT count(*) FROM made
$$;
CREATE VIEW public.held AS SELECT lease_owner AS owner, count(*) FILTER (WHERE org_id = (SELECT value::uuid FROM fixture WHERE name = 'acme')) AS acme,
	count(*) FILTER (WHERE org_id = (SELECT value::uuid FROM fixture WHERE name = 'beta')) AS beta
FROM wa.session WHERE connector = 'claims' AND lease_owner IS NOT NULL GROUP BY 1;

-- Sessions.  A connector is full of acme's, and beta's one comes in with the next poll.
SELECT count(*) FROM make_sessions(:'acme', 300, 'starting');
SELECT count(*) FROM wa.connector_sessions('claims', 'one', 256, '1 min');
SELECT * FROM held;
SELECT count(*) FROM make_sessions(:'beta', 1, 'starting');
SELECT count(*), count(*) FILTER (WHERE org_id = :'beta') AS beta FROM wa.connector_sessions('claims', 'one', 256, '1 min');
SELECT * FROM held;
-- What was given back another connector takes; nobody has to give more than makes it even.
SELECT count(*) FROM wa.connector_sessions('claims', 'two', 256, '1 min');
SELECT count(*) FROM make_sessions(:'beta', 199, 'starting');
SELECT poll('one', 256, 8);
SELECT * FROM held WHERE owner = 'one';
SELECT poll('one', 256, 8);
SELECT * FROM held WHERE owner = 'one';
-- Of the two that have given something, the oldest sessions stayed.
SELECT org_id = :'acme' AS acme, max(id::text) < min(other::text) AS oldest FROM (
	SELECT org_id, CASE lease_owner WHEN 'one' THEN id END AS id, CASE WHEN lease_owner IS DISTINCT FROM 'one' THEN id END AS other
	FROM wa.session WHERE connector = 'claims' AND org_id = :'acme') s GROUP BY 1;
-- A lease that ran out is anybody's; one that its owner renews in time is not.
UPDATE wa.session SET lease_until = now() - interval '1 s' WHERE connector = 'claims' AND lease_owner = 'one' AND org_id = :'beta';
SELECT count(*) > 0 AS renewed FROM wa.connector_sessions('claims', 'one', 256, '1 min') WHERE org_id = :'beta';
SELECT count(*) AS run_out FROM wa.session WHERE connector = 'claims' AND lease_owner = 'one' AND lease_until < now();
UPDATE wa.session SET lease_until = now() - interval '1 s' WHERE connector = 'claims' AND lease_owner = 'two';
SELECT count(*) FROM wa.connector_sessions('claims', 'three', 1000, '1 min');
SELECT owner FROM held ORDER BY 1;
-- A poll that finds nothing new reads what the owner holds, and nothing of the others'.
DELETE FROM wa.session WHERE connector = 'claims';
SELECT count(*) FROM make_sessions(:'acme', 20, 'starting');
SELECT count(*) FROM wa.connector_sessions('claims', 'one', 20, '1 min');
SELECT result, read AS few, scanned FROM cost_of($$SELECT count(*) FROM wa.connector_sessions('claims', 'one', 20, '1 min')$$) \gset few_
SELECT count(*) FROM make_sessions(:'beta', 300, 'stopped');
SELECT count(*) FROM make_sessions(:'beta', 300, 'starting');
UPDATE wa.session SET lease_owner = 'other', lease_until = now() + interval '1 min' WHERE connector = 'claims' AND status = 'starting' AND lease_owner IS NULL;
SELECT poll('one', 20);
SELECT result, read AS many, scanned FROM cost_of($$SELECT count(*) FROM wa.connector_sessions('claims', 'one', 20, '1 min')$$) \gset many_
SELECT :few_result AS result, :many_many < :few_few + 100 AS same, :few_scanned + :many_scanned AS scanned;
DELETE FROM wa.session WHERE connector = 'claims';

-- Messages.  acme has queued ten thousand before beta queues one.
SELECT make_sessions(:'acme', 1, 'working') AS acme_one \gset
SELECT make_sessions(:'acme', 1, 'working') AS acme_two \gset
SELECT make_sessions(:'beta', 1, 'working') AS beta_one \gset
SELECT count(*) FROM wa.connector_sessions('claims', 'one', 10, '1 min');
ALTER TABLE wa.message DISABLE TRIGGER message_made; ALTER TABLE wa.message DISABLE TRIGGER message_changed;
SELECT enqueue(:'acme_one', 1000);
SELECT read FROM cost_of($$SELECT count(*) FROM wa.connector_claim('claims', 'one', 1, '1 min')$$) \gset short_
SELECT enqueue(:'acme_one', 9000), enqueue(:'acme_two', 10), enqueue(:'beta_one', 1);
SELECT count(*) FILTER (WHERE session_id = :'acme_one') AS one, count(*) FILTER (WHERE session_id = :'acme_two') AS two,
	count(*) FILTER (WHERE session_id = :'beta_one') AS beta FROM wa.connector_claim('claims', 'one', 9, '1 min');
-- Each session goes on with its oldest.
SELECT session_id = :'acme_one' AS one, bool_and(is_sending = (place <= 5)) AS in_order FROM (
	SELECT session_id, status = 'sending' AS is_sending, row_number() OVER (PARTITION BY session_id ORDER BY id) AS place
	FROM wa.message WHERE status IN ('queued', 'sending') AND session_id IN (:'acme_one', :'acme_two')) m
WHERE session_id = :'acme_one' OR place < 4 GROUP BY 1 ORDER BY 1;
-- What waits costs nothing.
SELECT read, scanned FROM cost_of($$SELECT count(*) FROM wa.connector_claim('claims', 'one', 1, '1 min')$$) \gset long_
SELECT :long_read < 1000 AS little, :long_scanned AS scanned, :short_read < 1000 AS little_before;
-- A session has at most a hundred on their way.
SELECT count(*) FROM wa.connector_claim('claims', 'one', 1000, '1 min') WHERE session_id = :'acme_one';
SELECT count(*) FROM wa.connector_claim('claims', 'one', 1000, '1 min') WHERE session_id = :'acme_one';
SELECT count(*) FROM wa.message WHERE session_id = :'acme_one' AND status = 'sending';
-- One of them is sent, and another one may go; what another connector left comes again.
SELECT act_for('acme') \; SELECT wa.connector_sent((SELECT min(id::text)::uuid FROM wa.message WHERE session_id = :'acme_one' AND status = 'sending'), 'C1', now());
SELECT count(*) FROM wa.connector_claim('claims', 'one', 1000, '1 min') WHERE session_id = :'acme_one';
UPDATE wa.message SET lease_until = now() - interval '1 s' WHERE session_id = :'acme_one' AND status = 'sending' AND attempts = 1;
SELECT count(*) > 0 AS again, bool_and(maybe_sent) AS all_maybe_sent FROM wa.connector_claim('claims', 'one', 8, '1 min') WHERE session_id = :'acme_one' AND attempt = 2;
-- Answers that wait for a message hold up neither other messages of their session nor anybody.
SELECT act_for('beta') \; SELECT wa.connector_failed(id, 'later', true) FROM wa.message WHERE session_id = :'beta_one' AND status = 'sending';
UPDATE wa.message SET lease_until = now() + interval '1 h' WHERE session_id = :'beta_one';
SELECT id AS asked FROM wa.message WHERE session_id = :'beta_one' \gset
SELECT enqueue(:'beta_one', 300);
UPDATE wa.message SET quoted_message_id = :'asked' WHERE session_id = :'beta_one' AND id <> :'asked';
SELECT enqueue(:'beta_one', 1);
DELETE FROM wa.message WHERE session_id IN (:'acme_one', :'acme_two');
DO $$
DECLARE
	claims integer := 0;
BEGIN
	WHILE NOT EXISTS (SELECT FROM wa.connector_claim('claims', 'one', 100, '1 min') c WHERE c.quoted_wa_message_id IS NULL) LOOP
		claims := claims + 1;
		ASSERT claims < 20, 'a message behind answers that wait is never claimed';
	END LOOP;
END $$;
SELECT act_for('beta') \; SELECT wa.connector_sent(:'asked', 'C2', now());
SELECT count(*), bool_and(quoted_wa_message_id = 'C2') AS answers FROM wa.connector_claim('claims', 'one', 100, '1 min');
SELECT act_for('beta') \; SELECT count(wa.connector_sent(id, 'C' || attempts || id, now())) FROM wa.message WHERE session_id = :'beta_one' AND status = 'sending';
SELECT count(*) FROM wa.connector_claim('claims', 'one', 100, '1 min');
-- An organization has at most 512 with one connector, by however many sessions, and another
-- one's message is taken then.  Each that is sent makes room for one.
SELECT count(*) FILTER (WHERE enqueue(s, 100) > 0) AS sessions FROM make_sessions(:'acme', 7, 'working') s;
SELECT count(*) FROM wa.connector_sessions('claims', 'one', 20, '1 min');
SELECT count(*) AS acme FROM wa.connector_claim('claims', 'one', 1000, '1 min');
SELECT enqueue(s, 1) FROM make_sessions(:'beta', 1, 'working') s;
SELECT count(*) FROM wa.connector_sessions('claims', 'one', 20, '1 min');
SELECT count(*) FILTER (WHERE org_id = :'acme') AS acme, count(*) FILTER (WHERE org_id = :'beta') AS beta FROM wa.connector_claim('claims', 'one', 1000, '1 min');
SELECT act_for('acme') \; SELECT count(wa.connector_sent(m.id, 'D' || m.id, now())) FROM (SELECT m.id FROM wa.message m WHERE m.org_id = :'acme' AND m.lease_owner = 'one' AND m.status = 'sending'
	AND m.session_id IN (SELECT s.id FROM wa.session s WHERE s.connector = 'claims') LIMIT 3) m;
SELECT count(*) AS acme FROM wa.connector_claim('claims', 'one', 1000, '1 min');
-- And at most 128 of its actions.
INSERT INTO wa.message_action (org_id, session_id, message_id, type, payload, status) SELECT m.org_id, m.session_id, m.id, 'read', '{}', 'queued'
FROM wa.message m JOIN wa.session s ON s.id = m.session_id WHERE s.connector = 'claims' AND m.org_id = :'acme' ORDER BY m.id LIMIT 300;
SELECT count(*) AS acme FROM wa.connector_actions('claims', 'one', 1000, '1 min');
SELECT count(*) AS acme FROM wa.connector_actions('claims', 'one', 1000, '1 min');
ALTER TABLE wa.message ENABLE TRIGGER message_made; ALTER TABLE wa.message ENABLE TRIGGER message_changed;
DELETE FROM wa.session WHERE connector = 'claims';

-- Webhooks.  acme has two thousand before beta has one, and something for each of them.
CREATE FUNCTION public.make_webhooks(org uuid, many integer) RETURNS bigint LANGUAGE sql VOLATILE AS $$
	WITH made AS (INSERT INTO wa.webhook (org_id, url, secret) SELECT org, 'https://claims.example/' || g, 'secret' FROM generate_series(1, many) g RETURNING 1)
	SELECT count(*) FROM made
$$;
CREATE FUNCTION public.emit(org uuid) RETURNS boolean LANGUAGE sql VOLATILE AS $$ SELECT wa.emit(org, 'session.status', NULL, '{}') IS NOT NULL $$;
CREATE FUNCTION public.claim(owner text, many integer, OUT acme bigint, OUT beta bigint) LANGUAGE sql VOLATILE AS $$
	SELECT count(*) FILTER (WHERE f.name = 'acme'), count(*) FILTER (WHERE f.name = 'beta')
	FROM wa.claim_webhooks(owner, many, '1 min') c JOIN public.fixture f ON f.value = c.org_id::text AND f.name IN ('acme', 'beta')
$$;
SELECT make_webhooks(:'acme', 2000), make_webhooks(:'beta', 1);
SELECT emit(:'acme'), emit(:'beta');
SELECT * FROM claim('one', 128);
-- The next worker takes others; a look at much that waits is a bounded one.
SELECT result, read, scanned FROM cost_of($$SELECT acme + beta FROM claim('two', 128)$$) \gset claim_
SELECT :claim_result AS claimed, :claim_read < 20000 AS bounded, :claim_scanned AS scanned;
SELECT count(*) FROM wa.webhook_lane WHERE lease_owner IN ('one', 'two') AND lease_until > now();
-- Lanes in which nothing is due cost nothing: all waits to be tried again, or is given up.
UPDATE wa.webhook_lane SET lease_owner = NULL, lease_until = now();
UPDATE wa.delivery SET status = 'failed', next_attempt_at = CASE WHEN get_byte(uuid_send(webhook_id), 15) % 2 = 0 THEN 'infinity' ELSE now() + interval '1 h' END;
SELECT sum(c.acme) AS acme, sum(c.beta) AS beta FROM generate_series(1, 4) g CROSS JOIN LATERAL claim('three', 127 + g) c;
SELECT result, read, scanned FROM cost_of($$SELECT acme + beta FROM claim('three', 128)$$) \gset idle_
SELECT :idle_result AS claimed, :idle_read < 100 AS nothing, :idle_scanned AS scanned;
-- Of what is due again, too, each organization has its turn, whoever was due first.
UPDATE wa.delivery SET status = 'failed', next_attempt_at = now() - interval '1 h' WHERE org_id = :'acme';
UPDATE wa.delivery SET status = 'failed', next_attempt_at = now() - interval '1 s' WHERE org_id = :'beta';
SELECT sum(c.beta) AS beta FROM generate_series(1, 3) g CROSS JOIN LATERAL claim('four' || g, 128) c;
-- A lane that is given back is due when its next delivery is.
SELECT webhook_id AS beta_webhook, lease_owner AS beta_owner FROM wa.webhook_lane WHERE org_id = :'beta' AND lease_until > now() \gset
SELECT act_for('beta') \; SELECT wa.release_lane(:'beta_owner', :'beta_webhook');
SELECT l.due_at = d.next_attempt_at AS due_then FROM wa.webhook_lane l JOIN wa.delivery d USING (org_id, webhook_id) WHERE l.org_id = :'beta';
DELETE FROM wa.delivery; DELETE FROM wa.webhook_lane; DELETE FROM wa.webhook;
-- More organizations than a claim looks at, all but one of them made within an hour, and that
-- one a year before: each is looked at by and by.
BEGIN;
CREATE FUNCTION pg_temp.id_at(at timestamptz, n integer) RETURNS uuid LANGUAGE sql AS $$
	SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n), 3, '0') || '8' || left(md5(n::text), 15))::uuid
$$;
INSERT INTO wa.org (id, name) SELECT pg_temp.id_at(now() - CASE WHEN n = 0 THEN interval '1 year' ELSE n * interval '1.8 s' END, n), 'one of many'
FROM generate_series(0, 2000) n;
INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type)
SELECT o.id, wa.uuid7(), wa.uuid7(), 1, 1, 'message.sent' FROM wa.org o WHERE o.name = 'one of many';
SELECT count(DISTINCT o) AS looked_at FROM generate_series(1, 200) n CROSS JOIN LATERAL (SELECT wa.due_organizations(CASE WHEN n > 0 THEN 250 END) AS o) due;
-- All of them, each once, if they are not more than a claim looks at.
SELECT count(*) AS offered, count(DISTINCT o) AS different FROM wa.due_organizations(3000) o;
ROLLBACK;
SELECT count(*) AS none FROM wa.due_organizations(250);
SELECT result, read FROM cost_of($$SELECT acme + beta FROM claim('five', 128)$$) \gset none_
SELECT :none_result AS claimed;
-- Nor does it matter when a connection has planned: here when there was one webhook.
\c -
SET plan_cache_mode = force_generic_plan;
SELECT make_webhooks(:'beta', 1);
VACUUM ANALYZE wa.webhook;
SELECT emit(:'beta');
SELECT * FROM claim('early', 128);
SELECT make_webhooks(:'acme', 2000);
SELECT emit(:'acme');
SELECT result, read FROM cost_of($$SELECT acme + beta FROM claim('early', 128)$$) \gset early_
SELECT :early_result AS claimed, :early_read < 20000 AS bounded;
RESET plan_cache_mode;
DELETE FROM wa.delivery; DELETE FROM wa.webhook_lane; DELETE FROM wa.webhook;

-- Nor does it depend on how an organization's messages are spread over its sessions, and on what
-- the planner believes of them.
SELECT wa.create_org('Uneven') AS uneven \gset
SELECT (array_agg(s))[1] AS busy FROM make_sessions(:'uneven', 5, 'working') s \gset
UPDATE wa.session SET lease_owner = 'uneven', lease_until = now() + interval '1 min' WHERE org_id = :'uneven';
SELECT enqueue(:'busy', 20000);
ANALYZE wa.message;
SELECT result, read < 1000 AS few FROM cost_of($$SELECT count(*) FROM wa.connector_claim('claims', 'uneven', 100, '1 min')$$);

-- What is found in an order without the organization is found in a table that nobody but
-- wa_claim may read, not even about one's own.
SELECT r AS reader FROM unnest('{wa_gateway,wa_app,wa_worker,wa_connector,wa_admin,wa_monitor,wa_claim}'::text[]) r WHERE has_any_column_privilege(r, 'wa.session_wanted', 'SELECT');
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
\c - regress_app
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.session_wanted;
SELECT wa.renew_sessions('claims', 'one', '1 min');
SELECT wa.waiting_organizations('claims', 0, 10);
SELECT wa.take_sessions('claims', 'one', 10, '1 min');
SELECT wa.wake_answers(wa.uuid7());
