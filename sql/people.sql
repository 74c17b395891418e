-- People and organizations: accounts, members, invitations, and who may do what
-- to whom.  Each privilege beside those who do not have it.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT wa.create_org('Gamma') AS gamma, wa.create_org('Delta') AS delta \gset
INSERT INTO fixture VALUES ('gamma', :'gamma'), ('delta', :'delta');
INSERT INTO fixture SELECT 'gamma_key', secret FROM wa.create_key(:'gamma', 'all', '{read,send,manage,events}');

-- Accounts are made by administrators in psql, and by nobody else.
\c - regress_admin
\set SHOW_CONTEXT never
SELECT id AS olga, initial_password IS NULL AS given FROM wa.create_user('Olga@Example.com', 'Olga', 'correct horse') \gset
SELECT :'given' AS given;
SELECT id AS adam FROM wa.create_user('adam@example.com', 'Adam', 'correct horse') \gset
SELECT id AS mia FROM wa.create_user('mia@example.com', 'Mia', 'correct horse') \gset
SELECT id AS dora FROM wa.create_user('dora@example.com', 'Dora', 'correct horse') \gset
-- Without a password one is made up and appears once.
SELECT id AS paul, initial_password FROM wa.create_user('paul@example.com', ' Paul ') \gset
SELECT :'initial_password' ~ '^[0-9A-Za-z_-]{20}$' AS made_up;
-- What is no account.
SELECT * FROM error_of($$SELECT wa.create_user('OLGA@example.com', 'Olga', 'correct horse')$$);
SELECT left(e, 6) AS email, (error_of(format('SELECT wa.create_user(%L, ''X'', ''correct horse'')', e))).*
FROM unnest(ARRAY['', 'x', 'x@', '@x', 'x@y@z', 'x y@z', repeat('x', 250) || '@abcd', NULL]) e;
SELECT * FROM error_of($$SELECT wa.create_user('x@example.com', ' ', 'correct horse')$$);
SELECT * FROM error_of($$SELECT wa.create_user('x@example.com', 'X', 'too short')$$);
SELECT * FROM error_of($$SELECT wa.create_user('Xavier@example.com', 'X', 'xavier@example.com')$$);
SELECT * FROM error_of($$SELECT wa.create_user('x@example.com', 'X', repeat('x', 1025)::wa.password)$$);
-- Characters count, not bytes.
SELECT * FROM error_of($$SELECT wa.create_user('x@example.com', 'X', 'äöüäöüäöü')$$);
-- Administrators see accounts, but no hash, and change nothing by hand.
SELECT email, name, org, role FROM wa.people WHERE email LIKE '%@example.com' ORDER BY lower(email);
SELECT password_hash FROM wa.app_user;
SELECT * FROM wa.sign_in;
SELECT * FROM wa.user_token;
SELECT * FROM wa.invitation;
UPDATE wa.member SET role = 'owner';
INSERT INTO wa.app_user (email, name, password_hash) VALUES ('x@y', 'X', 'x');

-- Memberships.
SELECT wa.add_member(:'gamma', :'olga', 'owner'), wa.add_member(:'gamma', :'adam', 'admin'), wa.add_member(:'gamma', :'mia', 'member'),
	wa.add_member(:'delta', :'dora', 'owner'), wa.add_member(:'delta', :'adam', 'member');
SELECT wa.add_member(:'gamma', :'mia', 'member') AS again;
SELECT * FROM error_of(format('SELECT wa.add_member(%L, %L, ''king'')', :'gamma', :'mia'));
SELECT * FROM error_of(format('SELECT wa.add_member(%L, %L, NULL)', :'gamma', :'mia'));
SELECT * FROM error_of(format('SELECT wa.add_member(%L, %L, ''member'')', :'gamma', :'gamma'));
SELECT * FROM error_of(format('SELECT wa.add_member(%L, %L, ''member'')', :'mia', :'mia'));
-- The last owner stays one, also for administrators.
SELECT * FROM error_of(format('SELECT wa.add_member(%L, %L, ''admin'')', :'gamma', :'olga'));
SELECT * FROM error_of(format('SELECT wa.remove_member(%L, %L)', :'gamma', :'olga'));
SELECT wa.remove_member(:'gamma', :'dora') AS was_no_member;
SELECT email, org, role FROM wa.people WHERE email LIKE '%@example.com' ORDER BY org, lower(email);

-- None of it for others.
\c - regress_app
\set VERBOSITY terse
SELECT wa.create_user('x@example.com', 'X', 'correct horse');
SELECT wa.disable_user(:'olga');
SELECT wa.enable_user(:'olga');
SELECT wa.reset_password(:'olga');
SELECT wa.add_member(:'gamma', :'dora', 'owner');
SELECT wa.remove_member(:'gamma', :'mia');
SELECT * FROM wa.people;
SELECT email FROM wa.app_user;
SELECT role FROM wa.member;
SELECT user_id FROM wa.sign_in;
SELECT org_id FROM wa.user_token;
SELECT email FROM wa.invitation;
-- The insides are nobody's.
SELECT wa.password_key('x'), wa.password_length('x');
SELECT wa.bcrypt('x', 'y');
SELECT wa.hash_password('x');
SELECT wa.password_matches('x', 'y');
SELECT wa.verify_password('olga@example.com', 'correct horse', 'x', true);
SELECT wa.find_sign_in('was_0El6XFXwsUFD8J2vGxsaboW7rZYnQRBP5d9erwRwd291LnIqv');
SELECT wa.find_invitation('wai_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf4Vwuyc');
SELECT wa.change_member(:'gamma', :'dora', 'owner');
SELECT wa.end_sign_ins(:'olga');
SELECT wa.charge_attempt('account', 'x');
SELECT wa.refund_attempt('account', 'x');
\c - regress_nobody
SELECT wa.create_user('x@example.com', 'X', 'correct horse');
\c - :superuser
-- Nor in a transaction that acts for somebody.
\set VERBOSITY terse
SELECT value AS gamma_key FROM fixture WHERE name = 'gamma_key' \gset
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT wa.create_user('x@example.com', 'X', 'correct horse');
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT wa.add_member(:'gamma', :'dora', 'owner');
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT wa.disable_user(:'olga');
-- And nobody by mistake.
SELECT * FROM error_of('SELECT wa.disable_user(NULL)');
SELECT * FROM error_of('SELECT wa.enable_user(NULL)');
SELECT * FROM error_of('SELECT wa.reset_password(NULL)');
SELECT * FROM error_of(format('SELECT wa.remove_member(%L, NULL)', :'gamma'));
SELECT * FROM error_of(format('SELECT wa.remove_member(NULL, %L)', :'mia'));
\set VERBOSITY default

-- Everybody signs in, in Gamma; Dora in Delta.
CREATE FUNCTION public.token_of(address text, org uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	cookie wa.secret := (SELECT s.cookie FROM wa.sign_in(address, 'correct horse', '192.0.2.1', 'regress') s)::wa.secret;
BEGIN
	PERFORM wa.set_active_org(cookie, org);
	RETURN (wa.mint_user_token(cookie)).token;
END $$;
INSERT INTO fixture SELECT name, token_of(name || '@example.com', CASE name WHEN 'dora' THEN :'delta' ELSE :'gamma' END::uuid)
FROM unnest('{olga,adam,mia,dora}'::text[]) name;
SELECT value AS olga_token FROM fixture WHERE name = 'olga' \gset
SELECT value AS adam_token FROM fixture WHERE name = 'adam' \gset
SELECT value AS mia_token FROM fixture WHERE name = 'mia' \gset
SELECT value AS dora_token FROM fixture WHERE name = 'dora' \gset

-- API keys (67-api-keys.sql): an owner and an admin manage them; a member cannot,
-- a key cannot, and nobody from elsewhere.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT id AS by_olga FROM wa.create_api_key('by Olga', '{read}') \gset
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT id AS by_adam FROM wa.create_api_key('by Adam', '{send}') \gset
-- What is no list of permissions is refused, whether the key is made or changed.
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT left(p.permissions, 40) AS permissions, made.message AS made, changed.message AS changed, made.state = '22023' AND made.column_name = 'permissions' AS named
FROM (VALUES ('{red}'), ('{{read}}'), ('{read,NULL}'), ('{' || repeat('read,', 64) || 'read}'), ('{}')) p (permissions),
	error_of(format('SELECT wa.create_api_key(''x'', %L)', p.permissions)) made, error_of(format('SELECT wa.update_api_key(%L, permissions => %L)', :'by_olga', p.permissions)) changed;
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT name, permissions, created_by = wa.typeid('usr', :'adam') AS by_adam FROM wa.list_api_keys(NULL, 9);
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT wa.revoke_api_key(:'by_olga');
SELECT wa.authenticate(:'mia_token') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.create_api_key('x', '{read}')$$);
SELECT wa.authenticate(:'mia_token') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.list_api_keys(NULL, 9)$$);
SELECT wa.authenticate(:'mia_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.revoke_api_key(%L)', :'by_adam'));
SELECT wa.authenticate(:'mia_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.rotate_api_key(%L)', :'by_adam'));
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.create_api_key('x', '{read}')$$);
SELECT wa.authenticate(:'dora_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.revoke_api_key(%L)', :'by_adam'));
SELECT * FROM error_of($$SELECT wa.create_api_key('x', '{read}')$$);

-- Members: who may see them.
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT email, name, role, disabled FROM wa.list_members();
SELECT wa.authenticate(:'dora_token') IS NOT NULL \; SELECT email, role FROM wa.list_members();
SELECT wa.authenticate(:'mia_token') IS NOT NULL \; SELECT * FROM error_of('SELECT wa.list_members()');
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT * FROM error_of('SELECT wa.list_members()');
SELECT * FROM error_of('SELECT wa.list_members()');
-- An owner's token that is bound for another permission manages nobody.
SELECT wa.authenticate(:'olga_token', 'read') IS NOT NULL \; SELECT wa.current_permissions(), wa.member_role();
SELECT wa.authenticate(:'olga_token', 'read') IS NOT NULL \; SELECT * FROM error_of('SELECT wa.list_members()');
SELECT wa.authenticate(:'olga_token', 'read') IS NOT NULL \; SELECT * FROM error_of('SELECT wa.list_api_keys(NULL, 9)');
SELECT wa.authenticate(:'olga_token', 'read') IS NOT NULL \; SELECT wa.authenticate(:'olga_token', 'manage') IS NOT NULL \; SELECT count(*) FROM wa.list_members();

-- Roles: an owner changes everybody's; an admin nothing of owners; a member, a
-- key and a stranger nothing at all.
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT wa.set_member_role(:'mia', 'admin');
SELECT wa.authenticate(:'mia_token', 'manage') IS NOT NULL AS mia_is_an_admin;
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT wa.set_member_role(:'mia', 'member'), wa.set_member_role(:'mia', 'member');
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.set_member_role(%L, ''owner'')', :'mia'));
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.set_member_role(%L, ''owner'')', :'adam'));
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.set_member_role(%L, ''admin'')', :'olga'));
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.remove_member(%L)', :'olga'));
SELECT wa.authenticate(:'mia_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.set_member_role(%L, ''admin'')', :'mia'));
SELECT wa.authenticate(:'mia_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.remove_member(%L)', :'adam'));
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.set_member_role(%L, ''admin'')', :'mia'));
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.remove_member(%L)', :'mia'));
SELECT * FROM error_of(format('SELECT wa.set_member_role(%L, ''admin'')', :'mia'));
SELECT * FROM error_of(format('SELECT wa.remove_member(%L)', :'mia'));
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.set_member_role(%L, ''king'')', :'mia'));
-- A member of another organization and an invented one: the same answer (H28).
SELECT wa.authenticate(:'dora_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.set_member_role(%L, ''admin'')', :'mia'));
SELECT wa.authenticate(:'dora_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.remove_member(%L)', :'mia'));
SELECT wa.authenticate(:'dora_token') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.remove_member('00000000-0000-7000-8000-000000000000')$$);
-- Adam is a member of Delta, too; what Dora does to him there is nothing in Gamma.
SELECT wa.authenticate(:'dora_token') IS NOT NULL \; SELECT wa.remove_member(:'adam');
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT wa.member_role();
-- The last owner can neither leave nor step down; with a second one, both can.
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.remove_member(%L)', :'olga'));
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.set_member_role(%L, ''member'')', :'olga'));
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT wa.set_member_role(:'adam', 'owner');
\c - regress_admin
\set SHOW_CONTEXT never
-- ... but not while the other one's account is disabled.
SELECT wa.disable_user(:'adam'), wa.disable_user(:'adam');
SELECT * FROM error_of(format('SELECT wa.remove_member(%L, %L)', :'gamma', :'olga'));
SELECT wa.enable_user(:'adam'), wa.enable_user(:'adam');
SELECT * FROM error_of(format('SELECT wa.disable_user(%L)', :'gamma'));
SELECT * FROM error_of(format('SELECT wa.enable_user(%L)', :'gamma'));
SELECT * FROM error_of(format('SELECT wa.reset_password(%L)', :'gamma'));
\c - :superuser
UPDATE fixture SET value = token_of('adam@example.com', :'gamma') WHERE name = 'adam';
SELECT value AS adam_token FROM fixture WHERE name = 'adam' \gset
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT wa.set_member_role(:'olga', 'admin');
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT wa.member_role();
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT wa.set_member_role(:'olga', 'owner');
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT wa.set_member_role(:'adam', 'admin');

-- Invitations: an owner invites anybody, an admin no owner, others nobody.
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT id AS inv_id, secret AS inv_secret, expires_at - now() AS lives FROM wa.invite_member(' Nina@example.com', 'member') \gset
SELECT :'inv_secret' ~ '^wai_[0-9A-Za-z]{49}$' AS well_formed, :'lives' AS lives;
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.invite_member('zoe@example.com', 'owner')$$);
SELECT wa.authenticate(:'mia_token') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.invite_member('zoe@example.com', 'member')$$);
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.invite_member('zoe@example.com', 'member')$$);
SELECT * FROM error_of($$SELECT wa.invite_member('zoe@example.com', 'member')$$);
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.invite_member('MIA@example.com', 'member')$$);
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.invite_member('mia', 'member')$$);
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.invite_member('zoe@example.com', 'king')$$);
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT email, role, created_by = :'adam' AS by_adam FROM wa.list_invitations();
SELECT wa.authenticate(:'dora_token') IS NOT NULL \; SELECT count(*) FROM wa.list_invitations();
SELECT wa.authenticate(:'dora_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.withdraw_invitation(%L)', :'inv_id'));
SELECT wa.authenticate(:'mia_token') IS NOT NULL \; SELECT * FROM error_of('SELECT wa.list_invitations()');
SELECT wa.authenticate(:'mia_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.withdraw_invitation(%L)', :'inv_id'));
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT * FROM error_of('SELECT wa.list_invitations()');
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.withdraw_invitation(%L)', :'inv_id'));
-- Accepting is the gateway's, for somebody who is not signed in.
SELECT wa.accept_invitation(:'inv_secret', 'Nina', 'correct horse');
\c - :superuser
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT wa.accept_invitation(:'inv_secret', 'Nina', 'correct horse');
SELECT * FROM error_of(format('SELECT wa.accept_invitation(%L, ''Nina'', ''too short'')', :'inv_secret'));
SELECT * FROM error_of(format('SELECT wa.accept_invitation(%L, '''', ''correct horse'')', :'inv_secret'));
SELECT * FROM error_of($$SELECT wa.accept_invitation('wai_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf4Vwuyc', 'Nina', 'correct horse')$$);
SELECT * FROM error_of($$SELECT wa.accept_invitation(NULL, 'Nina', 'correct horse')$$);
-- Another kind of credential is no invitation.
SELECT * FROM error_of(format('SELECT wa.accept_invitation(%L, ''Nina'', ''correct horse'')', :'gamma_key'));
SELECT organization_id = :'gamma' AS in_gamma, email FROM wa.accept_invitation(:'inv_secret', 'Nina', 'correct horse');
-- Once.
SELECT * FROM error_of(format('SELECT wa.accept_invitation(%L, ''Nina'', ''correct horse'')', :'inv_secret'));
SELECT email, name, org, role FROM wa.people WHERE lower(email) = 'nina@example.com';
-- Who has an account already accepts with its password, and keeps name and password.
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT secret AS inv_secret FROM wa.invite_member('dora@example.com', 'owner') \gset
SELECT * FROM error_of(format('SELECT wa.accept_invitation(%L, ''Eve'', ''wrong password'')', :'inv_secret'));
SELECT user_id = :'dora' AS is_dora FROM wa.accept_invitation(:'inv_secret', 'Eve', 'correct horse');
SELECT name, org, role FROM wa.people WHERE email = 'dora@example.com' ORDER BY org;
-- A newer invitation takes the older one's place; an admin cannot do that to an
-- owner's invitation of an owner.
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT secret AS first_secret FROM wa.invite_member('zoe@example.com', 'member') \gset
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT id AS inv_id, secret AS inv_secret FROM wa.invite_member('ZOE@example.com', 'owner') \gset
SELECT * FROM error_of(format('SELECT wa.accept_invitation(%L, ''Zoe'', ''correct horse'')', :'first_secret'));
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.invite_member('zoe@example.com', 'member')$$);
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.withdraw_invitation(%L)', :'inv_id'));
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT wa.withdraw_invitation(:'inv_id'), wa.withdraw_invitation(:'inv_id');
SELECT * FROM error_of(format('SELECT wa.accept_invitation(%L, ''Zoe'', ''correct horse'')', :'inv_secret'));
-- Expired.
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT secret AS inv_secret FROM wa.invite_member('zoe@example.com', 'admin') \gset
UPDATE wa.invitation SET expires_at = now() WHERE email = 'zoe@example.com' AND withdrawn_at IS NULL;
SELECT * FROM error_of(format('SELECT wa.accept_invitation(%L, ''Zoe'', ''correct horse'')', :'inv_secret'));
-- It does not outlive the right of who invited.
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT secret AS inv_secret FROM wa.invite_member('yves@example.com', 'admin') \gset
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT wa.set_member_role(:'adam', 'member');
SELECT * FROM error_of(format('SELECT wa.accept_invitation(%L, ''Yves'', ''correct horse'')', :'inv_secret'));

-- Nor does it outlive the account of who invited, or the password that somebody else may have had.
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT secret AS inv_secret FROM wa.invite_member('uma@example.com', 'owner') \gset
BEGIN; SELECT wa.disable_user(:'olga'); SELECT count(*) AS offers FROM wa.read_invitation(:'inv_secret'); SELECT wa.enable_user(:'olga'); SELECT count(*) AS offers FROM wa.read_invitation(:'inv_secret'); ROLLBACK;
BEGIN; SELECT wa.reset_password(:'olga') IS NOT NULL AS reset; SELECT count(*) AS offers FROM wa.read_invitation(:'inv_secret'); ROLLBACK;
SELECT count(*) AS offers FROM wa.read_invitation(:'inv_secret');
-- With no name somebody says to have an account; whether there is one is not told.
SELECT * FROM error_of(format('SELECT wa.accept_invitation(%L, NULL, ''correct horse'')', :'inv_secret'));
SELECT * FROM error_of(format('SELECT wa.accept_invitation(%L, ''Uma'', ''short'')', :'inv_secret'));
-- Names and addresses that only look like others are none.
SELECT wa.is_name(E'Olga\u200b') AS zero_width, wa.is_name(E'\u202eaglO') AS turned, wa.is_name(E'\U0001F468\u200D\U0001F469\u200D\U0001F467') AS family, wa.is_email(E'olga@example.com\u200b') AS zero_width_email, wa.is_email(E'ol\u00adga@example.com') AS hyphen;

-- Everybody may leave.
SELECT wa.authenticate(:'mia_token') IS NOT NULL \; SELECT wa.remove_member(:'mia');
SELECT wa.authenticate(:'mia_token');

-- The audit log: an owner's and an admin's, of their organization.
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT actor_name, action, subject_name, left(subject, 4) AS subject, detail - '{prefix,invitation,successor}'::text[] AS detail FROM wa.list_audit(NULL, 12);
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT count(*) FROM wa.list_audit((SELECT min(id::text)::uuid FROM wa.list_audit(NULL, 3)), 2);
SELECT wa.authenticate(:'dora_token') IS NOT NULL \; SELECT DISTINCT action FROM wa.list_audit(NULL, 200) ORDER BY 1;
SELECT wa.authenticate(:'adam_token') IS NOT NULL \; SELECT * FROM error_of('SELECT wa.list_audit(NULL, 9)');
SELECT wa.authenticate(:'gamma_key') IS NOT NULL \; SELECT * FROM error_of('SELECT wa.list_audit(NULL, 9)');
SELECT * FROM error_of('SELECT wa.list_audit(NULL, 9)');

-- Whoever tries invitations that are none, or has one to somebody's account and does not
-- know the password, uses up nothing of what others have for signing in; nor do those who
-- try to sign in keep an invited person from accepting.
SELECT id AS ida FROM wa.create_user('ida@example.com', 'Ida', 'correct horse') \gset
SELECT wa.authenticate(:'olga_token') IS NOT NULL \; SELECT secret AS inv_secret FROM wa.invite_member('ida@example.com', 'member') \gset
SELECT count(error_of($$SELECT wa.accept_invitation('wai_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf4Vwuyc', 'Nina', 'correct horse')$$)) FROM generate_series(1, 60);
SELECT e.state, e.constraint_name, count(*) FROM generate_series(1, 11) n, error_of(format('SELECT wa.accept_invitation(%L, NULL, ''wrong password %s'')', :'inv_secret', n)) e GROUP BY 1, 2 ORDER BY 3;
SELECT user_id = :'ida' AS signed_in FROM wa.sign_in('ida@example.com', 'correct horse', '192.0.2.9', 'psql');
SELECT wa.refund_attempt('source', wa.attempt_key('ida@example.com', 'INVITATION ' || :'gamma'));
SELECT count(error_of($$SELECT wa.charge_attempt('account', 'ida@example.com')$$)), count(error_of($$SELECT wa.charge_attempt('hashing', 'ida@example.com')$$)) FROM generate_series(1, 110);
SELECT * FROM error_of($$SELECT wa.sign_in('ida@example.com', 'correct horse', '192.0.2.9', 'psql')$$);
SELECT user_id = :'ida' AS accepted FROM wa.accept_invitation(:'inv_secret', NULL, 'correct horse');
-- A made-up email address that looks like the other kind of key is not one.
SELECT wa.attempt_key('FROM INVITATION 00000000-0000-7000-8000-000000000000 Ida@Example.com') = wa.attempt_key('ida@example.com', 'INVITATION 00000000-0000-7000-8000-000000000000') AS meet;

-- All that isolation rests on still holds.
SELECT name, detail FROM wa.self_check() WHERE NOT passed;
-- ... and would be missed: an open grant, a hash that anybody may read, a trigger
-- that does not fire, a function that everybody may call.
BEGIN;
GRANT SELECT (role) ON wa.member TO wa_app;
GRANT SELECT (password_hash) ON wa.app_user TO wa_admin;
ALTER TABLE wa.member DISABLE TRIGGER member_invalidate;
GRANT EXECUTE ON FUNCTION wa.disable_user(wa.user_id) TO PUBLIC;
CREATE OR REPLACE FUNCTION wa.bcrypt(key text, salt text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp RETURN md5(key);
CREATE TABLE public.leak (password wa.password);
SELECT name, detail FROM wa.self_check() WHERE NOT passed ORDER BY name;
ROLLBACK;
DROP FUNCTION public.token_of(text, uuid);
