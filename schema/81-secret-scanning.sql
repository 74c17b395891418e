-- Keys that were found in public.  Whoever holds a secret may end it: nothing else is asked
-- of an administrator who has found one, and services that scan public code say by a
-- signature who they are (src/scanner_signature.c).

-- The report contains keys that may still be accepted, so it prints its length only
-- (src/leak_report.c).
CREATE TYPE wa.leak_report;
COMMENT ON TYPE wa.leak_report IS
	'a report of keys that were found in public, on its way into the database. It keeps the bytes, which are signed, and prints their number. No operator, no cast';

CREATE FUNCTION wa.leak_report_in(cstring) RETURNS wa.leak_report
	AS 'MODULE_PATHNAME', 'wa_leak_report_in'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.leak_report_in(cstring) IS 'input: the report''s characters';

CREATE FUNCTION wa.leak_report_out(wa.leak_report) RETURNS cstring
	AS 'MODULE_PATHNAME', 'wa_leak_report_out'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.leak_report_out(wa.leak_report) IS 'output: how many bytes it has';

CREATE FUNCTION wa.leak_report_recv(internal) RETURNS wa.leak_report
	AS 'MODULE_PATHNAME', 'wa_leak_report_recv'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.leak_report_recv(internal) IS 'binary input: the bytes as they were sent';

CREATE FUNCTION wa.leak_report_send(wa.leak_report) RETURNS bytea
	AS 'MODULE_PATHNAME', 'wa_leak_report_send'
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION wa.leak_report_send(wa.leak_report) IS 'binary output: how many bytes it has';

CREATE TYPE wa.leak_report (
	INPUT = wa.leak_report_in,
	OUTPUT = wa.leak_report_out,
	RECEIVE = wa.leak_report_recv,
	SEND = wa.leak_report_send,
	STORAGE = extended
);

CREATE FUNCTION wa.leak_bytes(report wa.leak_report) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_leak_bytes';
COMMENT ON FUNCTION wa.leak_bytes(wa.leak_report) IS 'for function bodies: the report as it was sent';

CREATE FUNCTION wa.read_scanner_key(pem text) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_read_scanner_key';
COMMENT ON FUNCTION wa.read_scanner_key(text) IS
	'for function bodies: a public key on the curve NIST P-256 as it is stored, from its PEM; NULL for anything else';

CREATE FUNCTION wa.signed_by_scanner(key bytea, signature text, payload bytea) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_signed_by_scanner';
COMMENT ON FUNCTION wa.signed_by_scanner(bytea, text, bytea) IS
	'for function bodies: whether a signature in base64 is that of a key for these bytes (ECDSA with SHA-256)';

CREATE FUNCTION wa.set_scanner_keys(scanner text, keys jsonb) RETURNS integer
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	listed constant jsonb := keys -> 'public_keys';
	known constant text := wa.read_name(scanner, 'scanner');
	wrong bigint;
BEGIN
	IF jsonb_typeof(listed) IS DISTINCT FROM 'array' OR jsonb_array_length(listed) > 100 THEN
		PERFORM wa.refuse_field('keys', 'must be {"public_keys": […]} with at most 100 keys');
	END IF;
	SELECT min(k.place) INTO wrong
	FROM jsonb_array_elements(listed) WITH ORDINALITY k (key, place)
	WHERE (char_length(k.key ->> 'key_identifier') BETWEEN 1 AND 200) IS NOT TRUE
		OR wa.read_scanner_key(k.key ->> 'key') IS NULL;
	PERFORM wa.refuse_element('keys', wrong, 'must have a key_identifier and, as key, the PEM of a public key on the curve P-256');
	DELETE FROM wa.scanner_key s
	WHERE s.scanner = known AND s.identifier NOT IN (SELECT k ->> 'key_identifier' FROM jsonb_array_elements(listed) k);
	INSERT INTO wa.scanner_key AS s (scanner, identifier, public_key)
	SELECT DISTINCT ON (k ->> 'key_identifier') known, k ->> 'key_identifier', wa.read_scanner_key(k ->> 'key')
	FROM jsonb_array_elements(listed) k
	ON CONFLICT ON CONSTRAINT scanner_key_pkey DO UPDATE SET public_key = excluded.public_key, added_at = now()
		WHERE s.public_key <> excluded.public_key;
	RETURN (SELECT count(*) FROM wa.scanner_key s WHERE s.scanner = known);
END $$;
COMMENT ON FUNCTION wa.set_scanner_keys(text, jsonb) IS
	'sets the public keys with which a service signs its reports of secrets in public code, in place of those that it had, and returns how many '
	'there are; `{"public_keys": [{"key_identifier", "key"}]}` is the document that GitHub publishes. An empty list takes the service away. `22023` (`scanner`, `keys`)';

CREATE FUNCTION wa.secret_digest(secret wa.secret) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_secret_digest';
COMMENT ON FUNCTION wa.secret_digest(wa.secret) IS 'for function bodies: the digest of a credential, as the tables store it';

-- No two keys have the same digest, in whichever organizations they are.
CREATE FUNCTION wa.revoke_found(digest bytea, words text, actor text DEFAULT wa.actor(), is_told boolean DEFAULT true, OUT org_id wa.org_id, OUT key wa.key_id,
								OUT revoked boolean)
	LANGUAGE plpgsql
AS $$
BEGIN
	SELECT k.org_id, k.id INTO org_id, key FROM wa.api_key k WHERE k.digest = revoke_found.digest;
	IF FOUND THEN
		revoked := wa.end_key(org_id, key, words, actor, is_told);
	END IF;
END $$;
COMMENT ON FUNCTION wa.revoke_found(bytea, text, text, boolean) IS
	'for function bodies: revokes the key with this digest; key is NULL if there is none, and revoked false if it was revoked before';

CREATE FUNCTION wa.revoke_secret(secret wa.secret, reason text DEFAULT NULL, OUT org_id wa.org_id, OUT key wa.key_id, OUT revoked boolean)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
BEGIN
	PERFORM wa.refuse_under_key();
	IF secret IS NULL THEN
		RAISE EXCEPTION 'secret must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	found := wa.revoke_found(wa.secret_digest(secret), wa.read_reason(reason));
	IF found.key IS NULL THEN
		RAISE EXCEPTION 'no key has this secret' USING ERRCODE = 'no_data_found';
	END IF;
	org_id := found.org_id;
	key := found.key;
	revoked := found.revoked;
END $$;
COMMENT ON FUNCTION wa.revoke_secret(wa.secret, text) IS
	'revokes the key with this secret, whichever organization''s it is; revoked is false if it was revoked before. `P0002`: none has it; `22023` (`reason`)';

-- The report's elements, or an error that shows nothing of them: they are secrets.
CREATE FUNCTION wa.read_leaks(payload bytea) RETURNS jsonb
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	report jsonb;
BEGIN
	BEGIN
		report := convert_from(payload, 'UTF8')::jsonb;
	EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
		NULL;
	END;
	IF jsonb_typeof(report) IS DISTINCT FROM 'array' OR jsonb_array_length(report) > 1000 THEN
		PERFORM wa.refuse_field('body', 'must be a JSON array of at most 1000 reports');
	END IF;
	RETURN report;
END $$;
COMMENT ON FUNCTION wa.read_leaks(bytea) IS 'for function bodies: a report of secrets as a JSON array; raises 22023 for anything else';

CREATE FUNCTION wa.leak_reason(scanner text, leak jsonb) RETURNS text
	LANGUAGE sql IMMUTABLE
AS $$
	SELECT rtrim(left(regexp_replace(concat_ws(' ', 'found in public by', scanner || ':', leak ->> 'source', leak ->> 'url'),
		'[[:cntrl:]]+', ' ', 'g'), 200))
$$;
COMMENT ON FUNCTION wa.leak_reason(text, jsonb) IS 'for function bodies: why a key is revoked that a service has found';

CREATE FUNCTION wa.report_leaks(identifier text, signature text, report wa.leak_report) RETURNS jsonb
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	payload constant bytea := wa.leak_bytes(report);
	scanner text;
	leak jsonb;
	digest bytea;
	labels jsonb[] := '{}';
BEGIN
	PERFORM wa.refuse_under_key();
	SELECT k.scanner INTO scanner FROM wa.scanner_key k
	WHERE k.identifier = report_leaks.identifier AND wa.signed_by_scanner(k.public_key, signature, payload)
	ORDER BY k.scanner LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the report is not signed with a key that is known here' USING ERRCODE = 'invalid_authorization_specification';
	END IF;
	FOR leak IN SELECT e FROM jsonb_array_elements(wa.read_leaks(payload)) e WHERE jsonb_typeof(e -> 'token') = 'string' LOOP
		digest := wa.hash_key(leak ->> 'token');
		labels := labels || jsonb_build_object('token_hash', encode(digest, 'base64'), 'token_type', leak -> 'type',
			'label', CASE WHEN (wa.revoke_found(digest, wa.leak_reason(scanner, leak), scanner, false)).key IS NULL
				THEN 'false_positive' ELSE 'true_positive' END);
	END LOOP;
	RETURN to_jsonb(labels);
END $$;
COMMENT ON FUNCTION wa.report_leaks(text, text, wa.leak_report) IS
	'revokes the keys that a service has found in public code and says of each secret whether it was one; housekeeping writes their events. The '
	'report of GitHub''s secret scanning partner program, its key''s identifier and its signature. `28000`: not signed by `wa.set_scanner_keys()`; `22023` (`body`)';
