-- A connector that stalls for longer than its lease, while another one has its messages: what
-- it says of a success counts, what it says of a failure does not.
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.claimed(owner text) RETURNS TABLE (attempt integer, maybe_sent boolean) LANGUAGE sql AS $$
	UPDATE wa.session SET lease_owner = owner, lease_until = now() + interval '1 min' WHERE connector = 'swap';
	UPDATE wa.message SET lease_until = now() - interval '1 s' WHERE lease_until IS NOT NULL;
	SELECT c.attempt, c.maybe_sent FROM wa.connector_claim('swap', owner, 10, '1 min') c $$;
CREATE FUNCTION pg_temp.acted(owner text) RETURNS TABLE (attempt integer, maybe_sent boolean) LANGUAGE sql AS $$
	UPDATE wa.session SET lease_owner = owner, lease_until = now() + interval '1 min' WHERE connector = 'swap';
	UPDATE wa.message_action SET lease_until = now() - interval '1 s' WHERE lease_until IS NOT NULL;
	SELECT c.attempt, c.maybe_sent FROM wa.connector_actions('swap', owner, 10, '1 min') c $$;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS session FROM wa.create_session('swap', connector => 'answers') \gset
-- One that no other test uses.
UPDATE wa.session SET connector = 'swap' WHERE id = :'session';
SELECT count(*) FROM wa.connector_sessions('swap', 'a', 10, '1 min');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'session', 'a', 'working', '15550009999', '15550009999@s.whatsapp.net');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS message FROM wa.send_message(:'session', '15551119999', 'text', '{"text":"hi"}') \gset
SELECT * FROM pg_temp.claimed('a');
SELECT * FROM pg_temp.claimed('b');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_failed(:'message', 'stalled', attempt => 1) AS late, wa.connector_failed(:'message', 'stalled', true, 1) AS late_retry;
SELECT status, lease_owner, error FROM wa.message WHERE id = :'message';

-- Whoever could not find out whether it was sent hands the doubt on, to the claim and no further.
SELECT wa.act_for(:'acme') \; SELECT wa.connector_failed(:'message', 'no network', true, 2, true) AS in_doubt, wa.connector_failed(:'message', 'no network', true, 1) AS late;
SELECT status, lease_owner, lease_until > now() AS later FROM wa.message WHERE id = :'message';
SELECT count(*) AS not_before_then FROM wa.connector_claim('swap', 'b', 10, '1 min');
SELECT * FROM pg_temp.claimed('b');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_failed(:'message', 'no network', true, 3) AS certain, wa.connector_failed(:'message', 'no network', true, 3) AS twice;
SELECT * FROM pg_temp.claimed('b');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_sent(:'message', 'S1', now()) AS late_success, wa.connector_failed(:'message', 'x', attempt => 4) AS then_failed;

-- So it is with actions, and in lists of reports.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS action FROM wa.react_to_message(:'session', :'message', '👍') \gset
SELECT * FROM pg_temp.acted('a');
SELECT * FROM pg_temp.acted('b');
SELECT wa.act_for(:'acme') \; SELECT r.changed, r.error FROM wa.connector_report(json_build_array(
	json_build_object('report', 'action_failed', 'action', :'action', 'error', 'stalled', 'attempt', 1),
	json_build_object('report', 'action_failed', 'action', :'action', 'error', 'no network', 'attempt', 2, 'retry', true, 'maybe_sent', true),
	json_build_object('report', 'action_failed', 'action', :'action', 'attempt', 2))) r;
SELECT * FROM pg_temp.acted('b');
SELECT wa.act_for(:'acme') \; SELECT wa.connector_action_failed(:'action', 'gone', attempt => 3) AS failed;
SELECT status, error FROM wa.message_action WHERE id = :'action';
