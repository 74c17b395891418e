-- User tokens: what a person may do in an organization, for as long as
-- all that the token rests on is there.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
SELECT id AS oona FROM wa.create_user('oona@example.net', 'Oona', 'correct horse') \gset
SELECT id AS amir FROM wa.create_user('amir@example.net', 'Amir', 'correct horse') \gset
SELECT id AS mel FROM wa.create_user('mel@example.net', 'Mel', 'correct horse') \gset
SELECT wa.add_member(:'acme', :'oona', 'owner'), wa.add_member(:'beta', :'oona', 'member'), wa.add_member(:'acme', :'amir', 'admin'), wa.add_member(:'acme', :'mel', 'member');
SELECT cookie AS oona_cookie FROM wa.sign_in('oona@example.net', 'correct horse', '192.0.2.1', 'x') \gset
SELECT cookie AS amir_cookie FROM wa.sign_in('amir@example.net', 'correct horse', '192.0.2.1', 'x') \gset
SELECT cookie AS mel_cookie FROM wa.sign_in('mel@example.net', 'correct horse', '192.0.2.1', 'x') \gset
SELECT token AS oona_token, expires_at - now() AS lives, organization_id = :'acme' AS in_acme FROM wa.mint_user_token(:'oona_cookie') \gset
SELECT token AS amir_token FROM wa.mint_user_token(:'amir_cookie') \gset
SELECT token AS mel_token FROM wa.mint_user_token(:'mel_cookie') \gset
SELECT :'oona_token' ~ '^wau_[0-9A-Za-z]{49}$' AS well_formed, :'lives' AS lives, :'in_acme' AS in_acme;
SELECT digest = wa.hash_key(:'oona_token') AS only_a_digest FROM wa.user_token WHERE user_id = :'oona';

-- What it binds.
\c - regress_app
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.authenticate(:'oona_token') = :'oona' AS is_oona;
SELECT wa.current_org() = :'acme' AS org, wa.current_user_id() = :'oona' AS person, wa.current_key(), wa.current_sign_in() IS NOT NULL AS sign_in, wa.member_role();
SELECT organization_id = :'acme' AS org, key_id, user_id = :'oona' AS person, name, permissions FROM wa.me();
COMMIT;
SELECT wa.current_user_id(), wa.current_sign_in(), wa.member_role();
-- Permissions by role.
SELECT wa.authenticate(:'amir_token') IS NOT NULL \; SELECT name, permissions FROM wa.me();
SELECT wa.authenticate(:'mel_token') IS NOT NULL \; SELECT name, permissions FROM wa.me();
SELECT wa.authenticate(:'mel_token') IS NOT NULL \; SELECT label FROM wa.session WHERE id = :'acme_session';
SELECT wa.authenticate(:'mel_token') IS NOT NULL \; SELECT (wa.send_message(:'acme_session', '15551234567', 'text', '{"text":"hi"}')).status;
SELECT * FROM error_of(format('SELECT wa.authenticate(%L, ''manage'')', :'mel_token'));
SELECT wa.authenticate(:'mel_token') IS NOT NULL \; SELECT count(*) FROM wa.session_pairing;
SELECT wa.authenticate(:'mel_token') IS NOT NULL \; SELECT wa.create_session('x');
SELECT wa.authenticate(:'amir_token', 'manage') IS NOT NULL \; SELECT count(*) FROM wa.session_pairing;
-- A key has no role and no sign-in.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.member_role(), wa.current_sign_in(), wa.current_user_id();
-- It reads its organization's rows and no other's.
SELECT wa.authenticate(:'oona_token') IS NOT NULL \; SELECT count(*) FROM wa.session WHERE org_id <> :'acme';
-- P41: set once, among people and keys.
BEGIN; SELECT wa.authenticate(:'mel_token') IS NOT NULL; SELECT wa.authenticate(:'amir_token'); ROLLBACK;
BEGIN; SELECT wa.authenticate(:'mel_token') IS NOT NULL; SELECT wa.authenticate(:'acme_all'); ROLLBACK;
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL; SELECT wa.authenticate(:'mel_token'); ROLLBACK;
-- P11: a savepoint takes it with it.
BEGIN; SAVEPOINT a; SELECT wa.authenticate(:'mel_token') IS NOT NULL; ROLLBACK TO a; SELECT wa.current_user_id(); COMMIT;
-- P09: one prepared statement with a generic plan, two people, then nobody.
SET plan_cache_mode = force_generic_plan;
PREPARE who AS SELECT name FROM wa.me();
SELECT wa.authenticate(:'mel_token') IS NOT NULL \; EXECUTE who;
SELECT wa.authenticate(:'amir_token') IS NOT NULL \; EXECUTE who;
EXECUTE who;
DEALLOCATE who;
-- Cookies and invitations bind nobody; unknown tokens neither.
SELECT wa.authenticate(:'oona_cookie');
SELECT wa.authenticate('wai_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf4Vwuyc');
SELECT wa.authenticate('wau_0El6XFXwsUFD8J2vGxsaboW7rZYnQRBP5d9erwRwd290ziaex');
-- And a token is no cookie.
\c - :superuser
\set SHOW_CONTEXT never
SELECT * FROM error_of(format('SELECT wa.mint_user_token(%L)', :'oona_token'));
SELECT wa.sign_out(:'oona_token') AS signed_out;

-- What a person may do is what they are now, not what they were when the token
-- was made.  (That other connections hear of it: specs/sign_out.spec.)
SELECT wa.authenticate(:'mel_token', 'manage') IS NOT NULL AS manages;
SELECT wa.add_member(:'acme', :'mel', 'admin');
SELECT wa.authenticate(:'mel_token', 'manage') IS NOT NULL AS manages;
SELECT wa.add_member(:'acme', :'mel', 'member');
SELECT wa.authenticate(:'mel_token', 'manage') IS NOT NULL AS manages;
-- Removed, and added again: the old token stays worthless.
SELECT wa.remove_member(:'acme', :'mel');
SELECT wa.authenticate(:'mel_token');
SELECT wa.add_member(:'acme', :'mel', 'member');
SELECT wa.authenticate(:'mel_token');
-- Signed out.
SELECT active_org = :'acme' AS in_acme FROM wa.set_active_org(:'mel_cookie', :'acme');
SELECT token AS mel_token FROM wa.mint_user_token(:'mel_cookie') \gset
SELECT wa.authenticate(:'mel_token') IS NOT NULL AS accepted;
SELECT wa.sign_out(:'mel_cookie');
SELECT wa.authenticate(:'mel_token');
-- Also when the token's row is still there.
SELECT cookie AS mel_cookie FROM wa.sign_in('mel@example.net', 'correct horse', '192.0.2.1', 'x') \gset
SELECT token AS mel_token FROM wa.mint_user_token(:'mel_cookie') \gset
SELECT wa.authenticate(:'mel_token') IS NOT NULL AS accepted;
UPDATE wa.sign_in SET ended_at = now() WHERE digest = wa.hash_key(:'mel_cookie');
SELECT wa.authenticate(:'mel_token');
UPDATE wa.sign_in SET ended_at = NULL, expires_at = now() WHERE digest = wa.hash_key(:'mel_cookie');
SELECT wa.authenticate(:'mel_token');
UPDATE wa.sign_in SET expires_at = now() + interval '1 day' WHERE digest = wa.hash_key(:'mel_cookie');
SELECT wa.authenticate(:'mel_token') IS NOT NULL AS accepted;
-- Disabled.
UPDATE wa.app_user SET disabled_at = now() WHERE id = :'mel';
SELECT wa.authenticate(:'mel_token');
UPDATE wa.app_user SET disabled_at = NULL WHERE id = :'mel';
SELECT wa.authenticate(:'mel_token') IS NOT NULL AS accepted;
-- Expired.
UPDATE wa.user_token SET expires_at = now() WHERE digest = wa.hash_key(:'mel_token');
SELECT wa.authenticate(:'mel_token');
-- A token never outlives its sign-in.
UPDATE wa.sign_in SET expires_at = now() + interval '1 minute' WHERE digest = wa.hash_key(:'mel_cookie');
SELECT expires_at < now() + interval '2 minutes' AS bounded FROM wa.mint_user_token(:'mel_cookie');
-- Two windows of one browser: each token opens its own organization, whatever the sign-in
-- has chosen, and with the role that the person has there.
SELECT token AS beta_token FROM wa.mint_user_token(:'oona_cookie', :'beta') \gset
SELECT active_org = :'acme' AS in_acme FROM wa.signed_in(:'oona_cookie');
SELECT wa.authenticate(:'oona_token') IS NOT NULL \; SELECT wa.current_org() = :'acme' AS in_acme, wa.member_role(), wa.actor_address();
SELECT wa.authenticate(:'beta_token') IS NOT NULL \; SELECT wa.current_org() = :'beta' AS in_beta, wa.member_role(), wa.actor_address();
SELECT * FROM error_of(format('SELECT wa.authenticate(%L, ''manage'')', :'beta_token'));
SELECT active_org = :'beta' AS in_beta FROM wa.set_active_org(:'oona_cookie', :'beta');
SELECT wa.authenticate(:'oona_token') IS NOT NULL AS acme;
SELECT organization_id = :'beta' AS for_the_chosen FROM wa.mint_user_token(:'oona_cookie');
SELECT active_org = :'acme' AS in_acme FROM wa.set_active_org(:'oona_cookie', :'acme');
SELECT wa.authenticate(:'beta_token') IS NOT NULL AS beta;
-- Of an organization where the person is no member, of an invented one and of one that they
-- have left, the answer is the same.
SELECT o.name, e.* FROM (VALUES ('foreign', :'beta'), ('invented', '00000000-0000-7000-8000-000000000000')) o (name, id),
	error_of(format('SELECT wa.mint_user_token(%L, %L)', :'amir_cookie', o.id)) e;
SELECT wa.remove_member(:'beta', :'oona');
SELECT * FROM error_of(format('SELECT wa.mint_user_token(%L, %L)', :'oona_cookie', :'beta'));
SELECT wa.authenticate(:'beta_token');
SELECT wa.authenticate(:'oona_token') IS NOT NULL AS acme;
SELECT wa.add_member(:'beta', :'oona', 'member');
SELECT wa.authenticate(:'beta_token');
-- Signing out ends the tokens for all of them.
SELECT token AS beta_token FROM wa.mint_user_token(:'oona_cookie', :'beta') \gset
SELECT wa.authenticate(:'beta_token') IS NOT NULL AS beta;
SELECT wa.sign_out(:'oona_cookie');
SELECT wa.authenticate(:'oona_token');
SELECT wa.authenticate(:'beta_token');
SELECT count(*) AS tokens_left FROM wa.user_token WHERE user_id = :'oona';
-- The whole table emptied.
SELECT wa.authenticate(:'amir_token') IS NOT NULL AS accepted;
BEGIN; TRUNCATE wa.user_token; SAVEPOINT a; SELECT wa.authenticate(:'amir_token'); ROLLBACK;
SELECT wa.authenticate(:'amir_token') IS NOT NULL AS accepted;

-- A sign-in has 20 tokens at most; the oldest go first.
SELECT count(DISTINCT token) FROM generate_series(1, 25) i, LATERAL (SELECT i AS again, (wa.mint_user_token(:'amir_cookie')).token) t;
SELECT count(*) FROM wa.user_token WHERE user_id = :'amir';
SELECT wa.authenticate(:'amir_token');

-- What a person does is on record with where they signed in from.
SELECT token AS amir_token FROM wa.mint_user_token(:'amir_cookie') \gset
SELECT wa.authenticate(:'amir_token') IS NOT NULL \; SELECT id IS NOT NULL AS made FROM wa.create_api_key('by Amir', '{read}');
SELECT actor = wa.typeid('usr', :'amir') AS by_amir, action, detail ->> 'address' AS address
FROM wa.audit WHERE org_id = :'acme' AND detail ->> 'name' = 'by Amir';
-- A key made by a person outlives them: it is the organization's.
SELECT count(*) FROM wa.keys WHERE name = 'by Amir' AND status = 'live';
