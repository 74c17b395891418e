-- Keys that are accepted from some addresses only.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
CREATE FUNCTION public.tried(key wa.secret, address text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	field text;
BEGIN
	PERFORM wa.authenticate(key, 'read', address);
	-- The binding ends with this block, so that the next call is not bound.
	RAISE EXCEPTION USING ERRCODE = 'WA999';
EXCEPTION
	WHEN SQLSTATE 'WA999' THEN RETURN 'accepted';
	WHEN invalid_authorization_specification THEN
		GET STACKED DIAGNOSTICS field = CONSTRAINT_NAME;
		RETURN concat_ws(': ', SQLERRM, NULLIF(field, ''));
END $$;
GRANT EXECUTE ON FUNCTION tried(wa.secret, text) TO regress_app;

\c - regress_admin
\set SHOW_CONTEXT never
-- What can be given, how it is stored, and what is said of the rest.
SELECT count(*) FROM wa.create_key(:'acme', 'addresses', '{read}', addresses =>
	'{203.0.113.0/24, 198.51.100.7, 10.0.0.0/8, 0.0.0.0/1, 2001:db8::/32, 2001:db8:1::5, ::1/128}');
SELECT addresses FROM wa.keys WHERE name = 'addresses';
SELECT "left"(a.given, 40) AS given, e.message, e.column_name FROM (VALUES
	(1, '{}'), (2, '{NULL}'), (3, '{203.0.113.0/24,NULL}'), (4, '{10.0.0.1/8}'), (5, '{10.0.0.0/8,2001:db8::1/32}'),
	(6, '{10.0.0.0/33}'), (7, '{10.0.0}'), (8, '{10.0/16}'), (9, '{example.org}'), (10, '{"10.0.0.0/8,10.0.0.1"}'),
	(11, '{::ffff:10.0.0.1}'), (12, '{::ffff:10.0.0.0/104}'), (13, '{fe80::1%eth0}'), (14, '{{10.0.0.1},{10.0.0.2}}'),
	(15, (SELECT array_agg('10.0.0.' || i)::text FROM generate_series(1, 33) i)), (16, '{""}'), (17, '{10.0.0.1/-1}')) a (n, given)
	CROSS JOIN LATERAL error_of(format('SELECT wa.create_key(%L, ''wrong'', ''{read}'', addresses => %L)',
		(SELECT value FROM fixture WHERE name = 'acme'), a.given)) e ORDER BY a.n;
SELECT count(*) FROM wa.create_key(:'acme', 'thirty-two', '{read}',
	addresses => (SELECT array_agg('10.0.0.' || i) FROM generate_series(1, 32) i));
SELECT cardinality(addresses) FROM wa.keys WHERE name = 'thirty-two';

SELECT id AS four_id, secret AS four FROM wa.create_key(:'acme', 'v4', '{read}', addresses => '{203.0.113.0/24,198.51.100.7}') \gset
SELECT id AS six_id, secret AS six FROM wa.create_key(:'acme', 'v6', '{read}', addresses => '{2001:db8::/33,fe80::/64}') \gset
SELECT secret AS odd FROM wa.create_key(:'acme', 'odd', '{read}', addresses => '{203.0.113.64/27}') \gset
SELECT secret AS every_four FROM wa.create_key(:'acme', 'every v4', '{read}', addresses => '{0.0.0.0/0}') \gset
SELECT secret AS every_six FROM wa.create_key(:'acme', 'every v6', '{read}', addresses => '{::/0}') \gset
SELECT wa.import_key(:'acme', 'imported', sha256('wa_imported_with_addresses_x'), '{read}', addresses => '{203.0.113.9}') IS NOT NULL AS imported;
SELECT detail -> 'addresses' AS noted FROM wa.audit WHERE subject = :'four_id' AND action = 'key.created';

\c - :superuser
\set SHOW_CONTEXT never
-- In a transaction for each.
CREATE TEMPORARY TABLE attempt AS SELECT a.* FROM (VALUES
	(1, 'v4', :'four', '203.0.113.0'), (2, 'v4', :'four', '203.0.113.255'), (3, 'v4', :'four', '198.51.100.7'),
	(4, 'v4', :'four', '203.0.112.255'), (5, 'v4', :'four', '203.0.114.0'), (6, 'v4', :'four', '198.51.100.6'),
	(7, 'v4', :'four', '::ffff:203.0.113.5'), (8, 'v4', :'four', '::ffff:203.0.114.5'), (9, 'v4', :'four', '::203.0.113.5'),
	(10, 'v4', :'four', '::1'), (11, 'v4', :'four', NULL), (12, 'v4', :'four', ''), (13, 'v4', :'four', 'nonsense'),
	(14, 'v4', :'four', '203.0.113.5, 198.51.100.1'), (15, 'v4', :'four', '203.0.113.5/24'), (16, 'v4', :'four', '203.0.113.5:80'),
	(17, 'v4', :'four', '203.0.113'), (18, 'v4', :'four', '203.0.113.5%eth0'), (19, 'v4', :'four', ' 203.0.113.5'),
	(20, 'v4', :'four', '203.0.113.05'), (21, 'v4', :'four', '0xcb.0.113.5'), (22, 'v4', :'four', repeat('1', 1000)),
	(30, 'v6', :'six', '2001:db8::'), (31, 'v6', :'six', '2001:DB8:7fff:ffff:ffff:ffff:ffff:ffff'),
	(32, 'v6', :'six', '2001:db8:8000::'), (33, 'v6', :'six', '2001:db9::'), (34, 'v6', :'six', 'fe80::1%eth0'),
	(35, 'v6', :'six', 'fe80:0:0:1::1%eth0'), (36, 'v6', :'six', '203.0.113.5'), (37, 'v6', :'six', '[2001:db8::]'),
	(40, 'odd', :'odd', '203.0.113.63'), (41, 'odd', :'odd', '203.0.113.64'), (42, 'odd', :'odd', '203.0.113.95'), (43, 'odd', :'odd', '203.0.113.96'),
	(50, 'every v4', :'every_four', '255.255.255.255'), (51, 'every v4', :'every_four', '::ffff:1.2.3.4'), (52, 'every v4', :'every_four', '2001:db8::'),
	(53, 'every v4', :'every_four', NULL), (54, 'every v6', :'every_six', '::'), (55, 'every v6', :'every_six', '::ffff:1.2.3.4'),
	(60, 'imported', 'wa_imported_with_addresses_x', '203.0.113.9'), (61, 'imported', 'wa_imported_with_addresses_x', '203.0.113.8'),
	(70, 'no list', :'acme_all', NULL), (71, 'no list', :'acme_all', 'nonsense'), (72, 'unknown', 'wa_never_made_by_anybody', '203.0.113.5')) a (n, key, secret, address);
CREATE PROCEDURE pg_temp.try_all() LANGUAGE plpgsql AS $$
DECLARE
	attempt record;
BEGIN
	FOR attempt IN SELECT a.* FROM pg_temp.attempt a ORDER BY a.n LOOP
		COMMIT;
		RAISE INFO '%: %: %', attempt.key, COALESCE("left"(attempt.address, 40), 'NULL'), public.tried(attempt.secret::wa.secret, attempt.address);
	END LOOP;
END $$;
CALL pg_temp.try_all();
\c - regress_app
\set SHOW_CONTEXT never
-- Twice: the first answer was read, the second one is cached.
SELECT tried(:'four', '203.0.113.5'), tried(:'four', '203.0.114.5'), tried(:'four', '203.0.113.5');
-- The address comes before the permission.
SELECT wa.authenticate(:'four', 'send', '203.0.114.5');
SELECT wa.authenticate(:'four', 'send', '203.0.113.5');
SELECT wa.authenticate(:'four', 'read');
-- Each call is checked, and a refused one does not undo the binding.
BEGIN;
SELECT wa.authenticate(:'four', 'read', '203.0.113.5') = :'four_id' AS accepted;
SAVEPOINT other;
SELECT wa.authenticate(:'four', 'read', '203.0.114.5');
ROLLBACK TO other;
SELECT wa.current_key() = :'four_id' AS bound;
COMMIT;

-- A running transaction loses the key when the list no longer has its address: at its next
-- statement.  A wider list does no harm.
\c - :superuser
\set SHOW_CONTEXT never
CREATE PROCEDURE public.narrow(key uuid, networks cidr[]) LANGUAGE sql AS $$ UPDATE wa.api_key SET addresses = networks WHERE id = key $$;
BEGIN;
SELECT wa.authenticate(:'four', 'read', '203.0.113.5') = :'four_id' AS accepted;
CALL narrow(:'four_id', '{203.0.113.0/24,192.0.2.0/24}');
SELECT wa.current_key() = :'four_id' AS still_bound;
CALL narrow(:'four_id', '{192.0.2.0/24}');
SAVEPOINT narrowed;
SELECT wa.current_key();
ROLLBACK TO narrowed;
SELECT wa.authenticate(:'four', 'read', '192.0.2.1') = :'four_id' AS accepted_from_there;
SELECT wa.current_key() = :'four_id' AS bound;
ROLLBACK;
SELECT tried(:'four', '203.0.113.5');

-- Rotation takes the list over.
\c - regress_admin
\set SHOW_CONTEXT never
SELECT id AS next_id, secret AS next FROM wa.rotate_key(:'four_id') \gset
SELECT addresses FROM wa.keys WHERE id = :'next_id';
\c - regress_app
\set SHOW_CONTEXT never
SELECT tried(:'next', '203.0.113.5'), tried(:'next', '203.0.114.5');
SELECT tried(:'four', '203.0.114.5');

-- People manage it; no key can.
\c - :superuser
\set SHOW_CONTEXT never
SELECT id AS ada FROM wa.create_user('ada@example.net', 'Ada', 'correct horse') \gset
SELECT wa.add_member(:'acme', :'ada', 'admin');
SELECT cookie FROM wa.sign_in('ada@example.net', 'correct horse', '192.0.2.1', 'x') \gset
SELECT token FROM wa.mint_user_token(:'cookie') \gset
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT id AS made_id, secret AS made FROM wa.create_api_key('by Ada', '{read,events}', addresses => '{192.0.2.0/24}') \gset
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT addresses FROM wa.list_api_keys(NULL, 200) WHERE id = :'made_id';
SELECT tried(:'made', '192.0.2.1'), tried(:'made', '198.51.100.1');
-- Sockets are opened by gateways only; the superuser stands for one.
\c - :superuser
\set SHOW_CONTEXT never
-- A socket that is open, and a ticket, made while the list had their address.
SELECT wa.authenticate(:'made', 'events', '192.0.2.1') IS NOT NULL \; SELECT socket FROM wa.open_socket() \gset
SELECT wa.authenticate(:'made', 'events', '192.0.2.1') IS NOT NULL \; SELECT ticket FROM wa.create_ticket() \gset
SELECT wa.authenticate(:'socket', 'events', '192.0.2.1') IS NOT NULL AS accepted;
SELECT wa.authenticate(:'socket', 'events', '198.51.100.1');
SELECT wa.authenticate(:'socket', 'events');
SELECT wa.authenticate(:'made', NULL, '192.0.2.1') IS NOT NULL \; SELECT wa.update_api_key(:'made_id', addresses => '{""}');
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'made_id', name => 'renamed') IS NOT NULL AS changed \; SELECT addresses FROM wa.show_api_key(:'made_id');
SELECT wa.authenticate(:'socket', 'events', '192.0.2.1') IS NOT NULL AS accepted;
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'made_id', addresses => '{198.51.100.0/24,10.0.0.1/8}');
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'made_id', addresses => '{}');
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'made_id', addresses => '{198.51.100.0/24,198.51.101.1}') IS NOT NULL AS changed \; SELECT addresses FROM wa.show_api_key(:'made_id');
SELECT tried(:'made', '192.0.2.1'), tried(:'made', '198.51.100.1');
-- Its socket is closed, wherever it is.
SELECT wa.authenticate(:'socket', 'events', '192.0.2.1');
SELECT wa.authenticate(:'socket', 'events', '198.51.100.1');
-- Its ticket opens a socket that is worth something from the right address only.
SELECT socket FROM wa.redeem_ticket(:'ticket') \gset
SELECT wa.authenticate(:'socket', 'events', '192.0.2.1');
SELECT wa.authenticate(:'socket', 'events', '198.51.101.1') IS NOT NULL AS accepted;
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'made_id', addresses => '{""}') IS NOT NULL AS changed \; SELECT addresses FROM wa.show_api_key(:'made_id');
SELECT tried(:'made', '192.0.2.1'), tried(:'made', NULL);
\c - regress_admin
SELECT detail -> 'addresses' AS noted FROM wa.audit WHERE subject = :'made_id' AND action IN ('key.created', 'key.changed') ORDER BY id;

\c - :superuser
DROP FUNCTION tried(wa.secret, text);
DROP PROCEDURE narrow(uuid, cidr[]);
