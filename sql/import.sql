-- Keys of other systems are taken over by their digests, and go on working as they are.  What
-- a key here cannot have is refused, and never becomes something that allows more.
\c - regress_admin
\set SHOW_CONTEXT never
SET client_min_messages = error;
SELECT wa.create_org('Mover') AS mover, wa.create_org('Other mover') AS other \gset
\set first wa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
SELECT rtrim(translate(encode(sha256('wa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'), 'base64'), '+/', '-_'), '=') AS first_digest \gset
-- Rows of Better Auth's table, as the database spells its columns or as the program does.
SELECT json_build_array(
	json_build_object('id', 'Zk1', 'name', 'shop', 'start', 'wa_AAA', 'prefix', 'wa_', 'key', :'first_digest', 'userId', 'u1', 'enabled', true,
		'rateLimitEnabled', true, 'rateLimitTimeWindow', 60000, 'rateLimitMax', 120, 'requestCount', 7, 'remaining', null, 'expiresAt', null,
		'permissions', '{"messages":["read","write"],"files":["read"]}', 'metadata', '{"a":1}'),
	json_build_object('name', null, 'start', null, 'prefix', 'wa_', 'key', encode(sha256('2'), 'base64'), 'rate_limit_enabled', false, 'rate_limit_max', 10,
		'rate_limit_time_window', 86400000, 'expires_at', '2100-01-01T00:00:00Z', 'enabled', 0),
	json_build_object('name', 'Shop', 'start', 'wa_CCCC', 'key', encode(sha256('3'), 'base64'), 'rateLimitEnabled', true, 'rateLimitMax', 10, 'rateLimitTimeWindow', 86400000),
	json_build_object('name', 'shop', 'start', 'wa_DDDD', 'key', encode(sha256('4'), 'base64')),
	json_build_object('name', 'over', 'start', 'wa_EEEE', 'key', encode(sha256('5'), 'base64'), 'expiresAt', 1700000000000),
	json_build_object('name', 'uses', 'start', 'wa_FFFF', 'key', encode(sha256('6'), 'base64'), 'remaining', 3),
	json_build_object('name', 'acme', 'start', 'acme_x', 'key', encode(sha256('7'), 'base64')),
	json_build_object('name', 'plain', 'start', 'Gh7dk2', 'prefix', null, 'key', encode(sha256('8'), 'base64')),
	json_build_object('name', 'itself', 'start', 'wa_HHH', 'key', :'first')) AS better_auth \gset
\x on
-- A dry run says the same and changes nothing.
SELECT place, name, prefix, permissions, result, key IS NOT NULL AS has_key, reason FROM wa.import_keys('better-auth', :'mover', :'better_auth', '{read}', '{"messages:read": "read", "messages:write": "send", "files:read": ""}', dry_run => true);
SELECT count(*) FROM wa.keys WHERE org_id = :'mover';
SELECT place, name, prefix, permissions, result, key IS NOT NULL AS has_key, reason FROM wa.import_keys('better-auth', :'mover', :'better_auth', '{read}', '{"messages:read": "read", "messages:write": "send", "files:read": ""}');
\x off
SELECT name, prefix, permissions, status, expires_at, per_minute, burst FROM wa.keys WHERE org_id = :'mover' ORDER BY id;
-- The second time little is left to do.  A rate that no key can have is left out on request.
SELECT place, result, reason FROM wa.import_keys('better-auth', :'mover', :'better_auth', '{read}', '{"messages:read": "read", "messages:write": "send", "files:read": ""}', with_rates => false);
-- A permission without a name of ours, and none at all.
SELECT place, result, reason FROM wa.import_keys('better-auth', :'other', :'better_auth') WHERE place < 3;
SELECT reason FROM wa.import_keys('list', :'other', json_build_object('digest', encode(sha256('9'), 'base64'), 'permissions', 'files:read')::text, names => '{"files:read": "superuser"}');
SELECT reason FROM wa.import_keys('list', :'other', json_build_object('digest', encode(sha256('9'), 'base64'), 'permissions', 'files:read')::text, names => '{"files:read": ""}');

-- Rows of Unkey, one on each line.
SELECT place, name, prefix, permissions, result, reason FROM wa.import_keys('unkey', :'other', concat_ws(E'\n',
	json_build_object('keyId', 'key_1', 'hash', encode(sha256('u1'), 'base64'), 'start', 'wa_uuu', 'name', 'api', 'expires', 4102444800000, 'enabled', false,
		'permissions', json_build_array('read', 'events'), 'ratelimits', json_build_array(json_build_object('name', 'default', 'limit', 100, 'duration', 10000))),
	json_build_object('hash', encode(sha256('u2'), 'base64'), 'start', 'wa_uuu', 'name', 'two', 'permissions', json_build_array('read'),
		'ratelimits', json_build_array(json_build_object('limit', 1, 'duration', 1000), json_build_object('limit', 100, 'duration', 60000))),
	json_build_object('hash', encode(sha256('u3'), 'base64'), 'start', 'wa_uuu', 'name', 'three', 'permissions', json_build_array('read'), 'credits', json_build_object('remaining', 5)),
	json_build_object('hash', encode(sha256('u4'), 'base64'), 'start', 'wa_uuu', 'name', 'four', 'permissions', json_build_array('read'), 'credits', json_build_object('remaining', null), 'ratelimits', '[]'::json),
	json_build_object('hash', encode(sha256('u5'), 'base64'), 'name', 'whose beginning nobody knows', 'permissions', json_build_array('read')),
	json_build_object('hash', encode(sha256('u6'), 'base64'), 'start', 'sk_aaa', 'name', 'never accepted', 'permissions', json_build_array('read'))));
SELECT name, permissions, status, expires_at, per_minute, burst FROM wa.keys WHERE org_id = :'other' ORDER BY id;

-- A plain list, for several organizations.
SELECT place, name, result, reason FROM wa.import_keys('list', :'other', json_build_array(
	json_build_object('name', 'hex', 'digest', encode(sha256('l1'), 'hex'), 'permissions', json_build_array('read'), 'organizationId', wa.typeid('org', :'mover'), 'requestsPerMinute', 30, 'burst', 2),
	json_build_object('name', 'bytea', 'digest', sha256('l2'), 'permissions', 'read, send'),
	json_build_object('name', 'of nobody', 'digest', encode(sha256('l3'), 'hex'), 'permissions', 'read', 'organizationId', 'org_00000000000000000000000000'),
	json_build_object('name', 'wrong org', 'digest', encode(sha256('l4'), 'hex'), 'permissions', 'read', 'organizationId', 'key_00000000000000000000000000'),
	json_build_object('name', 'long digest', 'digest', encode(sha256('l5'), 'hex') || '00', 'permissions', 'read'),
	json_build_object('name', 'loose bits', 'digest', '7777777777777777777777777777777777777777777', 'permissions', 'read'),
	json_build_object('name', 'wrong time', 'digest', encode(sha256('l6'), 'hex'), 'permissions', 'read', 'expiresAt', 'soon'),
	json_build_object('name', 'wrong rate', 'digest', encode(sha256('l7'), 'hex'), 'permissions', 'read', 'requestsPerMinute', 0),
	json_build_object('name', 'wrong permissions', 'digest', encode(sha256('l8'), 'hex'), 'permissions', 7),
	json_build_object('name', E'new\nline', 'digest', encode(sha256('l9'), 'hex'), 'permissions', 'read'),
	json_build_object())::text);
SELECT o.name AS org, k.name, k.per_minute, k.burst FROM wa.keys k JOIN wa.org o ON o.id = k.org_id WHERE k.name IN ('hex', 'bytea') ORDER BY k.id;

-- Test keys: a row that says so, or all.  What does not say it clearly is refused.
SELECT place, prefix, result, reason FROM wa.import_keys('list', :'other', json_build_array(
	json_build_object('name', 'of a test', 'digest', encode(sha256('t1'), 'hex'), 'prefix', 'wa_test_abcdefgh', 'permissions', 'read', 'test', true),
	json_build_object('name', 'of no test', 'digest', encode(sha256('t2'), 'hex'), 'prefix', 'wa_test_abcdefgh', 'permissions', 'read', 'test', false),
	json_build_object('name', 'of no test either', 'digest', encode(sha256('t3'), 'hex'), 'permissions', 'read', 'test', null),
	json_build_object('name', 'unclear', 'digest', encode(sha256('t4'), 'hex'), 'permissions', 'read', 'test', 'yes'),
	json_build_object('name', 'unclear', 'digest', encode(sha256('t5'), 'hex'), 'permissions', 'read', 'test', 1))::text);
SELECT place, result, reason FROM wa.import_keys('better-auth', :'other', json_build_array(
	json_build_object('name', 'all of a test', 'start', 'wa_T', 'key', encode(sha256('t6'), 'base64')),
	json_build_object('name', 'all of a test', 'start', 'wa_T', 'key', encode(sha256('t7'), 'base64'), 'test', false))::text, '{read}', test => true);
SELECT name, prefix, test FROM wa.keys WHERE org_id = :'other' AND name LIKE '%of % test%' ORDER BY id;

-- What is no list.
SELECT wa.import_keys('list', :'other', 'keys');
SELECT wa.import_keys('list', :'other', '[1]');
SELECT wa.import_keys('list', :'other', '{"digest": 1} 2');
SELECT wa.import_keys('keyhippo', :'other', '[{}]');
SELECT count(*) FROM wa.import_keys('list', :'other', '[]');
SELECT count(*) FROM wa.import_keys('list', :'other', E' \n');

-- The key works as it is, with what it was given and no more.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'first') IS NOT NULL AS bound \; SELECT wa.current_org() = :'mover' AS mover, wa.current_permissions();
SELECT wa.authenticate(:'first', 'manage');
-- Administrators only.
SELECT wa.import_keys('list', :'mover', '[]');

-- Permissions that an administrator has defined: under our name, or under a name of theirs.
-- What is not defined is refused, and nothing that is one of the four becomes another.
\c - regress_admin
\set SHOW_CONTEXT never
BEGIN;
SELECT wa.define_permission('moved:read', 'Reads') IS NOT NULL AND wa.define_permission('moved:gone', 'Is dropped') IS NOT NULL AS defined;
SELECT wa.drop_permission('moved:gone');
SELECT place, permissions, result, reason FROM wa.import_keys('list', :'other', json_build_array(
	json_build_object('name', 'own 1', 'digest', encode(sha256('o1'), 'hex'), 'permissions', json_build_array('moved:read')),
	json_build_object('name', 'own 2', 'digest', encode(sha256('o2'), 'hex'), 'permissions', json_build_object('bills', json_build_array('read'), 'chats', json_build_array('read'))),
	json_build_object('name', 'own 3', 'digest', encode(sha256('o3'), 'hex'), 'permissions', json_build_array('moved:gone')),
	json_build_object('name', 'own 4', 'digest', encode(sha256('o4'), 'hex'), 'permissions', json_build_array('bills:drop')),
	json_build_object('name', 'own 5', 'digest', encode(sha256('o5'), 'hex')))::text,
	permissions => '{moved:read,events}', names => '{"bills:read": "moved:read", "chats:read": "read", "bills:drop": "moved:gone"}');
SELECT name, permissions, own_permissions FROM wa.keys WHERE org_id = :'other' AND name LIKE 'own _' ORDER BY name;
SELECT * FROM error_of(format($$SELECT wa.import_keys('list', %L, '[]', permissions => '{moved:gone}')$$, :'other'));
SELECT state, message FROM error_of(format($$SELECT wa.import_keys('list', %L, '[]', permissions => '{reed}')$$, :'other'));
ROLLBACK;
