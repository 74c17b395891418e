-- How many requests a minute a key may make.  Nothing here waits: the rates are so low that no
-- token comes back while the test runs.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT wa.preloaded();
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset

\c - regress_admin
\set SHOW_CONTEXT never
-- What can be given, and what is said of the rest.
SELECT g.per_minute, g.burst, e.message, e.column_name FROM (VALUES
	(1, '0', 'NULL'), (2, '-1', 'NULL'), (3, '1000001', 'NULL'), (4, 'NULL', '5'), (5, '60', '0'), (6, '1', '61'),
	(7, '100000', '1000001')) g (n, per_minute, burst)
	CROSS JOIN LATERAL error_of(format('SELECT wa.create_key(%L, ''wrong'', ''{read}'', per_minute => %s, burst => %s)',
		(SELECT value FROM fixture WHERE name = 'acme'), g.per_minute, g.burst)) e ORDER BY g.n;
SELECT count(wa.create_key(:'acme', 'rate ' || COALESCE(g.per_minute, 0), '{read}', per_minute => g.per_minute, burst => g.burst))
FROM (VALUES (1, 60), (2, NULL), (60, NULL), (61, 61), (1000000, NULL), (999999, 1000000), (NULL, NULL)) g (per_minute, burst);
SELECT per_minute, burst FROM wa.keys WHERE name LIKE 'rate %' ORDER BY per_minute;

SELECT id AS slow_id, secret AS slow FROM wa.create_key(:'acme', 'slow', '{read,events}', per_minute => 1, burst => 5) \gset
SELECT secret AS other FROM wa.create_key(:'acme', 'other slow', '{read}', per_minute => 1, burst => 1) \gset
SELECT secret AS far FROM wa.create_key(:'acme', 'far', '{read}', addresses => '{203.0.113.0/24}', per_minute => 1, burst => 1) \gset
SELECT id AS gone_id, secret AS gone FROM wa.create_key(:'acme', 'gone slow', '{read}', per_minute => 1, burst => 1) \gset
SELECT wa.revoke_key(:'gone_id');
SELECT detail -> 'requestsPerMinute' AS per_minute, detail -> 'burst' AS burst FROM wa.audit WHERE subject = :'slow_id';
-- Its event shows the restrictions as the endpoint does, and none of a key that has none.
\c - :superuser
\set SHOW_CONTEXT never
SELECT e.envelope::jsonb -> 'payload' ->> 'name' AS name, e.envelope::jsonb -> 'payload' -> 'rateLimit' AS rate_limit, e.envelope::jsonb -> 'payload' -> 'addresses' AS addresses
FROM wa.event e WHERE e.type = 'key.created' AND e.envelope::jsonb -> 'payload' ->> 'name' IN ('slow', 'far', 'rate 0') ORDER BY 1;

\c - regress_app
\set SHOW_CONTEXT never
-- A transaction is a request: a call that repeats the first one costs nothing, nor does one that
-- is refused.
SELECT wa.authenticate(:'slow', 'read') = :'slow_id' AS accepted, wa.current_rate(), wa.current_rate_left(), wa.current_rate_full_in();
SELECT wa.current_rate(), wa.current_rate_left(), wa.current_rate_full_in();
BEGIN;
SELECT wa.authenticate(:'slow', 'read') = :'slow_id' AS accepted, wa.current_rate_left();
SELECT wa.authenticate(:'slow', 'events') = :'slow_id' AS accepted, wa.current_rate_left();
SAVEPOINT a;
SELECT wa.authenticate(:'slow', 'read') = :'slow_id' AS accepted, wa.current_rate_left();
ROLLBACK TO a;
SELECT wa.current_rate_left();
ROLLBACK;
SELECT wa.authenticate(:'slow', 'send');
-- The binding of a savepoint that was rolled back was a request.
BEGIN;
SAVEPOINT a;
SELECT wa.authenticate(:'slow', 'read') = :'slow_id' AS accepted, wa.current_rate_left();
ROLLBACK TO a;
SELECT wa.authenticate(:'slow', 'read') = :'slow_id' AS accepted, wa.current_rate_left();
COMMIT;
-- A transaction that is rolled back has made its request.
BEGIN;
SELECT wa.authenticate(:'slow', 'read') = :'slow_id' AS accepted, wa.current_rate_left();
ROLLBACK;
-- Other connections count on.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'slow', 'read') = :'slow_id' AS accepted, wa.current_rate_left();
\c - :superuser
\set SHOW_CONTEXT never
CREATE FUNCTION public.refusal(key wa.secret, needs text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	field text;
BEGIN
	PERFORM wa.authenticate(key, needs::wa.permissions, '198.51.100.1');
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, field = CONSTRAINT_NAME;
	RETURN concat_ws(' / ', SQLSTATE, SQLERRM, regexp_replace(detail, '[0-9]+ seconds', 'so many seconds', 'g'), field);
END $$;
SELECT refusal(:'slow', 'read');
-- It has used all of its burst, and a refused request costs nothing.
SELECT refusal(:'slow', 'read');
SELECT refusal(:'slow', 'send');
-- Another key of the organization, and one without a rate, go on.
SELECT refusal(:'other', 'read');
SELECT refusal(:'other', 'read');
SELECT refusal(:'acme_all', 'read');
-- What is refused for another reason is told so, and counts for nothing: the key keeps its one request.
SELECT refusal(:'far', 'read');
SELECT refusal(:'far', 'read');
SELECT wa.authenticate(:'far', 'read', '203.0.113.1') IS NOT NULL AS accepted, wa.current_rate_left();
SELECT refusal(:'gone', 'read');
SELECT refusal('wa_never_made_by_anybody', 'read');

-- Sockets: making a ticket and opening a socket by key are requests; reading with the socket's
-- own credential is none.
SELECT id AS s_id, secret AS s FROM wa.create_key(:'acme', 'sockets', '{events}', per_minute => 1, burst => 2) \gset
SELECT wa.authenticate(:'s', 'events') IS NOT NULL AS accepted \; SELECT ticket FROM wa.create_ticket() \gset
SELECT wa.authenticate(:'s', 'events') IS NOT NULL AS accepted \; SELECT socket FROM wa.open_socket() \gset
SELECT refusal(:'s', 'events');
SELECT wa.authenticate(:'socket', 'events') IS NOT NULL AS accepted, wa.current_rate(), wa.current_rate_left(), wa.current_rate_full_in();
SELECT wa.authenticate(:'socket', 'events') IS NOT NULL AS accepted;
SELECT socket FROM wa.redeem_ticket(:'ticket') \gset
SELECT wa.authenticate(:'socket', 'events') IS NOT NULL AS accepted;

-- Another rate holds from the next request on; it is a person who changes it.
SELECT id AS eve FROM wa.create_user('eve@example.net', 'Eve', 'correct horse') \gset
SELECT wa.add_member(:'acme', :'eve', 'admin');
SELECT cookie FROM wa.sign_in('eve@example.net', 'correct horse', '192.0.2.1', 'x') \gset
SELECT token FROM wa.mint_user_token(:'cookie') \gset
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'token') IS NOT NULL AS bound, wa.current_rate() \; SELECT wa.update_api_key(:'slow_id', per_minute => 1, burst => 8) IS NOT NULL AS changed \; SELECT per_minute, burst FROM wa.show_api_key(:'slow_id');
SELECT wa.authenticate(:'slow', 'read') = :'slow_id' AS accepted, wa.current_rate(), wa.current_rate_left();
SELECT wa.authenticate(:'token') IS NOT NULL AS bound \; SELECT wa.update_api_key(:'slow_id', per_minute => 2) IS NOT NULL AS changed \; SELECT per_minute, burst FROM wa.show_api_key(:'slow_id');
\set VERBOSITY terse
SELECT wa.authenticate(:'slow', 'read');
\set VERBOSITY default
SELECT wa.authenticate(:'token') IS NOT NULL AS bound \; SELECT wa.update_api_key(:'slow_id', name => 'renamed slow') IS NOT NULL AS changed \; SELECT per_minute, burst FROM wa.show_api_key(:'slow_id');
SELECT wa.authenticate(:'token') IS NOT NULL AS bound \; SELECT wa.update_api_key(:'slow_id', per_minute => 0) IS NOT NULL AS changed \; SELECT per_minute, burst FROM wa.show_api_key(:'slow_id');
SELECT wa.authenticate(:'slow', 'read') = :'slow_id' AS accepted, wa.current_rate(), wa.current_rate_left(), wa.current_rate_full_in();
SELECT wa.authenticate(:'token') IS NOT NULL AS bound \; SELECT wa.update_api_key(:'slow_id', burst => 5);
SELECT wa.authenticate(:'token') IS NOT NULL AS bound \; SELECT wa.update_api_key(:'slow_id', per_minute => 0, burst => 5);
SELECT wa.authenticate(:'slow', 'read') IS NOT NULL AS bound \; SELECT wa.update_api_key(:'slow_id', per_minute => 1000);
-- As the API has it.
\c - :superuser
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_all') IS NOT NULL AS bound \; SELECT * FROM wa.read_rate_limit('[]');
CREATE FUNCTION public.read_as(token wa.secret, given text, OUT said text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.authenticate(token);
	SELECT format('%s, %s', COALESCE(r.per_minute::text, 'NULL'), COALESCE(r.burst::text, 'NULL')) INTO said FROM wa.read_rate_limit(given::jsonb) r;
EXCEPTION WHEN invalid_parameter_value THEN
	said := SQLERRM;
END $$;
SELECT g.given, r.said FROM (VALUES (1, NULL), (2, 'null'), (3, '{"requestsPerMinute": 60}'), (4, '{"requestsPerMinute": 60, "burst": 10}'),
	(5, '{}'), (6, '{"burst": 1}'), (7, '[]'), (8, '60'), (9, '{"requestsPerMinute": "60"}'), (10, '{"requestsPerMinute": 1.5}'),
	(11, '{"requestsPerMinute": 1e300}'), (12, '{"requestsPerMinute": null}'), (13, '{"requestsPerMinute": 60, "per": 1}'), (14, '{"requestsPerMinute": 6e1}'),
	(15, '{"requestsPerMinute": 0}'), (16, '{"requestsPerMinute": 60, "burst": {}}')) g (n, given)
	CROSS JOIN LATERAL read_as(:'token', g.given) r ORDER BY g.n;

-- Rotation takes the rate over, and the successor has a count of its own.
\c - regress_admin
\set SHOW_CONTEXT never
SELECT id AS old_id, secret AS old FROM wa.create_key(:'acme', 'rotated slow', '{read}', per_minute => 1, burst => 1) \gset
SELECT id AS next_id, secret AS next FROM wa.rotate_key(:'old_id') \gset
SELECT per_minute, burst FROM wa.keys WHERE id = :'next_id';
\c - :superuser
\set SHOW_CONTEXT never
SELECT refusal(:'old', 'read');
SELECT refusal(:'old', 'read');
SELECT refusal(:'next', 'read');

-- More keys than the memory has places, all of them at their limit.  No key gets rid of its
-- count, and a key that finds no place is refused.
INSERT INTO wa.api_key (org_id, name, digest, prefix, permissions, created_by, per_minute, burst)
SELECT :'beta', 'many ' || i, sha256(('wa_rate_test_of_many_keys_' || i)::bytea), 'wa_rate_', '{read}', 'test', 1, 1
FROM generate_series(1, 34000) i;
CREATE PROCEDURE public.ask_all(OUT accepted integer, OUT refused integer, OUT asked_again integer, OUT accepted_again integer) LANGUAGE plpgsql AS $$
DECLARE
	was_accepted boolean[] := '{}';
	said text;
BEGIN
	accepted := 0;
	refused := 0;
	asked_again := 0;
	accepted_again := 0;
	FOR n IN 1..34000 LOOP
		COMMIT;
		said := public.refusal(('wa_rate_test_of_many_keys_' || n)::wa.secret, 'read');
		was_accepted[n] := said = 'accepted';
		accepted := accepted + was_accepted[n]::integer;
		refused := refused + (said LIKE '53400 %')::integer;
	END LOOP;
	FOR n IN 1..34000 BY 10 LOOP
		COMMIT;
		CONTINUE WHEN NOT was_accepted[n];
		asked_again := asked_again + 1;
		accepted_again := accepted_again + (public.refusal(('wa_rate_test_of_many_keys_' || n)::wa.secret, 'read') = 'accepted')::integer;
	END LOOP;
END $$;
SELECT clock_timestamp() AS began \gset
CALL ask_all(NULL, NULL, NULL, NULL) \gset
-- Nearly all 32,768 places are taken, unless it has taken so long that tokens have come back.
SELECT clock_timestamp() - :'began' > interval '55 s' AS is_late \gset
SELECT :accepted BETWEEN 29000 AND 32768 OR :'is_late' AS as_many_as_there_are, :accepted + :refused AS asked, :asked_again > 2500 AS asked_again, :accepted_again = 0 OR :'is_late' AS none_accepted_again;
SELECT refusal(:'next', 'read');
-- Without a look at all other keys for each.
SET session_replication_role = replica;
DELETE FROM wa.api_key_usage u USING wa.api_key k WHERE k.id = u.key_id AND k.name LIKE 'many %';
DELETE FROM wa.api_key WHERE name LIKE 'many %';
RESET session_replication_role;
DROP PROCEDURE ask_all();
DROP FUNCTION refusal(wa.secret, text);
DROP FUNCTION read_as(wa.secret, text);
