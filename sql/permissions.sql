--
-- wa.permissions and wa.permission: the set of what a key may do.
--
\pset format unaligned
\pset tuples_only on
SET search_path = public, wa, pg_temp;

-- The written form is canonical; white space and repetition are allowed.
SELECT '{}'::permissions, '{read}'::permissions, '{read,send,manage,events}'::permissions;
SELECT '{events,manage,send,read}'::permissions;
SELECT '{send,read,send,send}'::permissions;
SELECT E' \t\n{ read ,\r\n\tsend\f}\x0b '::permissions, '{ }'::permissions;
SELECT NULL::permissions IS NULL;

-- Nothing else is.
SELECT '{write}'::permissions;
\echo :SQLSTATE
SELECT '{Read}'::permissions;
SELECT '{read send}'::permissions;
SELECT '{"read"}'::permissions;
SELECT ('{' || repeat('é', 100) || '}')::permissions;
SELECT 'read'::permissions, E' read\t'::permissions, E' events\n'::permissions;
SELECT 'reads'::permissions;
SELECT 'read,send'::permissions;
\echo :SQLSTATE
SELECT 'wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT'::text::permissions;
CREATE FUNCTION pg_temp.verdict(input text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN input::wa.permissions::text;
EXCEPTION WHEN invalid_text_representation THEN
	RETURN SQLERRM;
END $$;
SELECT quote_literal(input), pg_temp.verdict(input)
FROM unnest(ARRAY['', ' ', '{', '}', '{}}', '{{}}', '{{}', '{,}', '{read,}', '{,read}',
	'{read,,send}', '{read, ,send}', '{read}x', '{read},', '{read{}', '{read;send}',
	'{READ}', '{readsend}', '{rea}', '{reads}', '[read]', 'read,send']) AS input;
-- Cut off at every byte, it is refused.
SELECT count(*), verdict
FROM (VALUES ('{ read ,send, manage,events }')) AS v(input), generate_series(0, length(input) - 1) AS n,
	LATERAL (SELECT pg_temp.verdict(left(input, n)) COLLATE "C" AS verdict) AS tried
GROUP BY verdict ORDER BY verdict;

-- The binary form is the bit set in 32 bits; unknown bits are refused.
SELECT wa.permissions_send('{}'), wa.permissions_send('{read}'), wa.permissions_send('{send}'),
	wa.permissions_send('{manage}'), wa.permissions_send('{events}');
CREATE TABLE grants (granted wa.permissions);
COPY grants FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\004\0\0\0\013\377\377'$$ (FORMAT binary);
COPY grants FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\004\0\0\0\020\377\377'$$ (FORMAT binary);
\echo :SQLSTATE
COPY grants FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\004\200\0\0\001\377\377'$$ (FORMAT binary);
COPY grants FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\002\0\001\377\377'$$ (FORMAT binary);
COPY grants FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\010\0\0\0\001\0\0\0\001\377\377'$$ (FORMAT binary);
SELECT granted FROM grants;

-- Casts to and from text[] and wa.permission[].
SELECT ARRAY['send', 'read', 'send']::permissions, '{}'::text[]::permissions;
SELECT ARRAY['send', 'read', 'send']::permission[]::permissions, '{}'::permission[]::permissions;
SELECT ARRAY[['read'], ['manage']]::permissions;
SELECT array_fill('read'::text, ARRAY[64])::permissions;
SELECT array_fill('read'::text, ARRAY[65])::permissions;
\echo :SQLSTATE
SELECT array_fill('read'::permission, ARRAY[64])::permissions;
SELECT array_fill('read'::permission, ARRAY[65])::permissions;
SELECT ('{read' || repeat(',read', 63) || '}')::permissions;
SELECT ('{read' || repeat(',read', 64) || '}')::permissions;
SELECT '[2:3]={read,send}'::text[]::permissions;
SELECT '{events,read}'::permissions::text[], ('{events,read}'::permissions::text[])[1];
SELECT '{events,read}'::permissions::permission[], ('{events,read}'::permissions::permission[])[1] = 'read';
SELECT cardinality('{}'::permissions::text[]), cardinality('{}'::permissions::permission[]);
SELECT '{read}'::text::permissions, '{read}'::permissions::text;
SELECT ARRAY['']::permissions;
SELECT ARRAY[' read']::permissions;
SELECT ARRAY['read,send']::permissions;
SELECT ARRAY['NULL']::permissions;
SELECT NULL::text[]::permissions IS NULL, NULL::permission[]::permissions IS NULL,
	NULL::permissions::text[] IS NULL, NULL::permissions::permission[] IS NULL;

-- An unknown name and a null element are refused in the same words in every form.
CREATE FUNCTION pg_temp.refusal(form text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE 'SELECT (' || form || ')::wa.permissions';
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, detail);
END $$;
BEGIN;
ALTER TYPE permission RENAME VALUE 'events' TO 'write';
SELECT form, pg_temp.refusal(form)
FROM unnest(ARRAY[$$'{read,write}'$$, $$'{read,write}'::text$$, $$ARRAY['read', 'write']$$, $$ARRAY['read', 'write']::wa.permission[]$$,
	$$'{read,NULL}'$$, $$'{read,NULL}'::text$$, $$ARRAY['read', NULL]$$, $$ARRAY['read', NULL]::wa.permission[]$$]) AS form;
ROLLBACK;

-- What an array is assigned to takes it: a column, its default, a variable, a result.
INSERT INTO grants VALUES (ARRAY['events']), (ARRAY['send']::permission[]), ('{manage}'), ('read');
SELECT granted FROM grants ORDER BY granted::text;
UPDATE grants SET granted = ARRAY['read', 'send'] WHERE granted = 'send';
ALTER TABLE grants ALTER granted SET DEFAULT ARRAY['send', 'events'];
INSERT INTO grants DEFAULT VALUES;
SELECT granted FROM grants ORDER BY granted::text;
CREATE FUNCTION pg_temp.assigned() RETURNS wa.permissions LANGUAGE plpgsql AS $$
DECLARE
	granted wa.permissions := ARRAY['manage'];
BEGIN
	IF granted OPERATOR(wa.<>) 'manage' THEN
		RETURN NULL;
	END IF;
	RETURN ARRAY['read', 'manage'];
END $$;
SELECT pg_temp.assigned();
UPDATE grants SET granted = ARRAY['write'];
UPDATE grants SET granted = ARRAY['read', NULL]::permission[];
TRUNCATE grants;
ALTER TABLE grants ALTER granted DROP DEFAULT;
-- a function's parameter takes a literal, and an array that is cast
CREATE FUNCTION pg_temp.taken(permissions) RETURNS wa.permissions LANGUAGE sql RETURN $1;
SELECT pg_temp.taken('{read,send}'), pg_temp.taken('send'), pg_temp.taken(ARRAY['read', 'send']::permissions);
SELECT pg_temp.taken(ARRAY['read', 'send']);

-- Beside a set a literal is a set, and an array is cast.
SELECT '{read,send}'::permissions @> 'read', 'read' <@ '{read,send}'::permissions, '{read,send}'::permissions && '{send,manage}',
	'read' = '{read}'::permissions, '{read}'::permissions <> '{read,send}';
SELECT '{read,send}'::permissions @> ARRAY['read']::permissions, '{read}'::permissions = ARRAY['read']::permission[]::permissions,
	'{read}'::permissions::text[] = ARRAY['read'], '{read}'::permissions::permission[] @> ARRAY['read']::permission[];
SELECT '{read,send}'::permissions @> ARRAY['read'];
SELECT '{read,send}'::permissions = ARRAY['read']::permission[];
-- Arrays and the enum keep their own operators where the schema is in the search path.
SELECT ARRAY['a'] = ARRAY['b'], ARRAY['a'] <> ARRAY['b'], ARRAY['a'] @> ARRAY['a'], ARRAY['a'] <@ ARRAY['b'], ARRAY['a'] && ARRAY['b'];
SELECT ARRAY['a'] = '{b}', '{b}' <> ARRAY['a'], ARRAY['a'] @> '{a}', '{a}' <@ ARRAY['b'], ARRAY['a'] && '{b}';
SELECT p = '{read}', p <> ARRAY['read']::permission[], p @> '{read}', '{read}' <@ p, p && ARRAY['read']::permission[]
FROM (VALUES (ARRAY['read', 'send']::permission[])) AS v(p);
SELECT 'read'::permission = 'read', 'read'::permission < 'send'::permission;
-- With an implicit cast they would not.
BEGIN;
UPDATE pg_cast SET castcontext = 'i' WHERE castsource = 'text[]'::regtype AND casttarget = 'wa.permissions'::regtype;
SELECT pg_temp.taken(ARRAY['read', 'send']);
SELECT ARRAY['a'] = ARRAY['b'];
ROLLBACK;
BEGIN;
UPDATE pg_cast SET castcontext = 'i' WHERE castsource = 'wa.permission[]'::regtype AND casttarget = 'wa.permissions'::regtype;
SELECT ARRAY['read']::permission[] @> '{read}';
ROLLBACK;

-- One permission is written as the set of it.
SELECT p, '{read,manage}'::permissions @> ARRAY[p]::permissions, ARRAY[p]::permissions <@ '{read,manage}',
	'{read,manage}'::permissions @> p::text::permissions
FROM unnest(enum_range(NULL::permission)) AS p;
SELECT '{read}'::permissions @> 'read'::permission;
SELECT 'read'::permission <@ '{read}'::permissions;
SELECT 'read'::permission::permissions;
SELECT '{read}'::permissions @> NULL::permissions IS NULL;

-- A value of the enum that the library does not know is no permission, and what the
-- library remembers of the enum follows the catalog.
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
BEGIN;
SELECT authenticate(:'acme_read') IS NOT NULL;
SELECT has_permission('read'), has_permission('send');
ALTER TYPE permission RENAME VALUE 'read' TO 'look';
SAVEPOINT renamed;
SELECT has_permission('look');
\echo :SQLSTATE
ROLLBACK TO renamed;
SELECT ARRAY['look']::permission[]::permissions;
ROLLBACK TO renamed;
SELECT '{read}'::permissions::permission[];
ROLLBACK;
BEGIN;
SELECT authenticate(:'acme_read') IS NOT NULL;
SELECT has_permission('read'), has_permission('send');
-- as a session writes it that does not search the schema
SET LOCAL search_path = public;
SELECT wa.current_permissions() OPERATOR(wa.@>) 'read', wa.current_permissions() OPERATOR(wa.@>) '{read,send}';
ROLLBACK;
SELECT ARRAY['read']::permission[]::permissions, '{read}'::permissions::permission[];

-- Every operator on every pair of sets does what it does on arrays of names.
CREATE TEMP VIEW sets AS
SELECT n, ARRAY(SELECT p::text FROM unnest(enum_range(NULL::permission)) WITH ORDINALITY AS e(p, i)
	WHERE n & (1 << i::int - 1) <> 0 ORDER BY i) AS names
FROM generate_series(0, 15) AS n;
SELECT count(*),
	bool_and((a @> b) = (an @> bn)) AS contains,
	bool_and((a <@ b) = (an <@ bn)) AS contained,
	bool_and((a && b) = (an && bn)) AS overlaps,
	bool_and((a = b) = (i = j)) AS eq, bool_and((a <> b) = (i <> j)) AS ne,
	bool_and((permissions_hash(a) = permissions_hash(b)) = (i = j)) AS hash,
	bool_and((permissions_hash_extended(a, 42) = permissions_hash_extended(b, 42)) = (i = j)) AS hash_extended,
	bool_and(permissions_hash_extended(a, 1) <> permissions_hash_extended(a, 2)) AS seed,
	bool_and(permissions_hash_extended(a, 0) & 4294967295 = permissions_hash(a)::bigint & 4294967295) AS seed_zero,
	bool_and(a::text::permissions = a AND a::text[]::permissions = a AND a::permission[]::permissions = a AND a::text[] = an) AS there_and_back
FROM (SELECT n AS i, names AS an, names::permissions AS a FROM sets) AS x,
	(SELECT n AS j, names AS bn, names::permissions AS b FROM sets) AS y;
-- which equality and hash are good for: grouping, joining, indexes, partitions
INSERT INTO grants SELECT names FROM sets, generate_series(1, 50);
SELECT granted FROM grants GROUP BY granted HAVING count(*) = 50 ORDER BY granted::text;
SELECT count(*) FROM (SELECT DISTINCT granted FROM grants) AS d;
SELECT count(*) FROM (SELECT granted FROM grants UNION SELECT granted FROM grants) AS u;
SELECT count(*) FROM grants WHERE granted IN ('{read,send}', 'events', ARRAY['manage']::permissions);
ANALYZE grants;
CREATE INDEX ON grants USING hash (granted);
SET enable_seqscan = off; SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT * FROM grants WHERE granted = '{read,send}';
SELECT count(*) FROM grants WHERE granted = '{read,send}';
RESET enable_seqscan; RESET enable_bitmapscan;
SET enable_nestloop = off;
EXPLAIN (COSTS off) SELECT count(*) FROM grants a JOIN grants b USING (granted);
SELECT count(*) FROM grants a JOIN grants b USING (granted);
RESET enable_nestloop;
CREATE TABLE parts (granted wa.permissions) PARTITION BY HASH (granted);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT granted FROM grants;
SELECT count(*), (SELECT count(*) FROM parts_0) > 0, (SELECT count(*) FROM parts_1) > 0 FROM parts;
-- There is no order.
SELECT granted FROM grants ORDER BY granted;
SELECT '{read}'::permissions < '{send}'::permissions;
CREATE UNIQUE INDEX ON grants (granted);
SELECT count(DISTINCT granted) FROM grants;
SELECT count(DISTINCT granted::text) FROM grants;
DROP TABLE parts, grants;

-- The catalog is in order: a valid class, casts, and labels on every function.
SELECT opcname, amname, amvalidate(c.oid)
FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
WHERE opcintype = 'wa.permissions'::regtype ORDER BY amname;
SELECT castsource::regtype, casttarget::regtype, castmethod, castcontext, obj_description(oid, 'pg_cast')
FROM pg_cast WHERE 'wa.permissions'::regtype IN (castsource, casttarget)
ORDER BY castsource::regtype::text COLLATE "C", casttarget::regtype::text COLLATE "C";
SELECT oprname, oprleft::regtype, oprright::regtype, oprcom::regoperator, oprnegate::regoperator,
	oprrest, oprjoin, oprcanhash, oprcanmerge
FROM pg_operator WHERE 'wa.permissions'::regtype IN (oprleft, oprright)
ORDER BY oprname COLLATE "C", oprleft::regtype::text COLLATE "C", oprright::regtype::text COLLATE "C";
SELECT provolatile, proisstrict, proparallel, proleakproof, count(*)
FROM pg_proc
WHERE pronamespace = 'wa'::regnamespace AND proname LIKE 'permission%' AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')
GROUP BY 1, 2, 3, 4 ORDER BY 4;
