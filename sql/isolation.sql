-- Row security for applications that send their own SQL (wa_app): with a key,
-- its organization's rows; without, errors.
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
SELECT value AS acme_send FROM fixture WHERE name = 'acme_send' \gset
SELECT value AS acme_manage FROM fixture WHERE name = 'acme_manage' \gset
SELECT value AS acme_events FROM fixture WHERE name = 'acme_events' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
SELECT value AS beta_message FROM fixture WHERE name = 'beta_message' \gset
\set superuser :USER
-- The control: both organizations' rows are there.
SELECT label FROM wa.session ORDER BY label;

\c - regress_app
\set SHOW_CONTEXT never
-- Without a key: an error on every table, never an empty answer.
SELECT * FROM wa.session;
SELECT * FROM wa.session_pairing;
SELECT * FROM wa.chat;
SELECT * FROM wa.contact;
SELECT * FROM wa.message;
SELECT * FROM wa.message_action;
SELECT count(*) FROM wa.session WHERE label = 'no such label';

-- With a key: its organization's rows.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT label FROM wa.session;
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT label FROM wa.session;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT body FROM wa.message;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.message WHERE id = :'beta_message';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.session WHERE org_id <> wa.current_org();
-- A leaky condition of the caller's own sees no other row, whatever the plan.
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off;
SELECT count(*) FROM wa.message WHERE body LIKE 'secret%' AND 1 / (CASE WHEN body LIKE '%beta' THEN 0 ELSE 1 END) = 1;
COMMIT;

-- Each command needs its permission, also where there is no row.
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT count(*) FROM wa.session;
SELECT wa.authenticate(:'acme_events') IS NOT NULL \; SELECT count(*) FROM wa.message_action;
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; SELECT count(*) FROM wa.session_pairing;
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT count(*) FROM wa.session_pairing;

-- Tables are read-only for the caller; changes go through functions.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; INSERT INTO wa.session (org_id) VALUES (wa.current_org());
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; UPDATE wa.session SET label = 'x';
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; DELETE FROM wa.message;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT 1 FROM wa.session FOR UPDATE;
TRUNCATE wa.message;
BEGIN; LOCK TABLE wa.session; ROLLBACK;
-- P28: system columns tell about other transactions.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT ctid FROM wa.session;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT xmin FROM wa.message;
SELECT currtid2('wa.session', '(0,1)');

-- Functions need one permission each, and act in the key's organization only.
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; SELECT wa.send_message(:'acme_session', '15551234567', 'text', '{"text":"hi"}');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT wa.send_message(:'acme_session', '15551234567', 'text', '{"text":"hi"}');
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT (wa.send_message(:'acme_session', '15551234567', 'text', '{"text":"hi"}')).status;
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT wa.create_session('x');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT (wa.create_session('second')).status;
SELECT wa.send_message(:'acme_session', '15551234567', 'text', '{"text":"hi"}');
SELECT wa.create_session();
-- Another organization's session and an invented one: the same answer (H28).
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT wa.send_message(:'beta_session', '15551234567', 'text', '{"text":"hi"}');
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT wa.send_message('00000000-0000-7000-8000-000000000000', '15551234567', 'text', '{"text":"hi"}');

-- P20: a permissive policy that somebody adds later does not open the table.
\c - :superuser
SET client_min_messages = warning;
CREATE POLICY careless ON wa.session FOR SELECT TO PUBLIC USING (true);
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(DISTINCT org_id) FROM wa.session;
SELECT count(*) FROM wa.session;
\c - :superuser
DROP POLICY careless ON wa.session;

-- P27: a view that an application makes has its maker's rights, and the rows
-- stay those of the key of whoever reads it.
GRANT CREATE ON SCHEMA public TO regress_app;
GRANT SELECT ON fixture TO regress_nobody;
\c - regress_app
CREATE VIEW public.every_session AS SELECT label FROM wa.session;
GRANT SELECT ON public.every_session TO regress_nobody;
CREATE MATERIALIZED VIEW public.kept AS SELECT label FROM wa.session;
\c - regress_nobody
SELECT * FROM public.every_session;
SELECT wa.current_org();
\c - :superuser
DROP VIEW public.every_session;
REVOKE CREATE ON SCHEMA public FROM regress_app;
