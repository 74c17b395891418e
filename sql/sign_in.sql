-- Signing in: passwords, cookies, and limits on guessing.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT wa.create_org('Alpha') AS alpha, wa.create_org('Omega') AS omega, wa.create_org('Elsewhere') AS elsewhere \gset
SELECT id AS sue FROM wa.create_user('Sue@example.org', 'Sue', 'correct horse') \gset
SELECT wa.add_member(:'alpha', :'sue', 'owner'), wa.add_member(:'omega', :'sue', 'member');

-- wa.password: whatever goes in, asterisks come out, and nothing compares it.
SELECT 'correct horse'::wa.password, ''::wa.password, NULL::wa.password, ROW('x'::wa.password, 1);
SELECT encode(wa.password_send('x'), 'escape');
\set VERBOSITY terse
SELECT 'x'::wa.password = 'x'::wa.password;
SELECT 'x'::wa.password < 'x'::wa.password;
SELECT DISTINCT 'x'::wa.password;
SELECT 'x'::wa.password::bytea;
SELECT repeat('x', 1025)::wa.password;
\set VERBOSITY default
SELECT count(*) FROM pg_cast WHERE 'wa.password'::regtype IN (castsource, casttarget);
-- The value does not hold the text: what it is in a catalog is a digest.
CREATE VIEW public.readable AS SELECT 'bbbbbbbbbbbbbbbb'::text AS x;
CREATE VIEW public.sealed AS SELECT 'bbbbbbbbbbbbbbbb'::wa.password AS x;
SELECT c.relname, r.ev_action ~ repeat('98 ', 10) AS text_is_there FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relname IN ('readable', 'sealed') ORDER BY 1;
DROP VIEW public.readable, public.sealed;
-- What is hashed is the digest, all of it, with bcrypt of cost 12.
SELECT wa.password_key('x') = encode(sha256('wa_apikeys password x'), 'hex') AS key;
SELECT left(wa.hash_password('x'), 7) AS kind, left(wa.nobodys_hash(), 7) AS kind_of_nobody,
	length(wa.nobodys_hash()) = length(wa.hash_password('x')) AS same_length;
SELECT wa.password_matches((repeat('x', 100) || 'a')::wa.password, wa.hash_password((repeat('x', 100) || 'b')::wa.password)) AS cut_off;
-- It is the one that pgcrypto has, but of its library: the extension can be there
-- or not, in any schema, and be anybody's.
CREATE EXTENSION pgcrypto;
SELECT wa.bcrypt('x', wa.nobodys_hash()) = crypt('x', wa.nobodys_hash()) AS pgcrypto;
DROP EXTENSION pgcrypto CASCADE;
CREATE FUNCTION public.crypt(text, text) RETURNS text LANGUAGE sql AS $$ SELECT $2 $$;
SELECT wa.password_matches('correct horse', u.password_hash) AS right, wa.password_matches('wrong', u.password_hash) AS wrong
FROM wa.app_user u WHERE u.id = :'sue';
DROP FUNCTION public.crypt(text, text);

-- The gateway's alone.
\c - regress_app
\set VERBOSITY terse
SELECT wa.sign_in('sue@example.org', 'correct horse', '192.0.2.1', 'x');
SELECT wa.sign_out('was_0El6XFXwsUFD8J2vGxsaboW7rZYnQRBP5d9erwRwd291LnIqv');
SELECT wa.signed_in('was_0El6XFXwsUFD8J2vGxsaboW7rZYnQRBP5d9erwRwd291LnIqv');
SELECT wa.set_active_org('was_0El6XFXwsUFD8J2vGxsaboW7rZYnQRBP5d9erwRwd291LnIqv', :'alpha');
SELECT wa.mint_user_token('was_0El6XFXwsUFD8J2vGxsaboW7rZYnQRBP5d9erwRwd291LnIqv');
SELECT wa.change_password('was_0El6XFXwsUFD8J2vGxsaboW7rZYnQRBP5d9erwRwd291LnIqv', 'x', 'correct horse');
\c - regress_admin
SELECT wa.sign_in('sue@example.org', 'correct horse', '192.0.2.1', 'x');
\c - :superuser
SELECT r.rolname, array_agg(f ORDER BY f) AS may FROM pg_roles r,
	unnest('{sign_in,sign_out,signed_in,set_active_org,mint_user_token,change_password,accept_invitation}'::text[]) f
	JOIN pg_proc p ON p.pronamespace = 'wa'::regnamespace AND p.proname = f
WHERE r.rolname LIKE 'wa\_%' AND r.rolname <> 'wa_owner' AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
GROUP BY 1 ORDER BY 1;
\set VERBOSITY default
\set SHOW_CONTEXT never

-- A sign-in, in any case of letters; a wrong password, an unknown and a disabled
-- account are the same error.
SELECT cookie, user_id = :'sue' AS is_sue, expires_at - now() AS lives FROM wa.sign_in(' SUE@example.org', 'correct horse', '192.0.2.1', 'Browser') \gset
SELECT :'is_sue' AS is_sue, :'lives' AS lives, :'cookie' ~ '^was_[0-9A-Za-z]{49}$' AS well_formed;
SELECT id AS off FROM wa.create_user('off@example.org', 'Off', 'correct horse') \gset
SELECT wa.disable_user(:'off');
SELECT * FROM error_of($$SELECT wa.sign_in('sue@example.org', 'wrong', '192.0.2.1', 'x')$$);
SELECT * FROM error_of($$SELECT wa.sign_in('nobody@example.org', 'wrong', '192.0.2.1', 'x')$$);
SELECT * FROM error_of($$SELECT wa.sign_in('off@example.org', 'correct horse', '192.0.2.1', 'x')$$);
SELECT * FROM error_of($$SELECT wa.sign_in('sue@example.org', NULL, '192.0.2.1', 'x')$$);
SELECT * FROM error_of($$SELECT wa.sign_in(NULL, 'wrong', '192.0.2.1', 'x')$$);
SELECT * FROM error_of($$SELECT wa.sign_in('sue@example.org', 'correct horse', 'here', 'x')$$);
SELECT * FROM error_of($$SELECT wa.sign_in('sue@example.org', 'correct horse', NULL, 'x')$$);
-- ... after the same work: one bcrypt for each attempt, of the same cost.
SET track_functions = 'all';
CREATE FUNCTION public.work_of(email text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before constant bigint := COALESCE((SELECT sum(calls) FROM pg_stat_xact_user_functions WHERE funcname = 'whole_bcrypt'), 0);
BEGIN
	FOR i IN 1..3 LOOP
		PERFORM error_of(format('SELECT wa.sign_in(%L, ''wrong'', ''192.0.2.2'', ''x'')', email));
	END LOOP;
	RETURN (SELECT sum(calls) FROM pg_stat_xact_user_functions WHERE funcname = 'whole_bcrypt') - before;
END $$;
SELECT work_of('sue@example.org') AS known, work_of('nobody@example.org') AS unknown, work_of('off@example.org') AS disabled;
SELECT DISTINCT left(hash, 7) AS cost FROM (
	SELECT u.password_hash AS hash FROM wa.app_user u WHERE u.email IN ('sue@example.org', 'off@example.org')
	UNION ALL SELECT wa.nobodys_hash()) AS hashes;
DROP FUNCTION public.work_of(text);
RESET track_functions;

-- Only a digest is stored.
SELECT s.digest = wa.hash_key(:'cookie') AS digest, s.address, s.user_agent FROM wa.sign_in s WHERE s.user_id = :'sue';
-- Who is signed in; the first organization by name is active.
SELECT user_id = :'sue' AS is_sue, email, name, active_org = :'alpha' AS in_alpha,
	(SELECT jsonb_agg(o - 'id') FROM jsonb_array_elements(organizations) o) AS organizations,
	organizations -> 0 ->> 'id' = wa.typeid('org', :'alpha') AS alpha_first
FROM wa.signed_in(:'cookie');
-- No cookie, an unknown one, another kind of credential: nobody.
SELECT * FROM error_of('SELECT wa.signed_in(NULL)');
SELECT * FROM error_of($$SELECT wa.signed_in('was_0El6XFXwsUFD8J2vGxsaboW7rZYnQRBP5d9erwRwd291LnIqv')$$);
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT * FROM error_of(format('SELECT wa.signed_in(%L)', :'acme_all'));
SELECT wa.sign_out(NULL) AS nobody, wa.sign_out(:'acme_all') AS a_key;
SELECT * FROM error_of('SELECT wa.mint_user_token(NULL)');
SELECT * FROM error_of(format('SELECT wa.set_active_org(NULL, %L)', :'alpha'));
SELECT * FROM error_of($$SELECT wa.change_password(NULL, 'correct horse', 'battery staple')$$);
-- Not in a transaction that acts for somebody.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.signed_in(%L)', :'cookie'));
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.mint_user_token(%L)', :'cookie'));
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.sign_in('sue@example.org', 'correct horse', '192.0.2.1', 'x')$$);

-- The active organization is one of the person's own; the next sign-in begins there.
SELECT active_org = :'omega' AS in_omega FROM wa.set_active_org(:'cookie', :'omega');
SELECT * FROM error_of(format('SELECT wa.set_active_org(%L, %L)', :'cookie', :'elsewhere'));
SELECT * FROM error_of(format('SELECT wa.set_active_org(%L, ''00000000-0000-7000-8000-000000000000'')', :'cookie'));
SELECT * FROM error_of(format('SELECT wa.set_active_org(%L, NULL)', :'cookie'));
SELECT cookie AS second FROM wa.sign_in('sue@example.org', 'correct horse', '2001:db8::1', 'Phone') \gset
SELECT active_org = :'omega' AS in_omega FROM wa.signed_in(:'second');
-- Each sign-in has a cookie of its own (H22).
SELECT :'cookie' <> :'second' AS another;
-- Removed from it, the person works nowhere until they choose.
SELECT wa.remove_member(:'omega', :'sue');
SELECT active_org, jsonb_array_length(organizations) AS organizations FROM wa.signed_in(:'second');
SELECT * FROM error_of(format('SELECT wa.mint_user_token(%L)', :'second'));
SELECT active_org = :'alpha' AS in_alpha FROM wa.set_active_org(:'second', :'alpha');

-- Idle for 12 hours, or 7 days old: over.  Use counts, to the minute.
UPDATE wa.sign_in SET used_at = now() - interval '11 hours 59 minutes' WHERE user_id = :'sue';
SELECT name FROM wa.signed_in(:'second');
SELECT now() - used_at < interval '1 minute' AS noted FROM wa.sign_in WHERE digest = wa.hash_key(:'second');
UPDATE wa.sign_in SET used_at = now() - interval '12 hours' WHERE digest = wa.hash_key(:'second');
SELECT * FROM error_of(format('SELECT wa.signed_in(%L)', :'second'));
UPDATE wa.sign_in SET used_at = now(), expires_at = now() WHERE digest = wa.hash_key(:'second');
SELECT * FROM error_of(format('SELECT wa.signed_in(%L)', :'second'));
UPDATE wa.sign_in SET expires_at = now() + interval '1 hour' WHERE digest = wa.hash_key(:'second');
SELECT name FROM wa.signed_in(:'second');

-- Changing the password: the old one is asked for, and the others are signed out.
SELECT * FROM error_of(format('SELECT wa.change_password(%L, ''wrong'', ''battery staple'')', :'cookie'));
SELECT * FROM error_of(format('SELECT wa.change_password(%L, ''correct horse'', ''short'')', :'cookie'));
SELECT * FROM error_of(format('SELECT wa.change_password(%L, ''correct horse'', ''sue@example.org'')', :'cookie'));
SELECT name FROM wa.signed_in(:'second');
SELECT wa.change_password(:'cookie', 'correct horse', 'battery staple');
SELECT name FROM wa.signed_in(:'cookie');
SELECT * FROM error_of(format('SELECT wa.signed_in(%L)', :'second'));
SELECT * FROM error_of($$SELECT wa.sign_in('sue@example.org', 'correct horse', '192.0.2.1', 'x')$$);
SELECT cookie AS second FROM wa.sign_in('sue@example.org', 'battery staple', '192.0.2.1', 'x') \gset
-- An administrator's reset signs out everywhere.
SELECT wa.reset_password(:'sue') AS reset \gset
SELECT * FROM error_of(format('SELECT wa.signed_in(%L)', :'cookie'));
SELECT cookie FROM wa.sign_in('sue@example.org', :'reset', '192.0.2.1', 'x') \gset
-- So does disabling, and enabling brings no sign-in back.
SELECT wa.disable_user(:'sue');
SELECT * FROM error_of(format('SELECT wa.signed_in(%L)', :'cookie'));
SELECT wa.enable_user(:'sue');
SELECT * FROM error_of(format('SELECT wa.signed_in(%L)', :'cookie'));
-- Signing out: once.
SELECT cookie FROM wa.sign_in('sue@example.org', :'reset', '192.0.2.1', 'x') \gset
SELECT wa.sign_out(:'cookie'), wa.sign_out(:'cookie');
SELECT * FROM error_of(format('SELECT wa.signed_in(%L)', :'cookie'));
-- A person keeps 20 sign-ins; what is long over is forgotten.
INSERT INTO wa.sign_in (user_id, digest, used_at, expires_at)
SELECT :'sue', sha256(convert_to('sign-in ' || i, 'UTF8')), now(), now() + CASE i WHEN 1 THEN '-31 days' ELSE '1 day' END::interval
FROM generate_series(1, 30) i;
SELECT cookie FROM wa.sign_in('sue@example.org', :'reset', '192.0.2.1', 'x') \gset
SELECT count(*) FILTER (WHERE ended_at IS NULL) AS live, count(*) FILTER (WHERE expires_at < now() - interval '30 days') AS old
FROM wa.sign_in WHERE user_id = :'sue';
SELECT name FROM wa.signed_in(:'cookie');
SELECT action, detail FROM wa.audit WHERE org_id = :'alpha' AND subject = :'sue' ORDER BY id;

-- Limits.  An error with the seconds to wait.
CREATE FUNCTION public.attempt(email text, password text, address text, device text DEFAULT NULL, OUT state text, OUT constraint_name text, OUT seconds int)
	LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM wa.sign_in(email, password::wa.password, address, 'x', device::wa.secret);
	state := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, constraint_name = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
	seconds := substring(detail FROM '^[0-9]+ ');
END $$;
SELECT id AS tim FROM wa.create_user('tim@example.org', 'Tim', 'correct horse') \gset
-- Ten attempts at an account from one address, in other letters, some of them in
-- transactions and savepoints that are rolled back; they count all the same.
SELECT (attempt('tim@example.org', 'wrong', '198.51.100.1')).state FROM generate_series(1, 3) i;
BEGIN; SELECT (attempt('tim@example.org', 'wrong', '198.51.100.1')).state; ROLLBACK;
BEGIN; SAVEPOINT s; SELECT wa.sign_in('tim@example.org', 'wrong', '198.51.100.1', 'x'); ROLLBACK TO s; SELECT wa.sign_in('TIM@example.org', 'wrong', '198.51.100.1', 'x'); ROLLBACK;
-- What is right is not counted, how often ever.
SELECT (attempt('tim@example.org', 'correct horse', '198.51.100.1')).state FROM generate_series(1, 5);
SELECT (attempt(' Tim@Example.Org ', 'wrong', '198.51.100.1')).state FROM generate_series(8, 11) i;
SELECT state, constraint_name, seconds BETWEEN 1 AND 60 AS wait FROM attempt('tim@example.org', 'wrong', '198.51.100.1');
-- The right password does not help there now, and the refusal takes no work.
SELECT state, constraint_name FROM attempt('tim@example.org', 'correct horse', '198.51.100.1');
-- Another connection finds the same counts; other accounts are not affected, nor is the
-- person at any other address.
\c - :superuser
\set SHOW_CONTEXT never
SELECT state, constraint_name FROM attempt('tim@example.org', 'correct horse', '198.51.100.1');
SELECT state FROM attempt('sue@example.org', :'reset', '198.51.100.1');
SELECT state FROM attempt('tim@example.org', 'correct horse', '198.51.100.12');
-- A hundred from many addresses: then a stranger's right password does not help either.
SELECT device_cookie AS device FROM wa.sign_in('tim@example.org', 'correct horse', '198.51.100.12', 'x') \gset
SELECT device_cookie AS sues FROM wa.sign_in('sue@example.org', :'reset', '198.51.100.12', 'x') \gset
SELECT :'device' ~ '^wad_[0-9A-Za-z]{49}$' AS well_formed, :'device' <> :'sues' AS another;
SELECT error_of($$SELECT wa.charge_attempt('account', 'tim@example.org')$$) FROM generate_series(1, 100) \g /dev/null
SELECT state, constraint_name FROM attempt('tim@example.org', 'correct horse', '198.51.100.13');
-- ... but the browser in which the person has signed in before lets them in: it stands for
-- them, for nobody else, and is no sign-in itself.
SELECT state, constraint_name FROM attempt('tim@example.org', 'correct horse', '198.51.100.13', :'device');
SELECT user_id = :'tim' AS is_tim, device_cookie FROM wa.sign_in(' TIM@example.org', 'correct horse', '198.51.100.14', 'x', :'device');
SELECT state, constraint_name FROM attempt('tim@example.org', 'correct horse', '198.51.100.13', :'sues');
SELECT state, constraint_name FROM attempt('tim@example.org', 'correct horse', '198.51.100.13', 'wad_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf37DHLq');
SELECT state, constraint_name FROM attempt('tim@example.org', 'wrong', '198.51.100.13', :'device');
SELECT * FROM error_of(format('SELECT wa.signed_in(%L)', :'device'));
SELECT wa.authenticate(:'device');
SELECT cookie FROM wa.sign_in('sue@example.org', :'reset', '198.51.100.12', 'x') \gset
SELECT state, constraint_name FROM attempt('tim@example.org', 'correct horse', '198.51.100.13', :'cookie');
-- Not even an address that is used up stops it; and what is wrong there stops nothing else.
SELECT error_of(format('SELECT wa.charge_attempt(%L, %L)', 'address', wa.address_key('198.51.100.20'))) FROM generate_series(1, 50) \g /dev/null
SELECT state, constraint_name FROM attempt('sue@example.org', :'reset', '198.51.100.20');
SELECT state, constraint_name FROM attempt('sue@example.org', :'reset', '198.51.100.20', :'sues');
SELECT state, constraint_name, count(*) FROM generate_series(1, 11) n, attempt('sue@example.org', 'wrong ' || n, '198.51.100.21', :'sues') GROUP BY 1, 2 ORDER BY 3;
SELECT state FROM attempt('sue@example.org', :'reset', '198.51.100.21');
-- Right passwords are counted for the work that they are; wrong ones are not beside it.
SELECT id AS uwe FROM wa.create_user('uwe@example.org', 'Uwe', 'correct horse') \gset
SELECT state, count(*) FROM generate_series(1, 2) n, attempt('uwe@example.org', 'wrong', '198.51.100.30') GROUP BY 1;
SELECT wa.charge_attempt('hashing', 'uwe@example.org') FROM generate_series(1, 29) \g /dev/null
SELECT state, constraint_name FROM attempt('uwe@example.org', 'correct horse', '198.51.100.30');
SELECT state, constraint_name, seconds BETWEEN 1 AND 10 AS wait FROM attempt('uwe@example.org', 'correct horse', '198.51.100.30');
-- A person keeps ten browsers; a reset forgets them all, a changed password none.
SELECT count(*) AS new FROM generate_series(1, 10) n, wa.sign_in('sue@example.org', :'reset', '198.51.100.12', 'x ' || n) WHERE device_cookie IS NOT NULL;
SELECT count(*) AS kept FROM wa.device WHERE user_id = :'sue';
SELECT (wa.find_device(:'sues')).user_id IS NOT NULL AS still_known;
SELECT cookie, device_cookie AS sues FROM wa.sign_in('sue@example.org', :'reset', '198.51.100.12', 'x') \gset
SELECT d.digest = wa.hash_key(:'sues') AS digest_only FROM wa.device d WHERE d.user_id = :'sue' ORDER BY d.id DESC LIMIT 1;
SELECT wa.change_password(:'cookie', :'reset', 'battery staple');
SELECT count(*) AS kept FROM wa.device WHERE user_id = :'sue';
SELECT wa.reset_password(:'sue') AS reset \gset
SELECT count(*) AS kept FROM wa.device WHERE user_id = :'sue';
SELECT cookie FROM wa.sign_in('sue@example.org', :'reset', '192.0.2.1', 'x') \gset
-- Nobody but the function bodies sees them, and those do not when they act for an organization.
SELECT has_table_privilege(r.rolname, 'wa.device', 'SELECT') AS may, count(*) FROM pg_roles r WHERE r.rolname LIKE 'wa\_%' AND r.rolname <> 'wa_owner' GROUP BY 1;
-- An account that does not exist is limited as one that does (H21).
SELECT wa.charge_attempt('account', 'nobody@example.net') FROM generate_series(1, 100) \g /dev/null
SELECT state, constraint_name, seconds BETWEEN 1 AND 60 AS wait FROM attempt('nobody@example.net', 'wrong', '198.51.100.12');
SELECT state, constraint_name, count(*) FROM generate_series(1, 11) n, attempt('nobody@example.com', 'wrong ' || n, '198.51.100.22') GROUP BY 1, 2 ORDER BY 3;
-- What one limit refuses is charged to no other: it has cost no hash, so that attempts at
-- an account that is closed use up neither addresses nor what is counted at them.
SELECT state, constraint_name, count(*) FROM generate_series(1, 60) n, attempt('nobody@example.net', 'wrong', '198.51.100.50') GROUP BY 1, 2;
SELECT wa.refund_attempt('account', 'nobody@example.net');
SELECT state, constraint_name FROM attempt('nobody@example.net', 'wrong', '198.51.100.50');
SELECT * FROM error_of($$SELECT wa.charge_attempts('{account,hashing}', '{x}')$$);
SELECT * FROM error_of($$SELECT wa.charge_attempts('{account,hashing,account,hashing,account}', '{a,b,c,d,e}')$$);
SELECT * FROM error_of($$SELECT wa.charge_attempts('{account,weather}', '{x,y}')$$);
SELECT * FROM error_of($$SELECT wa.charge_attempts('{account,weather}', '{x,NULL}')$$);
-- A transaction that ends before it has hashed a password has tried nothing and is not
-- counted; one that has hashed is, however it ends (P34).
BEGIN; SELECT wa.charge_attempt('source', 'unhashed') FROM generate_series(1, 7) \g /dev/null
ROLLBACK;
BEGIN; SELECT wa.charge_attempt('source', 'unhashed') FROM generate_series(1, 6) \g /dev/null
SELECT wa.password_matches('wrong', NULL) AS matches;
SELECT wa.charge_attempt('source', 'unhashed') FROM generate_series(1, 4) \g /dev/null
ROLLBACK;
SELECT state, count(*) FROM generate_series(1, 10) n, error_of(format('SELECT wa.charge_attempt(%L, %L) AS charge_%s', 'source', 'unhashed', n)) GROUP BY 1 ORDER BY 1;
-- Whoever is signed in can change the password, however many strangers have tried it; and
-- has as many attempts at the old one.
SELECT error_of($$SELECT wa.charge_attempt('account', 'sue@example.org')$$), error_of($$SELECT wa.charge_attempt('hashing', 'sue@example.org')$$) FROM generate_series(1, 40) \g /dev/null
SELECT e.state, e.constraint_name, count(*) FROM generate_series(1, 11) n, error_of(format('SELECT wa.change_password(%L, ''wrong %s'', ''battery staple'')', :'cookie', n)) e GROUP BY 1, 2 ORDER BY 3;
-- An address: fifty attempts, whatever the accounts; in IPv6 a whole /64.
SELECT wa.charge_attempt('address', wa.address_key('203.0.113.1')) FROM generate_series(1, 49) \g /dev/null
SELECT state, constraint_name FROM attempt('x@example.org', 'wrong', '203.0.113.1');
SELECT state, constraint_name, seconds BETWEEN 1 AND 10 AS wait FROM attempt('y@example.org', 'wrong', '203.0.113.1');
SELECT state FROM attempt('y@example.org', 'wrong', '203.0.113.2');
SELECT state, constraint_name FROM attempt('y@example.org', 'wrong', '::ffff:203.0.113.1');
SELECT a, wa.address_key(wa.client_address(a)) FROM unnest(ARRAY['203.0.113.1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::9', '2001:db8:1:3::9', '::ffff:203.0.113.1', '::1']) a;
SELECT * FROM error_of($$SELECT wa.charge_attempt('weather', 'x')$$);
-- What cannot be right is refused for nothing, so that nobody fills the counts with names.
SELECT state, constraint_name, count(*) FROM generate_series(1, 60) n, attempt('no address ' || n, 'wrong', '203.0.113.9') GROUP BY 1, 2;
SELECT state, constraint_name, count(*) FROM generate_series(1, 60) n, attempt('vic@example.org', CASE WHEN n > 0 THEN NULL END, '203.0.113.9') GROUP BY 1, 2;
SELECT state, count(*) FROM generate_series(1, 20) n, error_of(format('SELECT wa.change_password(%L, NULL, ''battery staple %s'')', :'cookie', n)) GROUP BY 1;
SELECT state FROM attempt('vic@example.org', 'wrong', '203.0.113.9');
-- It is worked off with time, which these tests do not have; a refund does the same.
SELECT wa.refund_attempt('account', 'tim@example.org');
SELECT state FROM attempt('tim@example.org', 'correct horse', '198.51.100.15');
SELECT wa.refund_attempt('account', 'never@seen.example');
DROP FUNCTION public.attempt(text, text, text, text);
-- What is noted of sign-ins that have ended is kept for longer than one lasts.
INSERT INTO wa.ended_sign_in (user_id, sign_in_id, at)
SELECT gen_random_uuid(), gen_random_uuid(), now() - days * interval '1 day' FROM unnest('{7,29,31}'::integer[]) days;
SELECT wa.housekeep('sign_ins') IS NOT NULL AS done, (SELECT count(*) FROM wa.ended_sign_in) AS not_seen_by_this_statement;
SELECT round(extract(epoch FROM now() - at) / 86400) AS days FROM wa.ended_sign_in ORDER BY at;
DELETE FROM wa.ended_sign_in;
