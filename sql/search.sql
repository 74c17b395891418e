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
INSERT INTO message (org_id, session_id, chat_jid, direction, type, body, status)
VALUES (:'acme', :'other', '15550009999@s.whatsapp.net', 'in', 'text', 'a needle', 'delivered');
SELECT secret AS narrow FROM create_key(:'acme', 'search narrow', '{read}', sessions => ARRAY[:'session']::uuid[]) \gset
SELECT secret AS fitting FROM create_key(:'acme', 'search fitting', '{read}', sessions => ARRAY[:'other']::uuid[]) \gset
SELECT secret AS sender FROM create_key(:'acme', 'search sender', '{send}') \gset

\c - regress_app
\set SHOW_CONTEXT never
SELECT count(*) FROM wa.search_messages(:'other', 'needle');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT m.body FROM wa.search_messages(:'other', 'NEEDLE') f JOIN wa.message m ON m.id = f.id \; SELECT jid FROM wa.search_chats(:'other', 'NEEDLE');
SELECT wa.authenticate(:'fitting') IS NOT NULL \; SELECT count(*) FROM wa.search_messages(:'other', 'needle') \; SELECT count(*) FROM wa.search_chats(:'other', 'needle');
SELECT wa.authenticate(:'narrow') IS NOT NULL \; SELECT count(*) FROM wa.search_messages(:'other', 'needle') \; SELECT count(*) FROM wa.search_chats(:'other', 'needle');
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT count(*) FROM wa.search_messages(:'other', 'needle') \; SELECT count(*) FROM wa.search_chats(:'other', 'needle');
SELECT wa.authenticate(:'sender') IS NOT NULL \; SELECT count(*) FROM wa.search_messages(:'other', 'needle');
SELECT wa.authenticate(:'sender') IS NOT NULL \; SELECT count(*) FROM wa.search_chats(:'other', 'needle');
-- Keys and members are for people who manage them.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.search_api_keys('search');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.search_members('a');

\c - :superuser
-- Nothing of a session that is deleted.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.delete_session(:'other') \; SELECT count(*) FROM wa.search_messages(:'other', 'needle') \; SELECT count(*) FROM wa.search_chats(:'other', 'needle');
DELETE FROM wa.session WHERE label = 'search';
DELETE FROM wa.api_key WHERE name LIKE 'search %';
