-- Constraints must not tell whether another organization has a row (P17, P18).

SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
SELECT value AS beta_message FROM fixture WHERE name = 'beta_message' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset

-- As the owner of the function bodies, under Acme's identity: references to
-- Beta's rows and to invented ones fail alike.
\set VERBOSITY sqlstate
GRANT wa_owner TO CURRENT_USER;
BEGIN;
SELECT wa.authenticate(:'acme_all') IS NOT NULL;
SET LOCAL ROLE wa_owner;
SELECT count(*) FROM wa.session WHERE id = :'beta_session';
SAVEPOINT s;
INSERT INTO wa.chat (org_id, session_id, jid, type) VALUES (:'acme', :'beta_session', 'x', 'dm');
ROLLBACK TO s;
INSERT INTO wa.chat (org_id, session_id, jid, type) VALUES (:'acme', '00000000-0000-7000-8000-000000000000', 'x', 'dm');
ROLLBACK TO s;
INSERT INTO wa.message_action (org_id, session_id, message_id, type) VALUES (:'acme', :'acme_session', :'beta_message', 'react');
ROLLBACK TO s;
INSERT INTO wa.message_action (org_id, session_id, message_id, type) VALUES (:'acme', :'acme_session', '00000000-0000-7000-8000-000000000000', 'react');
ROLLBACK TO s;
-- An id that Beta uses is free in Acme: unique means unique in one organization.
INSERT INTO wa.session (org_id, id) VALUES (:'acme', :'beta_session');
-- Rows of another organization can't be written at all.
INSERT INTO wa.session (org_id) SELECT value::uuid FROM fixture WHERE name = 'beta';
ROLLBACK TO s;
INSERT INTO wa.session (org_id) VALUES (gen_random_uuid());
ROLLBACK TO s;
UPDATE wa.session SET org_id = gen_random_uuid();
ROLLBACK;
-- Nor can anything without an identity.
BEGIN;
SET LOCAL ROLE wa_owner;
SELECT count(*) FROM wa.session;
ROLLBACK;
BEGIN;
SET LOCAL ROLE wa_owner;
INSERT INTO wa.session (org_id) VALUES (:'acme');
ROLLBACK;
REVOKE wa_owner FROM CURRENT_USER;
