-- Signatures of webhook requests: made by the database, for what a worker has taken and
-- nothing else, so that no worker ever sees a secret.
\set SHOW_CONTEXT never
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
UPDATE wa.session SET rate_per_min = 0, rate_per_hour = 0;
DELETE FROM wa.webhook;
DELETE FROM wa.delivery;

-- Public vectors: RFC 4231 (test case 2), WAHA's documentation, the Standard Webhooks libraries.
SELECT wa.webhook_hmac('Jefe', 'what do ya want for nothing?') = '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554'
	'9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737' AS rfc_4231;
SELECT wa.webhook_hmac('my-secret-key', '{"event":"message","session":"default","engine":"WEBJS"}') ~ '^208f8a55dde9e055[0-9a-f]{102}076153fa89$' AS waha;
\set secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
\set body '{"test": 2432232314}'
SELECT wa.webhook_signature(:'secret', 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, :'body') AS standard_webhooks;
-- Id, time, body and secret: with each of them changed it is another signature.
SELECT count(DISTINCT wa.webhook_signature(secret, id, seconds, body)) AS of_five FROM (VALUES
	(:'secret', 'msg_1', 1614265330, :'body'), (:'secret' || 'w', 'msg_1', 1614265330, :'body'), (:'secret', 'msg_2', 1614265330, :'body'),
	(:'secret', 'msg_1', 1614265331, :'body'), (:'secret', 'msg_1', 1614265330, :'body' || ' ')) v (secret, id, seconds, body);
SELECT count(DISTINCT wa.webhook_hmac(secret, body)) AS of_three FROM (VALUES ('a', 'b'), ('A', 'b'), ('a', 'B')) v (secret, body);
-- The key of Standard Webhooks is what the secret holds in base64 behind whsec_, padded or not; what is no base64 is the key as it stands.
SELECT secret, wa.webhook_signature(secret, 'i', 0, 'b') = split_part(wa.webhook_signature(key, 'i', 0, 'b'), ' ', 1) AS same FROM (VALUES
	('whsec_YWJjZA==', 'abcd'), ('whsec_YWJjZA', 'abcd'), ('whsec_YWJjZGU=', 'abcde'), ('whsec_YWJjZGU', 'abcde'), ('whsec_YWJjZGVm', 'abcdef'),
	('whsec_YWJjZA=', 'abcd'), ('whsec_YWJjZA===', 'abcd'), ('whsec_YWJjZGVm====', 'abcdef'), ('whsec_YWJj=ZA', 'abcd'), ('whsec_YWJ jZA', 'abcd'), ('whsec_YWJjZ', 'abcd'),
	('whsec_====', ''), ('whsec_', ''), ('WHSEC_YWJjZA==', 'abcd'), ('YWJjZA==', 'abcd')) v (secret, key);
-- The libraries of Standard Webhooks decode a secret without the prefix too: if it is base64 there is a signature for each of the two keys.
SELECT secret, wa.webhook_signature(secret, 'i', 0, 'b') = wa.webhook_signature('whsec_' || encode(convert_to(secret, 'UTF8'), 'base64'), 'i', 0, 'b')
	|| COALESCE(' ' || wa.webhook_signature('whsec_' || decodes, 'i', 0, 'b'), '') AS same FROM (VALUES
	('abcdefghijklmnop', 'abcdefghijklmnop'), ('YWJjZA==', 'YWJjZA=='), ('YWJjZA', 'YWJjZA=='), ('my-own-secret-of-mine', NULL), ('YWJjZA=', NULL), ('whsec_no-base64', NULL)) v (secret, decodes);
SELECT wa.webhook_hmac('whsec_YWJjZA==', 'b') <> wa.webhook_hmac('abcd', 'b') AS waha_takes_the_text;
-- Of any length, and none at all; a key longer than a block of the digest is its digest (RFC 2104).
SELECT length, length(wa.webhook_hmac(repeat('k', length), 'b')) AS hmac, length(wa.webhook_signature(repeat('k', length), 'i', 0, 'b')) AS signature,
	length(wa.webhook_signature('whsec_' || repeat('kkkk', length), 'i', 0, 'b')) AS decoded FROM unnest('{0,1,63,64,65,128,129,200,100000}'::int[]) length;
SELECT wa.webhook_signature('whsec_' || rtrim(translate(encode(convert_to(repeat('k', 65), 'UTF8'), 'base64'), E'\n', ''), '='), 'i', 0, 'b')
	= wa.webhook_signature('whsec_' || encode(sha256(convert_to(repeat('k', 65), 'UTF8')), 'base64'), 'i', 0, 'b') AS rfc_2104;
SELECT wa.webhook_hmac(NULL, 'b') IS NULL AND wa.webhook_hmac('k', NULL) IS NULL AND wa.webhook_signature(NULL, 'i', 0, 'b') IS NULL
	AND wa.webhook_signature('k', 'i', 0, NULL) IS NULL AS of_nothing_nothing;
-- What a worker takes is signed with the webhook's secret, at the time of the taking.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT w.id AS hook, w.secret FROM wa.create_webhook('https://signed.example/', '{message.from_me}', custom_headers => '{"Authorization":"theirs"}') w \gset
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(wa.send_message(:'acme_session', '15550001111', 'text', jsonb_build_object('text', repeat('x', 2000 * i)))) FROM generate_series(1, 3) i;
CREATE VIEW public.expected AS
	SELECT d.id, wa.webhook_hmac(w.secret, e.envelope) AS hmac, w.secret, wa.typeid('evt', e.id) AS event, e.envelope
	FROM wa.delivery d JOIN wa.webhook w ON w.org_id = d.org_id AND w.id = d.webhook_id JOIN wa.event e ON e.org_id = d.org_id AND e.id = d.event_id;
CREATE TABLE public.taken (round text, at timestamptz DEFAULT clock_timestamp(), id uuid, envelope text, signed_ms bigint, hmac text, signature text);
CREATE FUNCTION public.take(round text, owner text, webhook uuid, max integer DEFAULT 10) RETURNS bigint LANGUAGE sql AS $$
	WITH t AS (SELECT * FROM wa.take_deliveries(owner, webhook, max)), i AS (
	INSERT INTO public.taken (round, id, envelope, signed_ms, hmac, signature) SELECT round, t.id, t.envelope, t.signed_ms, t.hmac, t.signature FROM t RETURNING 1)
	SELECT count(*) FROM i $$;
SELECT count(*) AS claimed FROM wa.claim_webhooks('w1', 10, '30 s');
SELECT wa.epoch_ms(clock_timestamp()) AS began \gset
BEGIN; SELECT act_for('acme'); SELECT take('first', 'w1', :'hook'); COMMIT;
SELECT t.envelope = e.envelope AS body, t.hmac = e.hmac AS hmac, t.signature = wa.webhook_signature(e.secret, e.event, t.signed_ms / 1000, e.envelope) AS signature,
	t.signed_ms BETWEEN :began AND wa.epoch_ms(t.at) AS now
FROM taken t JOIN expected e USING (id) WHERE t.round = 'first' ORDER BY length(t.envelope);
-- Nothing without the lane, for another organization, for another owner, a second time in the turn, after the lease, and when the webhook is off.
SELECT take('nobody', 'w1', :'hook');
BEGIN; SELECT act_for('acme'); SELECT take('again', 'w1', :'hook'), take('other', 'w2', :'hook'); COMMIT;
BEGIN; SELECT act_for('beta'); SELECT take('other organization', 'w1', :'hook'); SELECT count(*) FROM wa.lane_target('w1', :'hook'); COMMIT;
UPDATE wa.delivery SET turn = NULL;
BEGIN; SELECT act_for('acme'); SELECT take('other', 'w2', :'hook'); COMMIT;
BEGIN; SELECT act_for('beta'); SELECT take('other organization', 'w1', :'hook'); COMMIT;
UPDATE wa.webhook SET active = false;
BEGIN; SELECT act_for('acme'); SELECT take('off', 'w1', :'hook'); COMMIT;
UPDATE wa.webhook SET active = true;
UPDATE wa.webhook_lane SET lease_until = now();
BEGIN; SELECT act_for('acme'); SELECT take('late', 'w1', :'hook'); COMMIT;
SELECT count(*) AS untaken FROM wa.delivery WHERE turn IS NULL;
SELECT round FROM taken WHERE round <> 'first';
-- Each attempt is taken anew and signed anew: the same bytes at another time.
SELECT pg_sleep(1.1);
SELECT count(*) AS claimed FROM wa.claim_webhooks('w2', 10, '30 s');
BEGIN; SELECT act_for('acme'); SELECT take('second', 'w2', :'hook'); COMMIT;
SELECT count(*), bool_and(s.envelope = f.envelope AND s.hmac = f.hmac) AS same_bytes, bool_and(s.signed_ms / 1000 > f.signed_ms / 1000) AS later, bool_or(s.signature = f.signature) AS same_signature
FROM taken f JOIN taken s USING (id) WHERE (f.round, s.round) = ('first', 'second');
-- While a secret is replaced both sign, the new one first, and X-Webhook-Hmac is the new one's; then the new one alone.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.rotate_webhook_secret(:'hook', 'the-second-secret') \; SELECT * FROM error_of(format('SELECT wa.rotate_webhook_secret(%L, NULL, 604801)', :'hook'));
UPDATE wa.delivery SET turn = NULL;
BEGIN; SELECT act_for('acme'); SELECT take('both', 'w2', :'hook', 1); COMMIT;
UPDATE wa.webhook SET previous_secret_until = now();
BEGIN; SELECT act_for('acme'); SELECT take('new', 'w2', :'hook', 1); COMMIT;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.rotate_webhook_secret(:'hook', 'the-third-secret', 0);
BEGIN; SELECT act_for('acme'); SELECT take('at once', 'w2', :'hook', 1); COMMIT;
SELECT t.round, t.hmac = wa.webhook_hmac(s.secret, t.envelope) AS hmac, t.signature = s.one || COALESCE(' ' || s.other, '') AS signature
FROM taken t JOIN expected e USING (id) JOIN LATERAL (
	SELECT secret, wa.webhook_signature(secret, e.event, t.signed_ms / 1000, e.envelope) AS one, wa.webhook_signature(previous, e.event, t.signed_ms / 1000, e.envelope) AS other
	FROM (VALUES ('both', 'the-second-secret', :'secret'), ('new', 'the-second-secret', NULL), ('at once', 'the-third-secret', NULL)) v (round, secret, previous)
	WHERE v.round = t.round) s ON true
ORDER BY t.at;
-- A test is signed like any other; what has lost its event has nothing to sign.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT t.id AS test FROM wa.test_webhook(:'hook') t \gset
DELETE FROM wa.event WHERE id = (SELECT event_id FROM wa.delivery WHERE type <> 'webhook.test' ORDER BY id LIMIT 1);
UPDATE wa.delivery SET turn = NULL;
BEGIN; SELECT act_for('acme'); SELECT take('test', 'w2', :'hook'); COMMIT;
SELECT t.id = :'test' AS test, t.envelope IS NULL AS gone, t.hmac = wa.webhook_hmac('the-third-secret', t.envelope) AS hmac,
	t.signature = wa.webhook_signature('the-third-secret', wa.typeid('evt', d.event_id), t.signed_ms / 1000, t.envelope) AS signature
FROM taken t JOIN wa.delivery d USING (id) WHERE t.round = 'test' ORDER BY 1, 2;

-- The worker cannot sign by itself, nor read a secret: nothing that it may call or read has one.
SELECT p.proname, a.name FROM pg_proc p CROSS JOIN unnest(p.proargnames, p.proargmodes) a (name, mode)
WHERE p.pronamespace = 'wa'::regnamespace AND has_function_privilege('wa_worker', p.oid, 'EXECUTE') AND a.mode <> 'i' AND a.name ~ 'secret';
SELECT p.proname FROM pg_proc p WHERE p.prorettype = 'wa.webhook'::regtype AND has_function_privilege('wa_worker', p.oid, 'EXECUTE');
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p') AND has_column_privilege('wa_worker', c.oid, a.attnum, 'SELECT');
SELECT p.proname, p.proowner::regrole AS owner, p.proacl::text !~ '[{,]=' AS closed, r.rolname AS callers
FROM pg_proc p LEFT JOIN pg_roles r ON r.rolname LIKE 'wa\_%' AND r.rolname <> 'wa_owner' AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
WHERE p.pronamespace = 'wa'::regnamespace AND p.proname IN ('webhook_hmac', 'webhook_signature') ORDER BY 1;
DROP VIEW public.expected;
DROP TABLE public.taken;
DROP FUNCTION public.take(text, text, uuid, integer);
DELETE FROM wa.webhook;
DELETE FROM wa.delivery;
