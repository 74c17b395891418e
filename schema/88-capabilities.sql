-- What the connectors of each kind can do (wa.connector_capability).  A request that the
-- connector of its session cannot carry out is refused before anything is queued.

-- The capabilities that were there before this release.  A dump does not include them, so
-- that the next release may change them.
INSERT INTO wa.connector_capability (connector, capability, built_in, is_supported)
SELECT k.connector, c.capability, true, c.capability <> ALL (k.lacks)
FROM (VALUES ('sandbox', '{}'::text[]), ('cloud', '{poll,mentions,edit,revoke,qr,pairing_code}')) k (connector, lacks)
	CROSS JOIN unnest(wa.capabilities()) c (capability);

CREATE FUNCTION wa.connector_can(connector text, capability text) RETURNS boolean
	LANGUAGE plpgsql STABLE STRICT
AS $$
BEGIN
	RETURN COALESCE(
		(SELECT c.is_supported FROM wa.connector_capability c
		 WHERE c.connector = connector_can.connector AND c.capability = connector_can.capability
		 ORDER BY c.built_in LIMIT 1),
		NOT EXISTS (SELECT FROM wa.connector_capability c WHERE c.connector = connector_can.connector));
END $$;
COMMENT ON FUNCTION wa.connector_can(text, text) IS
	'for function bodies: whether connectors of a kind have a capability';

CREATE FUNCTION wa.refuse_incapable(connector text, capability text) RETURNS void
	LANGUAGE plpgsql STABLE STRICT
AS $$
BEGIN
	IF NOT wa.connector_can(connector, capability) THEN
		RAISE EXCEPTION 'connector % does not support %', connector, capability
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_incapable(text, text) IS
	'for function bodies: raises 55000, with a text that names both, unless connectors of a kind have a capability';

CREATE FUNCTION wa.list_connectors() RETURNS TABLE (name text, capabilities text[])
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.require_permission('read');
	RETURN QUERY
	SELECT k.name, ARRAY(
		SELECT c.capability FROM unnest(wa.capabilities()) WITH ORDINALITY c (capability, place)
		WHERE wa.connector_can(k.name, c.capability) ORDER BY c.place)
	FROM (SELECT DISTINCT unnest(wa.connectors())) k (name) ORDER BY k.name;
END $$;
COMMENT ON FUNCTION wa.list_connectors() IS
	'the kinds of connector that sessions may have (the setting `wa.connectors`), by name, and what each can do. Needs `read`';

CREATE FUNCTION wa.set_connector_capability(connector text, capability text, supported boolean) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_under_key();
	IF (connector ~ '^[a-z][a-z0-9_-]{0,30}$') IS NOT TRUE THEN
		PERFORM wa.refuse_field('connector', 'must be 1 to 31 of a to z, 0 to 9, _ and -, the first one a letter');
	END IF;
	IF (capability = ANY (wa.capabilities())) IS NOT TRUE THEN
		PERFORM wa.refuse_field('capability', format('must be one of: %s', array_to_string(wa.capabilities(), ', ')));
	END IF;
	IF supported IS NULL THEN
		DELETE FROM wa.connector_capability c
		WHERE c.connector = set_connector_capability.connector AND c.capability = set_connector_capability.capability AND NOT c.built_in;
	ELSE
		INSERT INTO wa.connector_capability AS c (connector, capability, built_in, is_supported, set_by)
		VALUES (set_connector_capability.connector, set_connector_capability.capability, false, supported, wa.actor())
		ON CONFLICT ON CONSTRAINT connector_capability_pkey DO UPDATE
			SET is_supported = EXCLUDED.is_supported, set_by = EXCLUDED.set_by;
	END IF;
END $$;
COMMENT ON FUNCTION wa.set_connector_capability(text, text, boolean) IS
	'says whether connectors of a kind have a capability, in place of what is built in for `sandbox` and `cloud`; NULL: what is built in, '
	'or nothing. As long as nothing is said of a kind, it has every capability; from the first one on, those that are said to be supported. '
	'What is queued already stays. `22023` (`connector`, `capability`)';
