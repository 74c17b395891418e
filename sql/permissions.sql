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

-- Casts: to and from text[], and from one permission.
SELECT ARRAY['send', 'read', 'send']::permissions, '{}'::text[]::permissions;
SELECT ARRAY[['read'], ['manage']]::permissions;
SELECT array_fill('read'::text, ARRAY[64])::permissions;
SELECT array_fill('read'::text, ARRAY[65])::permissions;
SELECT '{events,read}'::permissions::text[], ('{events,read}'::permissions::text[])[1];
SELECT cardinality('{}'::permissions::text[]);
SELECT 'manage'::permission::permissions;
SELECT '{read}'::text::permissions, '{read}'::permissions::text;
SELECT ARRAY['read', 'write']::permissions;
\echo :SQLSTATE
SELECT ARRAY['read', NULL]::permissions;
\echo :SQLSTATE
SELECT ARRAY['']::permissions;
SELECT ARRAY[' read']::permissions;
-- a column takes what is assigned to it
INSERT INTO grants VALUES (ARRAY['events']), ('send'::permission), ('{manage}');
SELECT granted FROM grants ORDER BY granted;
TRUNCATE grants;
-- a cast to the enum's set does not get in the way of the enum
SELECT 'read'::permission = 'read', 'read'::permission < 'send'::permission;

-- One permission in a set, seen from both sides.
SELECT p, '{read,manage}'::permissions @> p, p <@ '{read,manage}'::permissions, permissions(p) <@ '{read,manage}'
FROM unnest(enum_range(NULL::permission)) AS p;
SELECT '{read}'::permissions @> NULL::permission IS NULL;

-- A value of the enum that the library does not know has no place in a set, and
-- what the library remembers of the enum follows the catalog.
BEGIN;
ALTER TYPE permission RENAME VALUE 'read' TO 'look';
SELECT '{read}'::permissions @> 'look'::permission;
\echo :SQLSTATE
ROLLBACK;
SELECT '{read}'::permissions @> 'read'::permission;

-- Every operator on every pair of sets does what it does on arrays of names.
CREATE TEMP VIEW sets AS
SELECT n, ARRAY(SELECT p::text FROM unnest(enum_range(NULL::permission)) WITH ORDINALITY AS e(p, i)
	WHERE n & (1 << i::int - 1) <> 0 ORDER BY i) AS names
FROM generate_series(0, 15) AS n;
SELECT count(*),
	bool_and((a @> b) = (an @> bn)) AS contains,
	bool_and((a <@ b) = (an <@ bn)) AS contained,
	bool_and((a && b) = (an && bn)) AS overlaps,
	bool_and((a | b)::text[] @> (an || bn) AND (a | b)::text[] <@ (an || bn)) AS "union",
	bool_and((a & b)::text[] = ARRAY(SELECT x FROM unnest(an) WITH ORDINALITY AS u(x, i) WHERE x = ANY (bn) ORDER BY i)) AS intersection,
	bool_and((a - b)::text[] = ARRAY(SELECT x FROM unnest(an) WITH ORDINALITY AS u(x, i) WHERE x <> ALL (bn) ORDER BY i)) AS difference,
	bool_and((a = b) = (i = j)) AS eq, bool_and((a <> b) = (i <> j)) AS ne,
	bool_and((a < b) = (i < j)) AS lt, bool_and((a <= b) = (i <= j)) AS le,
	bool_and((a > b) = (i > j)) AS gt, bool_and((a >= b) = (i >= j)) AS ge,
	bool_and(permissions_cmp(a, b) = sign(i - j)) AS cmp,
	bool_and((permissions_hash(a) = permissions_hash(b)) = (i = j)) AS hash,
	bool_and((permissions_hash_extended(a, 42) = permissions_hash_extended(b, 42)) = (i = j)) AS hash_extended,
	bool_and(permissions_hash_extended(a, 1) <> permissions_hash_extended(a, 2)) AS seed,
	bool_and(permissions_hash_extended(a, 0) & 4294967295 = permissions_hash(a)::bigint & 4294967295) AS seed_zero,
	bool_and(a::text::permissions = a AND a::text[]::permissions = a) AS there_and_back
FROM (SELECT n AS i, names AS an, names::permissions AS a FROM sets) AS x,
	(SELECT n AS j, names AS bn, names::permissions AS b FROM sets) AS y;
-- which the order is good for: sorting, grouping, joining
INSERT INTO grants SELECT names FROM sets, generate_series(1, 50);
SELECT granted FROM grants GROUP BY granted HAVING count(*) = 50 ORDER BY granted;
SELECT count(DISTINCT granted) FROM grants;

-- The operator classes work in their indexes.
ANALYZE grants;
CREATE INDEX ON grants (granted);
SET enable_seqscan = off; SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT * FROM grants WHERE granted = '{read,send}';
SELECT count(*) FROM grants WHERE granted = '{read,send}';
SELECT count(*) FROM grants WHERE granted > '{manage}' AND granted <= '{events}';
DROP INDEX grants_granted_idx;
CREATE INDEX ON grants USING hash (granted);
EXPLAIN (COSTS off) SELECT * FROM grants WHERE granted = '{read,send}';
SELECT count(*) FROM grants WHERE granted = '{read,send}';
RESET enable_seqscan; RESET enable_bitmapscan;
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) FROM grants a JOIN grants b USING (granted);
RESET enable_mergejoin; SET enable_hashjoin = off;
SELECT count(*) FROM grants a JOIN grants b USING (granted);
RESET enable_hashjoin; RESET enable_nestloop;
CREATE TABLE parts (granted wa.permissions) PARTITION BY HASH (granted);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT granted FROM grants;
SELECT count(*), (SELECT count(*) FROM parts_0) > 0, (SELECT count(*) FROM parts_1) > 0 FROM parts;
DROP TABLE parts, grants;

-- The catalog is in order: valid classes, and labels on every function.
SELECT opcname, amname, amvalidate(c.oid)
FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
WHERE opcintype = 'wa.permissions'::regtype ORDER BY amname;
SELECT oprname, oprleft::regtype, oprright::regtype, oprcom::regoperator, oprnegate::regoperator,
	oprrest, oprjoin, oprcanhash, oprcanmerge
FROM pg_operator WHERE 'wa.permissions'::regtype IN (oprleft, oprright)
ORDER BY oprname COLLATE "C", oprleft::regtype::text COLLATE "C", oprright::regtype::text COLLATE "C";
SELECT provolatile, proisstrict, proparallel, proleakproof, count(*)
FROM pg_proc
WHERE pronamespace = 'wa'::regnamespace AND proname LIKE 'permission%' AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')
GROUP BY 1, 2, 3, 4 ORDER BY 4;
