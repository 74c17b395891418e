-- Searching: which texts are the same, and that nobody finds what they may not read.  What a page
-- looks at is in pages.sql; gateway/tests/e2e/search.test.mjs has the whole.
SET search_path = wa, public, pg_temp;
\set SHOW_CONTEXT never
\set superuser :USER
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS session FROM fixture WHERE name = 'acme_session' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset

SELECT written, search_form(written) FROM (VALUES
	('Plain TEXT, 100%'), (''), ('Zoë'), (E'Zoe\u0308'), ('Łódź Ørsted Đà'), ('Straße'), ('ＦＵＬＬ'), ('ПРИВЕТ'), ('Ὀδυσσεύς'), ('שָׁלוֹם'), ('が'), ('हिन्दी'), ('👍🏽')) t (written);
SELECT search_form(NULL) IS NULL;
SELECT written, search_number(written) FROM (VALUES ('+1 (555) 123'), (' 1555'), ('1555@c.us'), ('1555x'), ('+'), ('ann')) t (written);

-- Another session, and keys that reach only one of them.
INSERT INTO session (org_id, label, status) VALUES (:'acme', 'search', 'working') RETURNING id AS other \gset
INSERT INTO chat (org_id, session_id, jid, type, name) VALUES (:'acme', :'other', '15550009999@s.whatsapp.net', 'dm', 'Needle');
INSERT INTO contact (org_id, session_id, jid, name) VALUES (:'acme', :'other', '15550009999@s.whatsapp.net', 'Needle');
INSERT INTO message (org_id, session_id, chat_jid, direction, type, body, status)
VALUES (:'acme', :'other', '15550009999@s.whatsapp.net', 'in', 'text', 'a needle', 'delivered');
SELECT secret AS narrow FROM create_key(:'acme', 'search narrow', '{read}', sessions => ARRAY[:'session']::uuid[]) \gset
SELECT secret AS fitting FROM create_key(:'acme', 'search fitting', '{read}', sessions => ARRAY[:'other']::uuid[]) \gset
SELECT secret AS sender FROM create_key(:'acme', 'search sender', '{send}') \gset

\c - regress_app
\set SHOW_CONTEXT never
SELECT count(*) FROM wa.search_messages(:'other', 'needle');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT m.body FROM wa.search_messages(:'other', 'NEEDLE') f JOIN wa.message m ON m.id = f.id \; SELECT jid FROM wa.search_chats(:'other', 'NEEDLE');
SELECT wa.authenticate(:'fitting') IS NOT NULL \; SELECT count(*) FROM wa.search_messages(:'other', 'needle') \; SELECT count(*) FROM wa.search_chats(:'other', 'needle') \; SELECT count(*) FROM wa.search_contacts(:'other', 'needle');
SELECT wa.authenticate(:'narrow') IS NOT NULL \; SELECT count(*) FROM wa.search_messages(:'other', 'needle') \; SELECT count(*) FROM wa.search_chats(:'other', 'needle') \; SELECT count(*) FROM wa.search_contacts(:'other', 'needle');
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT count(*) FROM wa.search_messages(:'other', 'needle') \; SELECT count(*) FROM wa.search_chats(:'other', 'needle') \; SELECT count(*) FROM wa.search_contacts(:'other', 'needle');
SELECT wa.authenticate(:'sender') IS NOT NULL \; SELECT count(*) FROM wa.search_messages(:'other', 'needle');
SELECT wa.authenticate(:'sender') IS NOT NULL \; SELECT count(*) FROM wa.search_chats(:'other', 'needle');
SELECT wa.authenticate(:'sender') IS NOT NULL \; SELECT count(*) FROM wa.search_contacts(:'other', 'needle');
-- Keys and members are for people who manage them.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.search_api_keys('search');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.search_members('a');

\c - :superuser
-- What is looked for has to have a form, and one that is not too long.
SELECT w.what, f.list, e.state, e.message, e.column_name FROM (VALUES (1, 'an accent', U&'\0301'), (2, 'a space of no width', U&'\200B'), (3, 'ligatures', repeat(U&'\FDFA', 100))) w (place, what, wanted),
	(VALUES ('messages'), ('chats'), ('contacts')) f (list),
	LATERAL (SELECT wa.authenticate(:'acme_all') IS NOT NULL AS bound OFFSET 0) a,
	LATERAL error_of(format('SELECT wa.search_%s(%L, %L)', f.list, :'other', w.wanted)) e WHERE a.bound ORDER BY w.place, f.list;

-- Bounds, in numbers of rows that are read and never in time, when statistics say that an
-- organization has one row.
SET search_path = wa, public, pg_temp;
CREATE FUNCTION pg_temp.rows_read(call text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	counted constant text := 'SELECT sum(CASE c.relkind WHEN ''r'' THEN pg_stat_get_xact_tuples_returned(c.oid) ELSE 0 END + pg_stat_get_xact_tuples_fetched(c.oid))
		FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = COALESCE(i.indrelid, c.oid)
		WHERE t.relnamespace = ''wa''::regnamespace AND t.relname IN (''message'', ''chat'', ''contact'', ''api_key'', ''member'', ''app_user'')';
	before numeric;
	after numeric;
BEGIN
	EXECUTE counted INTO before;
	EXECUTE 'SELECT count(*) FROM wa.' || call;
	EXECUTE counted INTO after;
	RETURN after - before;
END $$;

BEGIN;
INSERT INTO session (org_id, label, status) VALUES (:'acme', 'many', 'working') RETURNING id AS many \gset
INSERT INTO chat (org_id, session_id, jid, type, name, active_at) SELECT :'acme', :'many', 10000000000 + i || '@s.whatsapp.net', 'dm', 'chat', '2026-01-01' FROM generate_series(1, 6000) i;
INSERT INTO contact (org_id, session_id, jid, name) SELECT :'acme', :'many', 10000000000 + i || '@s.whatsapp.net', 'contact' FROM generate_series(1, 6000) i;
INSERT INTO message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
SELECT :'acme', :'many', '10000000001@s.whatsapp.net', 'in', 'text', 'hay', 'read', '2026-01-01' FROM generate_series(1, 6000) i;
SELECT id AS message_end FROM message WHERE session_id = :'many' ORDER BY id OFFSET 500 LIMIT 1 \gset
SELECT format('ALTER TABLE wa.%s ALTER org_id SET (n_distinct = -1)', t) FROM unnest('{chat,contact,message}'::text[]) t \gexec
ANALYZE wa.chat, wa.contact, wa.message;
-- Of 6,000 of one time those before the place are not read.
SELECT wa.authenticate(:'acme_all') IS NOT NULL AS bound;
SELECT c.what, rows_read <= c.most AS bounded, CASE WHEN rows_read > c.most THEN rows_read END AS too_many FROM (VALUES
	('messages', 5300, format('search_messages(%L, ''nowhere'', ''10000000001'')', :'many')),
	('messages of all chats', 5300, format('search_messages(%L, ''nowhere'')', :'many')),
	('messages behind a place', 300, format('search_messages(%L, ''hay'', ''10000000001'', ''2026-01-01'', ''2026-01-01'', %L, ''10000000001@s.whatsapp.net'', 10)', :'many', :'message_end')),
	('messages behind a place in all chats', 300, format('search_messages(%L, ''hay'', NULL, ''2026-01-01'', ''2026-01-01'', %L, ''10000000001@s.whatsapp.net'', 10)', :'many', :'message_end')),
	('chats', 5300, format('search_chats(%L, ''nowhere'')', :'many')),
	('chats behind a place', 300, format('search_chats(%L, ''chat'', NULL, NULL, ''2026-01-01'', ''10000005500@s.whatsapp.net'', 10)', :'many')),
	('contacts', 5300, format('search_contacts(%L, ''nowhere'')', :'many')),
	('contacts behind a place', 300, format('search_contacts(%L, ''contact'', ''10000005500@s.whatsapp.net'', 10)', :'many'))) c (what, most, call), LATERAL pg_temp.rows_read(c.call);
ROLLBACK;
BEGIN;
SELECT wa.create_org('Many') AS org \gset
SELECT id AS person FROM wa.create_user('many@example.com', 'Many', 'correct horse') \gset
SELECT wa.add_member(:'org', :'person', 'owner');
INSERT INTO app_user (email, name, password_hash) SELECT 'many' || i || '@example.com', 'person', u.password_hash FROM generate_series(1, 3000) i, app_user u WHERE u.id = :'person';
INSERT INTO member (org_id, user_id, role) SELECT :'org', u.id, 'member' FROM app_user u WHERE u.name = 'person';
INSERT INTO api_key (org_id, name, digest, prefix, permissions, created_by) SELECT :'org', 'key ' || i, sha256(('search ' || i)::bytea), 'wa_hayhay', '{read}', 'postgres' FROM generate_series(1, 3000) i;
SELECT cookie FROM wa.sign_in('many@example.com', 'correct horse', '192.0.2.1', 'regress') \gset
SELECT wa.set_active_org(:'cookie', :'org') IS NOT NULL AS active;
SELECT token FROM wa.mint_user_token(:'cookie') \gset
SELECT format('ALTER TABLE wa.%s ALTER org_id SET (n_distinct = -1)', t) FROM unnest('{api_key,member}'::text[]) t \gexec
ANALYZE wa.api_key, wa.member, wa.app_user;
SELECT wa.authenticate(:'token') IS NOT NULL AS bound;
-- The policy of accounts reads the members of the organization once, and not their accounts.
SELECT c.what, rows_read <= c.most AS bounded, CASE WHEN rows_read > c.most THEN rows_read END AS too_many FROM (VALUES
	('keys', 300, 'search_api_keys(''key'', NULL, 10)'),
	('members', 3300, 'search_members(''person'', NULL, 10)')) c (what, most, call), LATERAL pg_temp.rows_read(c.call);
ROLLBACK;

-- The rest of a chat that becomes active between two pages is not skipped.
BEGIN;
INSERT INTO session (org_id, label, status) VALUES (:'acme', 'turns', 'working') RETURNING id AS turns \gset
INSERT INTO chat (org_id, session_id, jid, type, active_at) VALUES (:'acme', :'turns', '1@s.whatsapp.net', 'dm', '2026-01-02'), (:'acme', :'turns', '2@s.whatsapp.net', 'dm', '2026-01-01');
INSERT INTO message (org_id, session_id, chat_jid, direction, type, body, status, sent_at)
SELECT :'acme', :'turns', c || '@s.whatsapp.net', 'in', 'text', format('chat %s hay %s', c, i), 'read', '2026-01-01'::timestamptz + i * interval '1 second' FROM generate_series(1, 2) c, generate_series(1, 3) i;
SELECT wa.authenticate(:'acme_all') IS NOT NULL AS bound;
SELECT * FROM wa.search_messages(:'turns', 'hay', max => 1) \gset turn_
UPDATE chat SET active_at = '2026-02-01' WHERE session_id = :'turns' AND jid = '1@s.whatsapp.net';
SELECT m.body, f.place_active_at = '2026-01-02' AS old_place FROM wa.search_messages(:'turns', 'hay', NULL, :'turn_place_active_at', :'turn_place_sent_at', :'turn_place', :'turn_place_chat') WITH ORDINALITY f
	JOIN message m ON m.session_id = :'turns' AND m.id = f.id ORDER BY f.ordinality;
-- A page ends behind 8 MiB of forms, which may be ten times as long as texts, and of what it fetches.
UPDATE message SET body = repeat(U&'\FDFA', 20000) WHERE session_id = :'turns';
INSERT INTO message (org_id, session_id, chat_jid, direction, type, body, status) SELECT :'acme', :'turns', '1@s.whatsapp.net', 'in', 'text', repeat(U&'\FDFA', 20000), 'read' FROM generate_series(1, 20);
SELECT count(f.id) AS found, count(*) AS rows FROM wa.search_messages(:'turns', 'nowhere', '1@s.whatsapp.net') f;
DELETE FROM message WHERE session_id = :'turns';
INSERT INTO message (org_id, session_id, chat_jid, direction, type, body, content, status)
SELECT :'acme', :'turns', '1@s.whatsapp.net', 'in', 'text', 'hay', jsonb_build_object('x', repeat('x', 100000)), 'read' FROM generate_series(1, 100);
SELECT count(f.id) AS found, count(*) AS rows FROM wa.search_messages(:'turns', 'hay', '1@s.whatsapp.net', max => 100) f;
ROLLBACK;

-- Nothing of a session that is deleted.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.delete_session(:'other') \; SELECT count(*) FROM wa.search_messages(:'other', 'needle') \; SELECT count(*) FROM wa.search_chats(:'other', 'needle') \; SELECT count(*) FROM wa.search_contacts(:'other', 'needle');
DELETE FROM wa.contact WHERE name = 'Needle';
DELETE FROM wa.session WHERE label = 'search';
DELETE FROM wa.api_key WHERE name LIKE 'search %';
