-- The data that test-upgrade moves to another server: two organizations with all kinds of
-- rows that the extension keeps, and protected tables of an application.  To be run by a
-- superuser.
\set ON_ERROR_STOP on

CREATE ROLE app LOGIN IN ROLE wa_app;

-- The keys, which the callers of the API know.
CREATE TABLE public.known (name text PRIMARY KEY, secret text NOT NULL);
GRANT SELECT ON public.known TO wa_app;

SELECT wa.create_org('Ours') AS ours, wa.create_org('Theirs') AS theirs \gset
INSERT INTO public.known
SELECT name, k.secret
FROM (VALUES ('all of ours', :'ours'::uuid, '{read,send,manage,events}'), ('reads ours', :'ours', '{read}'), ('revoked', :'ours', '{read}'),
	('expired', :'ours', '{read}'), ('rotated', :'ours', '{read}'), ('all of theirs', :'theirs', '{read,send,manage,events}')) o (name, org, permissions)
	CROSS JOIN LATERAL wa.create_key(o.org, o.name, o.permissions::wa.permissions) k;
INSERT INTO public.known SELECT 'successor', secret
FROM wa.rotate_key((SELECT id FROM wa.api_key WHERE name = 'rotated'), '1 day');
INSERT INTO public.known VALUES ('imported', 'wa_imported-from-elsewhere-0123456789');
SELECT wa.import_key(:'ours', 'imported', wa.hash_key(secret), '{read}') FROM public.known WHERE name = 'imported' \g /dev/null
INSERT INTO public.known SELECT 'test of ours', secret FROM wa.create_key(:'ours', 'test', '{read,send,manage,events}', test => true);
INSERT INTO public.known VALUES ('imported test', 'wa_test_imported-from-elsewhere-0123456789');
SELECT wa.import_key(:'ours', 'imported test', wa.hash_key(secret), '{read}', prefix => 'wa_test_', test => true) FROM public.known WHERE name = 'imported test' \g /dev/null
SELECT wa.revoke_key(id) FROM wa.api_key WHERE name = 'revoked' \g /dev/null
UPDATE wa.api_key SET expires_at = now() - interval '1 hour' WHERE name = 'expired';

-- People, one of them signed in with a browser.
SELECT id AS person FROM wa.create_user('ann@example.com', 'Ann', 'correct horse') \gset
SELECT wa.add_member(:'ours', :'person', 'owner') \g /dev/null
INSERT INTO wa.sign_in (user_id, digest, active_org, address) VALUES (:'person', sha256('cookie'), :'ours', '192.0.2.1');

-- From here on one webhook gets every event of the first organization.
INSERT INTO wa.webhook (org_id, url, secret) VALUES (:'ours', 'https://example.com/', 'whsec_0123456789abcdef');

INSERT INTO wa.session (org_id, status, label, connector)
VALUES (:'ours', 'working', 'session of Ours', 'none'), (:'theirs', 'working', 'session of Theirs', 'none');
UPDATE wa.session SET rate_per_min = 0, rate_per_hour = 0;
INSERT INTO wa.chat (org_id, session_id, jid, type)
SELECT org_id, id, '15551230001@s.whatsapp.net', 'dm' FROM wa.session;
INSERT INTO wa.contact (org_id, session_id, jid, name)
SELECT org_id, id, 'x@s.whatsapp.net', E'tab\t\\. "quote" \u00f1 \U0001f642' FROM wa.session;
INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
SELECT s.org_id, s.id, '15551230001@s.whatsapp.net', 'in', 'text', format('message %s of %s', i, s.label), 'delivered'
FROM wa.session s CROSS JOIN generate_series(1, 20) i;

-- What a test key reaches, which is the sandbox.
INSERT INTO wa.session (org_id, status, label, connector) VALUES (:'ours', 'stopped', 'sandbox of Ours', 'sandbox');

-- Queued, with an idempotency key.
BEGIN;
SELECT wa.authenticate(secret::wa.secret) FROM public.known WHERE name = 'all of ours' \g /dev/null
SELECT wa.send_message(id, '15551234567', 'text', '{"text": "queued"}') FROM wa.session WHERE org_id = :'ours' AND connector = 'none' \g /dev/null
SELECT wa.send_message(id, '15551234567', 'image', '{"media": {"data": "AAEC", "mimetype": "image/png"}}') FROM wa.session WHERE org_id = :'ours' AND connector = 'none' \g /dev/null
COMMIT;

-- One delivery has succeeded, one has failed; the others wait.
SELECT wa.claim_webhooks('worker of before', 10, '1 second') \g /dev/null
BEGIN;
SELECT wa.act_for(:'ours') \g /dev/null
SELECT w.id AS webhook FROM wa.webhook w \gset
SELECT wa.finish_deliveries('worker of before', :'webhook',
	jsonb_agg(jsonb_build_object('delivery', d.id, 'status_code', CASE n WHEN 1 THEN 200 ELSE 500 END, 'succeeded', n = 1)), false)
FROM (SELECT id, row_number() OVER () AS n FROM wa.take_deliveries('worker of before', :'webhook', 2)) d \g /dev/null
COMMIT;

-- Tables of an application: a plain one, and a partitioned one, which test keys reach.  Its last partition was
-- made after wa.protect() and is therefore closed.
CREATE TABLE public.invoice (org_id uuid NOT NULL, id int NOT NULL, note text, PRIMARY KEY (org_id, id));
CREATE TABLE public.entry (org_id uuid NOT NULL, id int NOT NULL, note text, PRIMARY KEY (org_id, id)) PARTITION BY RANGE (id);
CREATE TABLE public.entry_1 PARTITION OF public.entry FOR VALUES FROM (1) TO (10);
SELECT wa.protect('public.invoice', write => 'manage'), wa.protect('public.entry', write => 'manage', test_keys => true) \g /dev/null
CREATE TABLE public.entry_2 PARTITION OF public.entry FOR VALUES FROM (10) TO (20);
GRANT SELECT, INSERT ON public.invoice, public.entry, public.entry_1, public.entry_2 TO wa_app;
INSERT INTO public.invoice SELECT id, 1, name FROM wa.org;
INSERT INTO public.entry SELECT id, n, name FROM wa.org CROSS JOIN unnest('{1,11}'::int[]) n;
