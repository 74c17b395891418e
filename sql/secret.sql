--
-- wa.secret: what goes in does not come out.
--
-- The credentials here carry the bytes 0 to 31; nobody can sign in with them.
--
\pset format unaligned
\pset tuples_only on
SET search_path = public, pg_temp;

-- Every kind of credential is read, and printed as a mask.
SELECT 'wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT'::wa.secret;
SELECT 'wa_test_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3pOkCs'::wa.secret;
SELECT 'wau_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf0t082e'::wa.secret;
SELECT 'was_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1SixjC'::wa.secret;
SELECT 'rt_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1IBrb4'::wa.secret;
-- a key that another system issued
SELECT 'wa_QmFzZTY0LWlzaC1rZXktZnJvbS1lbHNld2hlcmU_x-y'::wa.secret;
SELECT NULL::wa.secret IS NULL;

-- A malformed one is refused with a reason, and the statement is not quoted
-- (there is no LINE 1 below).
SELECT 'sk_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT'::wa.secret;
SELECT 'wa_tooshort'::wa.secret;
SELECT 'wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf-qJneT'::wa.secret;
SELECT 'wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneU'::wa.secret;
\echo :SQLSTATE
SELECT ''::wa.secret;
SELECT ' wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT'::wa.secret;
-- 2^256, with its right checksum
SELECT 'wa_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp22FoKUV'::wa.secret;
-- the mask is no credential
SELECT 'wa_003aU…'::wa.secret;

-- Nor is it quoted to a handler: all that an error tells, for a credential that
-- is cut off at every byte.  A piece of 20 to 51 characters has the shape of a
-- key from elsewhere, and is accepted as one.
CREATE FUNCTION pg_temp.refusal(credential text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text; context text;
BEGIN
	EXECUTE format('SELECT %L::wa.secret', credential);
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws('|', state, message, detail, hint, context);
END $$;
SELECT min(n) || '-' || max(n), pg_temp.refusal(left(key, n))
FROM (VALUES ('wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT')) AS v(key),
	generate_series(0, 52) AS n
GROUP BY 2, n = 52 ORDER BY min(n);
-- one character changed, at every place
SELECT count(*), pg_temp.refusal(overlay(key PLACING 'Z' FROM n FOR 1))
FROM (VALUES ('wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT')) AS v(key),
	generate_series(1, 52) AS n
GROUP BY 2 ORDER BY 2 COLLATE "C";

-- As a parameter: neither the value nor the statement shows.
PREPARE show_secret(wa.secret) AS SELECT $1;
EXECUTE show_secret('wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT');
EXECUTE show_secret('wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneU');
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'show_secret';
DEALLOCATE show_secret;

-- COPY would quote the line it stops at.
CREATE TABLE note (secret wa.secret);
COPY note FROM STDIN;
wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneU
\.
COPY note FROM STDIN;
wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT
\.

-- Binary input takes the same characters (64 octal is their number) and refuses
-- the same, a NUL among them.
COPY note FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\064wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT\377\377'$$ (FORMAT binary);
COPY note FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\064wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneU\377\377'$$ (FORMAT binary);
COPY note FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\064wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJne\0\377\377'$$ (FORMAT binary);
COPY note FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\0\377\377'$$ (FORMAT binary);
\echo :SQLSTATE

-- The ways out give the mask: output, casts, JSON, rows, arrays, COPY.
COPY note TO STDOUT;
COPY (SELECT secret, secret::text FROM note) TO STDOUT (FORMAT csv);
CREATE TEMP TABLE way (name text, shown text);
DO $$
DECLARE
	secret wa.secret := 'wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT';
BEGIN
	INSERT INTO way VALUES
		('cast to text', secret::text),
		('cast to varchar', secret::varchar(200)),
		('assignment', secret),
		('format', format('%s %L %I', secret, secret, secret)),
		('concat', concat(secret, secret)),
		('concatenation', 'x' || secret),
		('quote_literal', quote_literal(secret)),
		('to_json', to_json(secret)),
		('to_jsonb', to_jsonb(secret)),
		('json_build_object', json_build_object('k', secret)),
		('row_to_json', row_to_json(ROW(secret))),
		('json_agg', (SELECT json_agg(secret))),
		('row', ROW(secret)::text),
		('array', ARRAY[secret]::text),
		('array to text[]', (ARRAY[secret]::text[])[1]),
		('array_to_string', array_to_string(ARRAY[secret], ',')),
		('string_agg', (SELECT string_agg(secret::text, ','))),
		('send', encode(wa.secret_send(secret), 'escape')),
		('array_send', encode(array_send(ARRAY[secret]), 'escape')),
		('record_send', encode(record_send(ROW(secret)), 'escape')),
		('out', wa.secret_out(secret)::text);
END $$;
-- (without the lengths and type oids that a binary form begins with)
SELECT name, regexp_replace(shown, '^\\000.*wa_', 'wa_') FROM way;
SELECT count(*) FROM way WHERE shown ~ 'TJC7tj' OR shown !~ 'wa_003aU';
-- a domain and a composite type on top change nothing
CREATE DOMAIN pg_temp.token AS wa.secret;
CREATE TYPE pg_temp.login AS (name text, secret wa.secret);
SELECT 'wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT'::pg_temp.token;
SELECT '(me,wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneT)'::pg_temp.login;
SELECT '(me,wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneU)'::pg_temp.login;
SELECT '{wa_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1qJneU}'::wa.secret[];

-- It cannot be compared, sorted, grouped, hashed, cut or cast to bytes.
\set VERBOSITY terse
SELECT secret = secret FROM note;
SELECT secret < secret FROM note;
SELECT secret LIKE 'wa%' FROM note;
SELECT secret IS DISTINCT FROM secret FROM note;
SELECT secret IN (secret) FROM note;
SELECT 1 FROM note ORDER BY secret;
SELECT 1 FROM note GROUP BY secret;
SELECT DISTINCT secret FROM note;
SELECT min(secret) FROM note;
SELECT ROW(secret) = ROW(secret) FROM note;
SELECT a = b FROM note a, note b;
SELECT ARRAY[secret] = ARRAY[secret] FROM note;
SELECT hash_record(note) FROM note;
SELECT secret::bytea FROM note;
SELECT length(secret) FROM note;
SELECT substr(secret, 1, 20) FROM note;
CREATE INDEX ON note (secret);
CREATE INDEX ON note USING hash (secret);
\set VERBOSITY default
SELECT count(*) FROM pg_operator WHERE 'wa.secret'::regtype IN (oprleft, oprright);
SELECT count(*) FROM pg_opclass WHERE opcintype = 'wa.secret'::regtype;
SELECT count(*) FROM pg_cast WHERE 'wa.secret'::regtype IN (castsource, casttarget);

-- *< compares the raw bytes of rows of any type, and would give a credential
-- away letter by letter.  Between texts it tells which is smaller; between
-- secrets, which digest is.
SELECT a *< b, a *< c, b *< c
FROM (SELECT 'wa_aaaaaaaaaaaaaaaaa'::text) AS a, (SELECT 'wa_bbbbbbbbbbbbbbbbb'::text) AS b,
	(SELECT 'wa_ccccccccccccccccc'::text) AS c;
SELECT a *< b, a *< c, b *< c
FROM (SELECT 'wa_aaaaaaaaaaaaaaaaa'::wa.secret) AS a, (SELECT 'wa_bbbbbbbbbbbbbbbbb'::wa.secret) AS b,
	(SELECT 'wa_ccccccccccccccccc'::wa.secret) AS c;
SELECT a < b, a < c, b < c
FROM sha256('wa_aaaaaaaaaaaaaaaaa') AS a, sha256('wa_bbbbbbbbbbbbbbbbb') AS b, sha256('wa_ccccccccccccccccc') AS c;

-- The catalogs keep a view's constants as raw bytes, for everybody to read.
CREATE VIEW readable AS SELECT 'wa_bbbbbbbbbbbbbbbbb'::text AS key;
CREATE VIEW sealed AS SELECT 'wa_bbbbbbbbbbbbbbbbb'::wa.secret AS key;
SELECT c.relname, r.ev_action ~ repeat('98 ', 10)
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relname IN ('readable', 'sealed') ORDER BY 1;
SELECT pg_get_viewdef('sealed'::regclass);

-- A column of the type is a finding of the self-check.
SELECT passed, detail FROM wa.self_check() WHERE name = 'credentials are stored nowhere';

DROP VIEW public.readable, public.sealed;
DROP TABLE public.note;
