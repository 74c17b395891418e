-- Deliveries: made with their events, claimed by lanes, decided by the database.
\set superuser :USER
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
SELECT value AS acme_manage FROM fixture WHERE name = 'acme_manage' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
UPDATE wa.session SET rate_per_min = 0, rate_per_hour = 0;
DELETE FROM wa.webhook;
DELETE FROM wa.delivery;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT a.id AS every, s.id AS sent, n.id AS nothing, o.id AS off, f.id AS other_session
FROM wa.create_webhook('https://all.example/') a, wa.create_webhook('https://sent.example/', '{message.from_me}', :'acme_session', '{"X-A":"b"}', '{"policy":"linear","delaySeconds":100,"attempts":2}') s,
	wa.create_webhook('https://nothing.example/', '{presence.update}') n, wa.create_webhook('https://off.example/', active => false) o,
	wa.create_session('other') t, wa.create_webhook('https://other.example/', session => t.id) f \gset
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT id AS of_beta FROM wa.create_webhook('https://beta.example/') \gset
DELETE FROM wa.delivery;
CREATE FUNCTION public.open_deliveries() RETURNS TABLE (url text, type text, status text, attempts integer) LANGUAGE sql AS $$
	SELECT w.url, d.type, d.status, d.attempts FROM wa.delivery d JOIN wa.webhook w ON w.org_id = d.org_id AND w.id = d.webhook_id ORDER BY 1, d.epoch, d.ordinal, d.event_id $$;
-- A report of one attempt.
CREATE FUNCTION public.finish_delivery(owner text, webhook uuid, delivery uuid, status_code integer, problem text, succeeded boolean, retry_after integer DEFAULT NULL)
	RETURNS text LANGUAGE sql AS $$
	SELECT (wa.finish_deliveries(owner, webhook, jsonb_build_array(jsonb_build_object('delivery', delivery, 'status_code', status_code, 'problem', problem,
		'succeeded', succeeded, 'retry_after', retry_after)), false))[1] $$;

-- One for each active webhook that wants the event, in its transaction.
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; SELECT (wa.send_message(:'acme_session', '15550001111', 'text', '{"text":"gone"}')).status; ROLLBACK;
SELECT * FROM open_deliveries();
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT (wa.send_message(:'acme_session', '15550001111', 'text', '{"text":"one"}')).status, (wa.send_message(:'acme_session', '15550001111', 'text', '{"text":"two"}')).status;
SELECT * FROM open_deliveries();
SELECT count(*) AS of_events FROM wa.delivery d JOIN wa.event e ON e.org_id = d.org_id AND e.id = d.event_id AND (e.epoch, e.ordinal, e.type) = (d.epoch, d.ordinal, d.type);

-- A worker claims webhooks: each once, as long as the lease runs.
SELECT wa.claim_webhooks('', 10, '30 s');
SELECT w.url, c.lease_until > now() + interval '29 s' AS leased FROM wa.claim_webhooks('w1', 1, '30 s') c JOIN wa.webhook w ON w.id = c.webhook_id;
SELECT w.url FROM wa.claim_webhooks('w2', 10, '30 s') c JOIN wa.webhook w ON w.id = c.webhook_id ORDER BY 1;
SELECT count(*) FROM wa.claim_webhooks('w3', 10, '30 s');
SELECT lease_owner AS owner FROM wa.webhook_lane WHERE webhook_id = :'sent' \gset
SELECT lease_owner AS every_owner FROM wa.webhook_lane WHERE webhook_id = :'every' \gset
-- Nothing without acting for the organization, nor for one who does not hold the lane.
SELECT e.state, e.message FROM (VALUES ('take_deliveries(''w1'', wa.uuid7(), 10)'), ('lane_target(''w1'', wa.uuid7())'), ('release_lane(''w1'', wa.uuid7())'), ('renew_lane(''w1'', wa.uuid7(), ''10 s'')'), ('finish_deliveries(''w1'', wa.uuid7(), ''[{}]'', false)')) c (call), error_of('SELECT wa.' || call) e;
BEGIN; SELECT act_for('beta'); SELECT count(*) FROM wa.take_deliveries(:'owner', :'sent', 10); SELECT count(*) FROM wa.lane_target(:'owner', :'sent'); SELECT wa.renew_lane(:'owner', :'sent', '30 s'), wa.release_lane(:'owner', :'sent'); ROLLBACK;
BEGIN; SELECT act_for('acme'); SELECT count(*) FROM wa.take_deliveries('w9', :'sent', 10); SELECT count(*) FROM wa.lane_target('w9', :'sent'); SELECT wa.renew_lane('w9', :'sent', '30 s'), wa.release_lane('w9', :'sent'); ROLLBACK;
-- The holder gets what to send, in order, once in his turn.
BEGIN; SELECT act_for('acme');
SELECT * FROM wa.lane_target(:'owner', :'sent');
SELECT t.id, t.event_id AS event, t.envelope, d.attempts + 1 AS attempt, d.type FROM wa.take_deliveries(:'owner', :'sent', 1) t JOIN wa.delivery d USING (id) \gset one_
SELECT id, event_id AS event, envelope FROM wa.take_deliveries(:'owner', :'sent', 10) \gset two_
SELECT count(*) FROM wa.take_deliveries(:'owner', :'sent', 10);
COMMIT;
SELECT :'one_attempt' AS attempt, :'one_type' AS type, :'one_envelope'::jsonb -> 'payload' ->> 'body' AS one, :'two_envelope'::jsonb -> 'payload' ->> 'body' AS two, :'one_envelope' = (SELECT envelope FROM wa.event WHERE id = :'one_event') AS same_bytes;
-- What became of it: delivered, or to be tried again after a pause.
BEGIN; SELECT act_for('acme'); SELECT public.finish_delivery(:'owner', :'sent', :'one_id', 204, NULL, true), public.finish_delivery(:'owner', :'sent', :'one_id', 500, NULL, false) AS too_late, public.finish_delivery('w9', :'sent', :'two_id', 500, NULL, false) AS not_his, public.finish_delivery(:'owner', :'sent', :'two_id', 503, NULL, false); COMMIT;
SELECT status, attempts, status_code, error, CASE status WHEN 'failed' THEN next_attempt_at - updated_at BETWEEN '79 s' AND '121 s' END AS in_100_seconds FROM wa.delivery WHERE id IN (:'one_id', :'two_id') ORDER BY event_id;
BEGIN; SELECT act_for('acme'); SELECT count(*) AS not_due FROM wa.take_deliveries(:'owner', :'sent', 10); SELECT wa.renew_lane(:'owner', :'sent', '1 hour'), wa.release_lane(:'owner', :'sent'); COMMIT;
SELECT count(*) AS not_due FROM wa.claim_webhooks('w3', 10, '30 s');
UPDATE wa.delivery SET next_attempt_at = now() WHERE id = :'two_id';
SELECT count(*) AS due FROM wa.claim_webhooks('w3', 10, '30 s');
BEGIN; SELECT act_for('acme'); SELECT d.attempts + 1 AS attempt, t.envelope = :'two_envelope' AS same_bytes, t.event_id = :'two_event' AS same_event FROM wa.take_deliveries('w3', :'sent', 10) t JOIN wa.delivery d USING (id); SELECT public.finish_delivery('w3', :'sent', :'two_id', NULL, 'connection refused', false); COMMIT;
SELECT status, attempts, status_code, error, next_attempt_at FROM wa.delivery WHERE id = :'two_id';
-- A lane that is lost is another's, with all that was not reported; the late report of a
-- success counts, that of a failure does not.
BEGIN; SELECT act_for('acme'); SELECT id FROM wa.take_deliveries(:'every_owner', :'every', 1) \gset lost_
COMMIT;
UPDATE wa.webhook_lane SET lease_until = now() WHERE webhook_id = :'every';
SELECT count(*) FROM wa.claim_webhooks('w4', 10, '30 s');
BEGIN; SELECT act_for('acme'); SELECT count(*) AS all_of_them, max(d.attempts + 1), bool_or(id = :'lost_id') AS again FROM wa.take_deliveries('w4', :'every', 10) JOIN wa.delivery d USING (id); SELECT public.finish_delivery(:'every_owner', :'every', :'lost_id', 500, NULL, false) AS failure, public.finish_delivery(:'every_owner', :'every', :'lost_id', 200, NULL, true) AS success; COMMIT;
-- Why it failed is told in plain words, which the organization is shown.
SELECT p.problem, e.state, e.column_name FROM (VALUES ('the answer''s head is too large'), ('see https://evil.example/'), (E'one\ntwo'), ('<b>'), (''), (repeat('x', 101))) p (problem), act_for('acme'), error_of(format('SELECT public.finish_delivery(%L, %L, %L, NULL, %L, false)', 'w4', :'every', :'lost_id', p.problem)) e;
-- How long to wait.
SELECT policy, attempts, extract(epoch FROM wa.delivery_pause(policy, 2, attempts)) / seconds BETWEEN 0.79 AND 1.21 AS about
FROM (VALUES ('exponential', 1, 2.0), ('exponential', 5, 32), ('exponential', 15, 3600), ('exponential', 50, 3600), ('linear', 3, 6), ('constant', 40, 2)) p (policy, attempts, seconds);

-- Callers list, test and replay what is theirs, with manage.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status, attempts, status_code, error FROM wa.delivery WHERE webhook_id = :'sent' AND id IN (:'one_id', :'two_id') ORDER BY id;
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT count(*) FROM wa.delivery WHERE webhook_id = :'sent';
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; SELECT status FROM wa.delivery;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT envelope FROM wa.delivery;
SELECT status FROM wa.delivery;
SELECT c.call, e.state, e.constraint_name FROM (VALUES ('test_webhook(%L)'), ('read_delivery(%L, %L)'), ('replay_delivery(%L, %L)')) c (call), wa.authenticate(:'acme_read'), error_of(format('SELECT wa.' || call, :'sent', :'two_id')) e;
SELECT c.call, e.state, e.message FROM (VALUES ('test_webhook(%L)'), ('read_delivery(%L, %L)'), ('replay_delivery(%L, %L)')) c (call), wa.authenticate(:'beta_all'), error_of(format('SELECT wa.' || call, :'sent', :'two_id')) e;
SELECT e.state, e.message FROM wa.authenticate(:'acme_all'), error_of(format('SELECT wa.test_webhook(%L)', :'off')) e;
SELECT e.state, e.message FROM wa.authenticate(:'acme_all'), error_of(format('SELECT wa.replay_delivery(%L, wa.uuid7())', :'sent')) e;
SELECT e.state, e.message FROM wa.authenticate(:'acme_all'), error_of(format('SELECT wa.read_delivery(%L, wa.uuid7())', :'sent')) e;
SELECT e.state, e.message FROM wa.authenticate(:'acme_all'), error_of(format('SELECT wa.read_delivery(%L, %L)', :'every', :'two_id')) e;
-- All attempts stay, also when it is started again.  The body is for who may listen.
SELECT wa.authenticate(:'acme_all', 'manage') IS NOT NULL \; SELECT status, attempts, (SELECT jsonb_agg(a - 'at') FROM jsonb_array_elements(earlier) a) AS attempts, envelope = :'two_envelope' AS same_bytes FROM wa.read_delivery(:'sent', :'two_id');
SELECT wa.authenticate(:'acme_manage', 'manage') IS NOT NULL \; SELECT status, jsonb_array_length(earlier) AS attempts, envelope FROM wa.read_delivery(:'sent', :'two_id');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status, attempts, error FROM wa.replay_delivery(:'sent', :'two_id');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status, attempts, (SELECT jsonb_agg(a - 'at') FROM jsonb_array_elements(earlier) a) AS attempts FROM wa.read_delivery(:'sent', :'two_id');
-- One that was delivered shows that too, before and after it is started again.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT status, (SELECT jsonb_agg(a - 'at') FROM jsonb_array_elements(earlier) a) AS attempts FROM wa.read_delivery(:'sent', :'one_id');
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL AS bound; SELECT status FROM wa.replay_delivery(:'sent', :'one_id'); SELECT status, (SELECT jsonb_agg(a - 'at') FROM jsonb_array_elements(earlier) a) AS attempts FROM wa.read_delivery(:'sent', :'one_id'); ROLLBACK;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS test, type, status FROM wa.test_webhook(:'nothing') \gset
SELECT :'type' AS type, :'status' AS status;
SELECT wa.claim_webhooks('x', 1, '30 s');
SELECT wa.take_deliveries('x', :'sent', 1);
SELECT wa.act_for(:'acme');
\c - :superuser
\set SHOW_CONTEXT never
SELECT p.proname, string_agg(r.rolname, ', ' ORDER BY r.rolname) AS callers, p.proowner::regrole AS owner
FROM pg_proc p LEFT JOIN pg_roles r ON r.rolname LIKE 'wa\_%' AND r.rolname NOT IN ('wa_owner', 'wa_claim') AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
WHERE p.pronamespace = 'wa'::regnamespace AND p.proname IN ('claim_webhooks', 'take_deliveries', 'finish_deliveries', 'finish_failure', 'finish_successes', 'lane_target', 'lane_turn', 'renew_lane', 'release_lane', 'count_failure', 'delivery_pause', 'test_webhook', 'read_delivery', 'add_attempt', 'replay_delivery', 'find_webhook', 'webhook_hmac', 'webhook_signature')
GROUP BY 1, 3 ORDER BY 1;
-- A test is tried once.
SELECT w.url FROM wa.claim_webhooks('w5', 10, '30 s') c JOIN wa.webhook w ON w.id = c.webhook_id ORDER BY 1;
BEGIN; SELECT act_for('acme'); SELECT d.type, d.attempts + 1 AS attempt, t.envelope::jsonb - '{id,timestamp,organization}'::text[] = jsonb_build_object('schema', 'v1', 'event', 'webhook.test', 'payload', jsonb_build_object('webhookId', wa.typeid('wh', :'nothing'))) AS test FROM wa.take_deliveries('w5', :'nothing', 10) t JOIN wa.delivery d USING (id); SELECT public.finish_delivery('w5', :'nothing', :'test', 500, NULL, false); COMMIT;
SELECT count(*) AS events FROM wa.event WHERE type = 'webhook.test';
SELECT failures FROM wa.webhook_lane WHERE webhook_id = :'nothing';

-- The breaker: 20 failures in a row, for an hour.
UPDATE wa.webhook_lane SET failures = 19, failing_since = now() - interval '59 minutes' WHERE webhook_id = :'every';
SELECT id FROM wa.delivery WHERE webhook_id = :'every' AND status <> 'delivered' ORDER BY event_id LIMIT 1 \gset
UPDATE wa.delivery SET status = 'failed', next_attempt_at = now(), turn = NULL WHERE id = :'id';
BEGIN; SELECT act_for('acme'); SELECT count(*) FROM wa.take_deliveries('w4', :'every', 1); SELECT public.finish_delivery('w4', :'every', :'id', 500, NULL, false); COMMIT;
SELECT w.active, l.failures FROM wa.webhook w JOIN wa.webhook_lane l ON l.webhook_id = w.id WHERE w.id = :'every';
UPDATE wa.webhook_lane SET failing_since = now() - interval '61 minutes' WHERE webhook_id = :'every';
UPDATE wa.delivery SET next_attempt_at = now() WHERE id = :'id';
BEGIN; SELECT act_for('acme'); SELECT count(*) FROM wa.take_deliveries('w4', :'every', 1); SELECT public.finish_delivery('w4', :'every', :'id', NULL, 'connection refused', false); COMMIT;
SELECT active, disabled_at IS NOT NULL AS disabled, disabled_reason FROM wa.webhook WHERE id = :'every';
SELECT type, (envelope::jsonb -> 'payload') - '{id,organizationId,createdAt,updatedAt,disabledAt}'::text[] AS payload FROM wa.event WHERE type = 'webhook.disabled' AND envelope::jsonb #>> '{payload,id}' = wa.typeid('wh', :'every');
SELECT action, detail FROM wa.audit WHERE subject = :'every' AND action = 'webhook.disabled';
SELECT count(*) AS to_itself FROM wa.delivery WHERE webhook_id = :'every' AND type = 'webhook.disabled';
UPDATE wa.webhook_lane SET lease_until = now();
SELECT count(*) FILTER (WHERE webhook_id = :'every') AS claimed FROM wa.claim_webhooks('w6', 10, '30 s');
-- It is paused: what happens is kept for it.  Switched off by somebody it gets nothing.
SELECT count(wa.emit(:'acme', 'presence.update', NULL, to_json(i)::text)) FROM generate_series(1, 2) i;
SELECT count(*) AS kept FROM wa.delivery WHERE webhook_id = :'every' AND type = 'presence.update' AND status = 'pending';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT active, disabled_at IS NULL AS by_hand, disabled_reason FROM wa.update_webhook(:'every', active => false);
SELECT count(wa.emit(:'acme', 'presence.update', NULL, '3'));
SELECT count(*) AS kept FROM wa.delivery WHERE webhook_id = :'every' AND type = 'presence.update' AND status = 'pending';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT active, disabled_at, disabled_reason FROM wa.update_webhook(:'every', active => true);
SELECT count(*) AS due FROM wa.delivery WHERE webhook_id = :'every' AND type = 'presence.update' AND status = 'pending';
DELETE FROM wa.delivery WHERE type = 'presence.update';
SELECT failures, failing_since FROM wa.webhook_lane WHERE webhook_id = :'every';
UPDATE wa.delivery SET next_attempt_at = now() WHERE id = :'id';
SELECT count(*) AS claimed FROM wa.claim_webhooks('w6', 10, '30 s') WHERE webhook_id = :'every';
-- A success ends the row of failures.
UPDATE wa.webhook_lane SET failures = 19, failing_since = now() - interval '2 hours' WHERE webhook_id = :'every';
BEGIN; SELECT act_for('acme'); SELECT id FROM wa.take_deliveries('w6', :'every', 1) \gset
SELECT public.finish_delivery('w6', :'every', :'id', 200, NULL, true); COMMIT;
SELECT failures, failing_since FROM wa.webhook_lane WHERE webhook_id = :'every';

-- A receiver may ask for a longer pause than its policy has, of an hour at most; not for a shorter one.
CREATE FUNCTION public.fail(webhook uuid, status integer, retry_after integer) RETURNS TABLE (result text, waits text) LANGUAGE plpgsql AS $$
DECLARE
	one uuid;
BEGIN
	PERFORM act_for('acme');
	UPDATE wa.delivery d SET status = 'failed', attempts = 1, next_attempt_at = clock_timestamp() - interval '1 s', turn = NULL
	WHERE d.id = (SELECT min(f.id::text)::uuid FROM wa.delivery f WHERE f.webhook_id = webhook AND f.type <> 'webhook.test');
	SELECT t.id INTO one FROM wa.take_deliveries('w6', webhook, 1) t;
	result := public.finish_delivery('w6', webhook, one, status, NULL, false, retry_after);
	SELECT CASE WHEN d.next_attempt_at = 'infinity' THEN 'for ever' WHEN d.next_attempt_at < now() + interval '10 s' THEN 'its own pause'
		ELSE (round(extract(epoch FROM d.next_attempt_at - now()) / 10) * 10)::text END INTO waits FROM wa.delivery d WHERE d.id = one;
	RETURN NEXT;
END $$;
UPDATE wa.webhook SET retry_delay_seconds = 1, retry_attempts = 50 WHERE id = :'every';
SELECT f.* FROM unnest('{NULL,0,-5,120,3600,86400,2147483647}'::integer[]) asked, fail(:'every', 503, asked) f;
-- One that is gone for good is believed at once, and those who listen are told.
SELECT * FROM fail(:'every', 410, NULL);
SELECT active, disabled_at IS NOT NULL AS disabled, disabled_reason FROM wa.webhook WHERE id = :'every';
SELECT envelope::jsonb #>> '{payload,disabledReason}' AS told FROM wa.event WHERE type = 'webhook.disabled' ORDER BY epoch DESC, ordinal DESC, id DESC LIMIT 1;
SELECT detail ->> 'reason' AS noted FROM wa.audit WHERE subject = :'every' ORDER BY id DESC LIMIT 1;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT active, disabled_reason FROM wa.update_webhook(:'every', active => true);
DROP FUNCTION public.fail;
-- A webhook that is bound to a session goes with it, and those who listen are told; others stay.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS doomed FROM wa.create_session() \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS bound FROM wa.create_webhook('https://bound.example/', session => :'doomed') \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.delete_session(:'doomed');
SELECT count(*) FILTER (WHERE id = :'bound') AS bound, count(*) FILTER (WHERE id = :'every') AS every FROM wa.webhook;
SELECT session_id = :'doomed' AS of_session, envelope::jsonb #>> '{payload,id}' = wa.typeid('wh', :'bound') AS names_it, envelope::jsonb #>> '{payload,active}' AS active, envelope::jsonb #>> '{payload,disabledReason}' AS reason
FROM wa.event WHERE type = 'webhook.disabled' AND session_id = :'doomed';
SELECT count(*) AS to_the_other FROM wa.delivery WHERE webhook_id = :'every' AND type = 'webhook.disabled' AND session_id = :'doomed';
SELECT action, detail FROM wa.audit WHERE subject = :'bound' AND action = 'webhook.disabled';
DELETE FROM wa.delivery WHERE type = 'webhook.disabled';

-- What a call answers holds no bytes; the place of a test is one whose epoch is noted.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT t.envelope IS NULL AS no_bytes, t.epoch AS test_epoch FROM wa.test_webhook(:'every') t \gset
SELECT :'no_bytes' AS no_bytes, EXISTS (SELECT FROM wa.event_epoch WHERE epoch = :'test_epoch') AS noted;
-- That an active webhook is saved is no other chance; that one is made active again is.
UPDATE wa.webhook_lane SET failures = 19, failing_since = now() - interval '2 hours' WHERE webhook_id = :'every';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT active FROM wa.update_webhook(:'every', active => true);
SELECT failures FROM wa.webhook_lane WHERE webhook_id = :'every';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT active FROM wa.update_webhook(:'every', active => false);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT active FROM wa.update_webhook(:'every', active => true);
SELECT failures FROM wa.webhook_lane WHERE webhook_id = :'every';

-- What is over goes; an event that expires leaves its bytes to what is still open.
SELECT d.id, d.event_id AS event, e.envelope FROM wa.delivery d JOIN wa.event e ON e.id = d.event_id WHERE d.webhook_id = :'sent' AND d.id = :'two_id' \gset kept_
UPDATE wa.event SET created_at = now() - interval '8 days' WHERE org_id = :'acme';
SELECT wa.housekeep('events', 10000) > 0 AS events;
SELECT count(*) AS left FROM wa.event WHERE org_id = :'acme';
SELECT envelope = :'kept_envelope' AS kept FROM wa.delivery WHERE id = :'kept_id';
SELECT count(*) AS lost FROM wa.delivery WHERE org_id = :'acme' AND status <> 'delivered' AND envelope IS NULL;
SELECT e.state, e.message FROM wa.authenticate(:'acme_all'), error_of(format('SELECT wa.replay_delivery(%L, %L)', :'sent', :'one_id')) e;
SELECT wa.housekeep('deliveries');
UPDATE wa.delivery SET id = (overlay(id::text PLACING '01500000-0000' FROM 1 FOR 13))::uuid WHERE org_id = :'acme';
SELECT count(*) FILTER (WHERE d.status IN ('delivered', 'dead') OR NOT w.active) AS over, count(*) FILTER (WHERE d.status IN ('pending', 'failed') AND w.active) AS open FROM wa.delivery d JOIN wa.webhook w ON w.id = d.webhook_id WHERE d.org_id = :'acme' \gset n_
SELECT :n_over > 1 AS over, :n_open > 0 AS open;
SELECT wa.housekeep('deliveries', 1), wa.housekeep('deliveries', 10000) = :n_over - 1 AS over;
SELECT count(*) = :n_open AS open FROM wa.delivery WHERE org_id = :'acme';
DELETE FROM wa.webhook WHERE org_id = :'acme';
SELECT wa.housekeep('deliveries', 10000) = :n_open AS of_nobody;
SELECT count(*) FROM wa.delivery WHERE org_id = :'acme';
DELETE FROM wa.webhook;
DELETE FROM wa.delivery;
DELETE FROM wa.session WHERE label = 'other';
DROP FUNCTION public.open_deliveries();

-- One organization with many webhooks leaves places to others, and takes what is beyond them.
UPDATE wa.webhook SET active = false;
INSERT INTO wa.webhook (org_id, url, secret, events)
SELECT :'acme', 'https://many' || i || '.example/', 'a-secret-of-sixteen', '{presence.update}' FROM generate_series(1, 40) i;
INSERT INTO wa.webhook (org_id, url, secret, events) VALUES (:'beta', 'https://one.example/', 'a-secret-of-sixteen', '{presence.update}');
SELECT wa.emit(value::uuid, 'presence.update', NULL, '4') IS NOT NULL AS emitted FROM fixture WHERE name IN ('acme', 'beta');
CREATE FUNCTION public.claimed(owner text, max integer) RETURNS TABLE (org text, webhooks bigint) LANGUAGE sql AS $$
	SELECT f.name, count(*) FROM wa.claim_webhooks(owner, max, '30 s') c JOIN fixture f ON f.value = c.org_id::text AND f.name IN ('acme', 'beta') GROUP BY 1 ORDER BY 1 $$;
-- Of 34 places 2 are for everybody: no more than 32 for one, and those in turns.
SELECT * FROM claimed('s1', 34);
SELECT * FROM claimed('s1', 32);
SELECT * FROM claimed('s1', 36);
SELECT * FROM claimed('s2', 128);
UPDATE wa.webhook_lane SET lease_until = now() WHERE lease_owner IN ('s1', 's2');
-- With few places the organizations take turns.
SELECT * FROM claimed('s3', 2);
SELECT * FROM claimed('s3', 2);
UPDATE wa.webhook_lane SET lease_until = now() WHERE lease_owner IN ('s3');
SELECT * FROM claimed('s4', 128);
DROP FUNCTION public.claimed;

-- Reports of many attempts at once say of each what it was worth, in the order of the report,
-- and count as if each had been reported by itself.
DELETE FROM wa.delivery; DELETE FROM wa.webhook_lane; DELETE FROM wa.webhook;
INSERT INTO wa.webhook (org_id, url, secret, events, retry_delay_seconds, retry_attempts)
SELECT :'acme', format('https://%s.example/', n), 'a-secret-of-sixteen', '{presence.update}', 60, 3 FROM unnest('{batch,single}'::text[]) n;
SELECT id AS batch FROM wa.webhook WHERE url = 'https://batch.example/' \gset
SELECT id AS single FROM wa.webhook WHERE url = 'https://single.example/' \gset
-- So many new deliveries, numbered in the order of their events, all of them taken.
CREATE FUNCTION public.take_anew(count integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM act_for('acme');
	DELETE FROM wa.delivery;
	DELETE FROM wa.webhook_lane;
	PERFORM wa.emit((SELECT value::uuid FROM fixture WHERE name = 'acme'), 'presence.update', NULL, to_json(i)::text) FROM generate_series(1, count) i;
	INSERT INTO wa.webhook_lane (org_id, webhook_id, lease_owner, lease_until, turn) SELECT org_id, id, 'b1', now() + interval '1 hour', 1 FROM wa.webhook;
	UPDATE wa.delivery SET turn = 1;
END $$;
CREATE FUNCTION public.nth(hook uuid, n integer) RETURNS uuid LANGUAGE sql AS $$
	SELECT d.id FROM wa.delivery d WHERE d.webhook_id = hook ORDER BY d.epoch, d.ordinal, d.event_id OFFSET n - 1 LIMIT 1 $$;
-- '1+' is a success of the first, '2-' a failure of the second, '3x' that its receiver is gone.
CREATE FUNCTION public.results(hook uuid, said text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_object('delivery', COALESCE(public.nth(hook, left(r, -1)::integer), wa.uuid7()), 'succeeded', right(r, 1) = '+',
		'status_code', CASE right(r, 1) WHEN '+' THEN 200 WHEN 'x' THEN 410 ELSE 500 END) ORDER BY n)
	FROM unnest(string_to_array(said, ' ')) WITH ORDINALITY u (r, n) $$;
CREATE FUNCTION public.state_of(hook uuid) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s; failures %s, active %s', (
		SELECT string_agg(concat_ws(' ', d.status, d.attempts, d.status_code, d.error, d.turn), ', ' ORDER BY d.epoch, d.ordinal, d.event_id) FROM wa.delivery d WHERE d.webhook_id = hook),
		l.failures, w.active) FROM wa.webhook_lane l JOIN wa.webhook w ON w.id = l.webhook_id WHERE w.id = hook $$;
BEGIN; SELECT take_anew(6); SELECT wa.finish_deliveries('b1', :'batch', results(:'batch', '2+ 1- 3- 5+ 4- 2+ 4+ 99+ 99-'), false); SELECT state_of(:'batch'); ROLLBACK;
-- Another worker's successes count, its failures do not; another organization's nothing.
BEGIN; SELECT take_anew(3); SELECT wa.finish_deliveries('b2', :'batch', results(:'batch', '1+ 2- 3+'), false); SELECT state_of(:'batch'); ROLLBACK;
SELECT take_anew(1);
BEGIN; SELECT results(:'batch', '1+') AS of_acme \gset
SELECT act_for('beta'); SELECT wa.finish_deliveries('b1', :'batch', :'of_acme', true); SELECT state_of(:'batch'); ROLLBACK;
-- Twenty in a row with one in between are not twenty in a row; the twentieth counts before what comes after it.
BEGIN; SELECT take_anew(3); UPDATE wa.webhook_lane SET failures = 19, failing_since = now() - interval '2 hours'; SELECT wa.finish_deliveries('b1', :'batch', results(:'batch', '1+ 2- 3-'), false); SELECT state_of(:'batch'); ROLLBACK;
BEGIN; SELECT take_anew(3); UPDATE wa.webhook_lane SET failures = 19, failing_since = now() - interval '2 hours'; SELECT wa.finish_deliveries('b1', :'batch', results(:'batch', '1- 2+ 3-'), false); SELECT state_of(:'batch'); ROLLBACK;
BEGIN; SELECT take_anew(3); SELECT wa.finish_deliveries('b1', :'batch', results(:'batch', '1+ 2x 3+'), false); SELECT state_of(:'batch'); ROLLBACK;
-- Successes that follow each other are one command.
BEGIN; SELECT take_anew(8); SELECT cardinality(wa.finish_deliveries('b1', :'batch', results(:'batch', '1+ 2+ 3+ 4+ 5+ 6+ 7+ 8+'), false)); SELECT count(DISTINCT cmin::text) AS commands FROM wa.delivery WHERE webhook_id = :'batch'; ROLLBACK;
BEGIN; SELECT take_anew(8); SELECT cardinality(wa.finish_deliveries('b1', :'batch', results(:'batch', '1+ 2+ 3+ 4- 5+ 6+ 7+ 8+'), false)); SELECT count(DISTINCT cmin::text) AS commands FROM wa.delivery WHERE webhook_id = :'batch'; ROLLBACK;
-- Any report at all: together as one by one.
CREATE FUNCTION public.together_as_alone(batch uuid, single uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text := (SELECT string_agg(1 + floor(random() * 6)::integer || (CASE WHEN random() < 0.5 THEN '+' WHEN random() < 0.98 THEN '-' ELSE 'x' END), ' ')
		FROM generate_series(1, 1 + floor(random() * 12)::integer));
	one text;
	answers text[];
	each text[] := '{}';
BEGIN
	PERFORM take_anew(5);
	UPDATE wa.webhook SET active = true, disabled_at = NULL, disabled_reason = NULL;
	UPDATE wa.webhook_lane SET failures = 18, failing_since = now() - interval '2 hours';
	UPDATE wa.delivery SET attempts = 1;
	answers := wa.finish_deliveries('b1', batch, results(batch, said), false);
	FOREACH one IN ARRAY string_to_array(said, ' ') LOOP
		each := each || wa.finish_deliveries('b1', single, results(single, one), false);
	END LOOP;
	IF answers IS DISTINCT FROM each OR state_of(batch) IS DISTINCT FROM state_of(single) THEN
		RETURN format('%s: %s %s; %s %s', said, answers, state_of(batch), each, state_of(single));
	END IF;
	RETURN 'the same';
END $$;
BEGIN; SELECT act_for('acme'); SELECT DISTINCT together_as_alone(:'batch', :'single') FROM generate_series(1, 25); ROLLBACK;
-- Of a report with anything wrong nothing is noted.
SELECT take_anew(2);
SELECT r.what, e.state, e.column_name FROM (VALUES ('none', '[]'::jsonb), ('no array', '{}'), ('null', NULL), ('an element that is no object', '[1]'), ('not plain', results(:'batch', '1+ 2-') || '[{"problem":"<b>"}]'),
	('too many', (SELECT jsonb_agg('{}'::jsonb) FROM generate_series(1, 257)))) r (what, results), act_for('acme'), error_of(format('SELECT wa.finish_deliveries(%L, %L, %L, false)', 'b1', :'batch', r.results)) e;
SELECT state_of(:'batch');
-- With the last report the webhook is given back, by its holder only.
BEGIN; SELECT act_for('acme'); SELECT wa.finish_deliveries('b2', :'batch', results(:'batch', '1+'), true); SELECT lease_owner FROM wa.webhook_lane WHERE webhook_id = :'batch'; SELECT wa.finish_deliveries('b1', :'batch', results(:'batch', '2-'), true); SELECT l.lease_owner, l.due_at = d.next_attempt_at AS due_then FROM wa.webhook_lane l JOIN wa.delivery d USING (webhook_id) WHERE webhook_id = :'batch' AND d.status = 'failed'; ROLLBACK;
-- Behind the last one that was taken only what is new; from the start also what was replayed.
SELECT take_anew(4); UPDATE wa.delivery SET turn = NULL;
BEGIN; SELECT act_for('acme'); SELECT array_agg(is_new) AS new FROM wa.take_deliveries('b1', :'batch', 2) t; SELECT nth(:'batch', 2) AS second \gset
COMMIT;
UPDATE wa.delivery SET turn = NULL WHERE id = nth(:'batch', 1);
UPDATE wa.delivery SET turn = NULL, status = 'failed', attempts = 1, next_attempt_at = now() WHERE id = nth(:'batch', 2);
BEGIN; SELECT act_for('acme'); SELECT t.id = nth(:'batch', 1) AS first, t.id = nth(:'batch', 2) AS second, t.is_new FROM wa.take_deliveries('b1', :'batch', 10, :'second') t; SELECT t.id = nth(:'batch', 1) AS first FROM wa.take_deliveries('b1', :'batch', 10) t; ROLLBACK;
BEGIN; SELECT act_for('acme'); SELECT count(*) AS one_that_is_gone FROM wa.take_deliveries('b1', :'batch', 10, wa.uuid7()); ROLLBACK;
-- Rows of what was delivered stay in the index while an older snapshot may need them, as they do
-- here until the end of the transaction.  Behind the last one a taking does not pass them.
CREATE FUNCTION public.read_by_taking(hook uuid, after uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	index constant oid := 'wa.delivery_new'::regclass;
	before constant bigint := pg_stat_get_xact_tuples_returned(index);
BEGIN
	PERFORM FROM wa.take_deliveries('b1', hook, 10, after);
	RETURN pg_stat_get_xact_tuples_returned(index) - before;
END $$;
SELECT take_anew(400);
UPDATE wa.delivery SET turn = NULL;
BEGIN; SELECT act_for('acme');
DO $$
DECLARE
	hook constant uuid := (SELECT w.id FROM wa.webhook w WHERE w.url = 'https://batch.example/');
BEGIN
	FOR i IN 1 .. 30 LOOP
		PERFORM wa.finish_deliveries('b1', hook, (SELECT jsonb_agg(jsonb_build_object('delivery', t.id, 'succeeded', true, 'status_code', 200))
			FROM wa.take_deliveries('b1', hook, 10) t), false);
	END LOOP;
END $$;
SELECT count(*) FROM wa.delivery WHERE webhook_id = :'batch' AND status = 'delivered';
SELECT read_by_taking(:'batch', nth(:'batch', 300)) < 100 AS behind_the_last, read_by_taking(:'batch', NULL) > 300 AS from_the_start;
ROLLBACK;
DROP FUNCTION public.read_by_taking;
DROP FUNCTION public.together_as_alone, public.take_anew, public.state_of, public.results, public.nth, public.finish_delivery;
