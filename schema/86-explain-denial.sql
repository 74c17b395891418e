-- Why a key is refused: what wa.authenticate() does not tell whoever presents it.

CREATE FUNCTION wa.allows_address(networks cidr[], address text) RETURNS boolean
	LANGUAGE c IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_allows_address';
COMMENT ON FUNCTION wa.allows_address(cidr[], text) IS
	'for function bodies: whether a key that is restricted to these networks is accepted from an address; NULL: it is restricted to none';

CREATE FUNCTION wa.key_rate_wait(org uuid, key uuid, per_minute integer, burst integer) RETURNS integer
	LANGUAGE c STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_key_rate_wait';
COMMENT ON FUNCTION wa.key_rate_wait(uuid, uuid, integer, integer) IS
	'for function bodies: in how many seconds a key with this rate makes its next request, 0 for now; counts nothing. NULL without `shared_preload_libraries`';

-- The reasons in the order in which wa.authenticate() looks for them; the session comes last,
-- since only the statement behind it names one.
CREATE FUNCTION wa.reasons_for_denial(shown wa.keys, needs text, session uuid, address text)
	RETURNS TABLE (reason text, detail text)
	LANGUAGE plpgsql
AS $$
DECLARE
	wait integer;
	held constant text[] := shown.permissions::text[] || shown.own_permissions;
BEGIN
	IF shown.revoked_at IS NOT NULL THEN
		RETURN QUERY SELECT 'revoked', format('revoked at %s by %s', shown.revoked_at, shown.revoked_by) || COALESCE(': ' || shown.revoked_reason, '');
	END IF;
	IF shown.disabled_at IS NOT NULL THEN
		RETURN QUERY SELECT 'disabled', format('switched off at %s by %s', shown.disabled_at, shown.disabled_by);
	END IF;
	IF shown.expires_at <= clock_timestamp() THEN
		RETURN QUERY SELECT 'expired', format('expired at %s', shown.expires_at);
	END IF;
	IF NOT wa.allows_address(shown.addresses, address) THEN
		RETURN QUERY SELECT 'address', format('accepted only from %s', array_to_string(shown.addresses, ', '));
	END IF;
	IF needs <> ALL (held) THEN
		RETURN QUERY SELECT 'permission', format('has only %s', array_to_string(held, ', '));
	END IF;
	wait := wa.key_rate_wait(shown.org_id, shown.id, shown.per_minute, shown.burst);
	IF wait > 0 THEN
		RETURN QUERY SELECT 'rate', format('makes its next request in %s seconds, at a rate of %s a minute', wait, shown.per_minute);
	END IF;
	IF session IS NOT NULL AND wa.stray_session(shown.org_id, ARRAY[session], false) IS NOT NULL THEN
		RETURN QUERY SELECT 'session', 'no session of the key''s organization';
	ELSIF session <> ALL (shown.sessions) THEN
		RETURN QUERY SELECT 'session', format('restricted to %s', array_to_string(wa.session_ids(shown.sessions), ', '));
	ELSIF shown.test AND wa.stray_session(shown.org_id, ARRAY[session], true) IS NOT NULL THEN
		RETURN QUERY SELECT 'session', 'a test key, which reaches sessions of the sandbox only';
	END IF;
END $$;
COMMENT ON FUNCTION wa.reasons_for_denial(wa.keys, text, uuid, text) IS
	'for wa.explain_denial(): everything that denies a key such a request; no row if nothing does';

CREATE FUNCTION wa.explain_denial(secret wa.secret, permission text DEFAULT NULL, session wa.session_id DEFAULT NULL,
								  address text DEFAULT NULL)
	RETURNS TABLE (reason text, detail text, org_id wa.org_id, key wa.key_id, name text)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	shown wa.keys;
BEGIN
	PERFORM wa.refuse_under_key();
	IF secret IS NULL THEN
		RAISE EXCEPTION 'secret must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM wa.refuse_unknown_permission(permission);
	SELECT v.* INTO shown FROM wa.api_key k JOIN wa.keys v ON v.org_id = k.org_id AND v.id = k.id
	WHERE k.digest = wa.secret_digest(secret);
	IF NOT FOUND THEN
		RETURN QUERY SELECT 'unknown', 'no key has this secret', NULL::wa.org_id, NULL::wa.key_id, NULL::text;
		RETURN;
	END IF;
	RETURN QUERY SELECT r.reason, r.detail, shown.org_id::wa.org_id, shown.id::wa.key_id, shown.name
		FROM wa.reasons_for_denial(shown, permission, session, address) r;
	IF NOT FOUND THEN
		RETURN QUERY SELECT NULL::text, 'nothing denies this request', shown.org_id::wa.org_id, shown.id::wa.key_id, shown.name;
	END IF;
END $$;
COMMENT ON FUNCTION wa.explain_denial(wa.secret, text, wa.session_id, text) IS
	'why a request with this key is denied: a row for each reason, `unknown`, `revoked`, `disabled`, `expired`, `address`, `permission`, `rate` or '
	'`session`, the first one that `wa.authenticate()` comes to first, or one row without a reason if nothing denies it. `permission`, `session` and `address` '
	'are what the request needs, names and comes from; without an address a key that is restricted to some is refused. Counts nothing, and is no use of the key. '
	'Pass the secret as a bind parameter. `22004`';
