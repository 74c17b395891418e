--
-- Identifiers: wa.uuid7(), wa.typeid(), wa.from_typeid(), wa.org_id and its like.
--
\pset format unaligned
\pset tuples_only on

-- Version 7, variant of RFC 9562, and the time is now.
SELECT substr(id::text, 15, 1), substr(id::text, 20, 1) IN ('8', '9', 'a', 'b'),
	abs(('x' || lpad(substr(replace(id::text, '-', ''), 1, 12), 16, '0'))::bit(64)::bigint
		- extract(epoch FROM clock_timestamp()) * 1000) < 60000
FROM wa.uuid7() AS id;

-- Later ones are greater, also many within a millisecond, and none repeats.
CREATE TEMP TABLE made AS SELECT n, wa.uuid7() AS id FROM generate_series(1, 100000) AS n;
SELECT count(*), count(DISTINCT id) FROM made;
SELECT count(*) FROM (SELECT id, lag(id) OVER (ORDER BY n) AS before FROM made) AS pairs WHERE id <= before;
SELECT count(*) FROM made WHERE id::text !~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$';
-- the fraction of the millisecond takes values of all sizes
SELECT count(DISTINCT substr(id::text, 16, 1)) FROM made;
-- and the random part does, byte by byte
SELECT min(distinct_values), max(distinct_values) FROM (
	SELECT count(DISTINCT get_byte(uuid_send(id), b)) AS distinct_values
	FROM made, generate_series(9, 15) AS b GROUP BY b) AS bytes;
SELECT count(DISTINCT get_byte(uuid_send(id), 8)) FROM made;
-- and from one transaction to the next
SELECT wa.uuid7() AS earlier \gset
SELECT wa.uuid7() > :'earlier';

-- The examples of the TypeID specification, both ways.
SELECT wa.typeid(prefix, uuid::uuid) = typeid, wa.from_typeid(prefix, typeid) = uuid::uuid, typeid
FROM (VALUES
	('', '00000000-0000-0000-0000-000000000000', '00000000000000000000000000'),
	('', '00000000-0000-0000-0000-000000000001', '00000000000000000000000001'),
	('', '00000000-0000-0000-0000-00000000000a', '0000000000000000000000000a'),
	('', '00000000-0000-0000-0000-000000000010', '0000000000000000000000000g'),
	('', '00000000-0000-0000-0000-000000000020', '00000000000000000000000010'),
	('', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '7zzzzzzzzzzzzzzzzzzzzzzzzz'),
	('prefix', '0110c853-1d09-52d8-d73e-1194e95b5f19', 'prefix_0123456789abcdefghjkmnpqrs'),
	('prefix', '01890a5d-ac96-774b-bcce-b302099a8057', 'prefix_01h455vb4pex5vsknk084sn02q'),
	('pre_fix', '00000000-0000-0000-0000-000000000000', 'pre_fix_00000000000000000000000000')
) AS example(prefix, uuid, typeid);

-- Another kind's id, or none at all, is refused and not repeated.
SELECT wa.from_typeid('msg', 'sess_01h455vb4pex5vsknk084sn02q');
\echo :SQLSTATE
SELECT wa.from_typeid('msg', 'msg_01h455vb4pex5vsknk084sn02');
SELECT wa.from_typeid('msg', 'msg_81h455vb4pex5vsknk084sn02q');
SELECT wa.from_typeid('msg', 'msg_01H455VB4PEX5VSKNK084SN02Q');
SELECT wa.from_typeid('msg', '');
SELECT wa.from_typeid('msg', 'wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT');
-- a prefix that is none is the caller's mistake
SELECT wa.from_typeid('Msg', 'msg_01h455vb4pex5vsknk084sn02q');
SELECT wa.typeid('msg_', '01890a5d-ac96-774b-bcce-b302099a8057');
\echo :SQLSTATE
SELECT wa.typeid(repeat('a', 64), '01890a5d-ac96-774b-bcce-b302099a8057');
SELECT length(wa.typeid(repeat('a', 63), '01890a5d-ac96-774b-bcce-b302099a8057'));
SELECT wa.typeid(NULL, wa.uuid7()) IS NULL, wa.typeid('msg', NULL) IS NULL,
	wa.from_typeid(NULL, 'msg_01h455vb4pex5vsknk084sn02q') IS NULL, wa.from_typeid('msg', NULL) IS NULL;

-- There and back, and in the same order.
SELECT count(*) FROM made WHERE wa.from_typeid('msg', wa.typeid('msg', id)) <> id;
SELECT count(*) FROM (
	SELECT wa.typeid('msg', id) COLLATE "C" AS typeid, lag(wa.typeid('msg', id)) OVER (ORDER BY id) AS before FROM made
) AS pairs WHERE typeid <= before;

SELECT proname, provolatile, proisstrict, proparallel
FROM pg_proc WHERE pronamespace = 'wa'::regnamespace AND proname IN ('uuid7', 'typeid', 'from_typeid') ORDER BY 1;

-- What administration functions take as an id: the uuid that tables have, or what people see.
SELECT '01890a5d-ac96-774b-bcce-b302099a8057' AS uuid, 'key_01h455vb4pex5vsknk084sn02q' AS key, 'org_01h455vb4pex5vsknk084sn02q' AS org \gset
SELECT :'uuid'::wa.org_id, :'uuid'::wa.key_id, :'uuid'::wa.user_id, :'uuid'::wa.session_id;
SELECT :'org'::wa.org_id::uuid, :'uuid'::uuid::wa.key_id, :'key'::text::wa.key_id, '{01890A5DAC96774BBCCEB302099A8057}'::wa.user_id;
SELECT wa.org_id_send(:'org') = uuid_send(:'uuid');
-- of another kind, mistyped, or nothing of the sort
SELECT :'key'::wa.org_id;
\echo :SQLSTATE
SELECT :'org'::wa.key_id;
SELECT :'org'::wa.user_id;
SELECT :'org'::wa.session_id;
SELECT left(:'key', -1)::wa.key_id;
SELECT upper(:'key')::wa.key_id;
SELECT ''::wa.org_id;
SELECT (:'uuid' || '0')::wa.org_id;
SELECT left(:'uuid', -1)::wa.org_id;
SELECT ('{' || :'uuid')::wa.org_id;
SELECT '01890a5d-ac96-774b-bcceb-302099a8057'::wa.org_id;
SELECT 'wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT'::wa.key_id;
-- a list may have both forms; an element of another kind is refused
SELECT ARRAY[:'uuid']::uuid[]::wa.session_id[], ARRAY['sess_01h455vb4pex5vsknk084sn02q', :'uuid']::text[]::wa.session_id[];
SELECT ARRAY[:'uuid', :'key']::text[]::wa.session_id[];
-- the binary form is that of a uuid
CREATE TABLE public.kept (id wa.key_id);
INSERT INTO public.kept VALUES (:'key');
SELECT current_setting('data_directory') || '/kept.bin' AS file \gset
COPY public.kept TO :'file' (FORMAT binary);
COPY public.kept FROM :'file' (FORMAT binary);
SELECT id FROM public.kept;
DROP TABLE public.kept;

-- No function for administrators takes an id that people could not type; these take those of rows.
SELECT p.oid::regprocedure
FROM wa.granted() g JOIN pg_proc p ON p.oid = to_regprocedure(g.object)
WHERE g.kind = 'FUNCTION' AND g.grantees ~ 'wa_admin' AND p.proargtypes::oid[] && '{uuid,uuid[]}'::regtype[]::oid[]
	AND p.proname <> 'audit_subject';
-- And no name is shared by one of them and another function with as many parameters: then
-- a literal, whose type is not known, would not say which of them is meant.
SELECT p.oid::regprocedure, o.oid::regprocedure
FROM pg_proc p JOIN pg_proc o ON o.proname = p.proname AND o.pronamespace = p.pronamespace AND o.oid <> p.oid
WHERE p.pronamespace = 'wa'::regnamespace AND p.proargtypes::oid[] && '{wa.org_id,wa.key_id,wa.user_id,wa.session_id,wa.session_id[]}'::regtype[]::oid[]
	AND o.pronargs >= p.pronargs - p.pronargdefaults AND p.pronargs >= o.pronargs - o.pronargdefaults;
