-- Kinds of connector: what they can do, and the credentials with which they connect sessions.

-- ---- capabilities (wa.connector_capability) ----
--
-- A request that the connector of its session cannot carry out is refused before anything is
-- queued.

-- The capabilities that were there before this release.  A dump does not include them, so
-- that the next release may change them.
INSERT INTO wa.connector_capability (connector, capability, built_in, is_supported)
SELECT k.connector, c.capability, true, c.capability <> ALL (k.lacks)
FROM (VALUES ('sandbox', '{}'::text[]),
	('cloud', '{image,video,audio,document,sticker,poll,mentions,edit,revoke,qr,pairing_code}')) k (connector, lacks)
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

CREATE FUNCTION wa.check_connector_name(connector text) RETURNS void
	LANGUAGE plpgsql PARALLEL SAFE
AS $$
BEGIN
	IF (connector ~ '^[a-z][a-z0-9_-]{0,30}$') IS NOT TRUE THEN
		PERFORM wa.refuse_field('connector', 'must be 1 to 31 of a to z, 0 to 9, _ and -, the first one a letter');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_connector_name(text) IS 'for function bodies: raises 22023 for what no kind of connector can be named';

CREATE FUNCTION wa.set_connector_capability(connector text, capability text, supported boolean) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_under_key();
	PERFORM wa.check_connector_name(connector);
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

-- ---- credentials (wa.session_credentials, wa.connector_key) ----
--
-- The gateway seals the credentials with which a connector connects a session to the
-- connector's public key before they reach the database, so that neither the database nor a
-- dump of it has a token that works.  What is sealed begins with the organization: sealed
-- credentials that somebody copies to a session of another organization are refused by the
-- connector.  So are those that name another phone number than the row does, which whoever
-- writes SQL can make: the row's is the one that the session gets.
--
-- A phone number belongs to one session of the installation.  A session gets it when WhatsApp
-- has accepted its credentials, and not by naming it, so nobody can keep a number from its
-- owner, and only who holds a token for a number learns that another session has it.  Other
-- credentials give the number up until they have been accepted: somebody whose token is worth
-- nothing any more could keep it otherwise, by ever new ones.

-- What belongs to a number is looked up across organizations by wa_claim only.  (wa.protect()
-- would refuse the table with this index.)
CREATE UNIQUE INDEX session_credentials_number ON wa.session_credentials (phone_number_id) WHERE has_number;

CREATE FUNCTION wa.give_up_number() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
AS $$
BEGIN
	UPDATE wa.session_credentials c SET has_number = false
	WHERE c.org_id = NEW.org_id AND c.session_id = NEW.id AND c.has_number;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION wa.give_up_number() IS 'trigger: a session that has ended has its phone number no longer';
CREATE TRIGGER session_ended_number AFTER UPDATE OF status ON wa.session
	FOR EACH ROW WHEN (NEW.status NOT IN ('starting', 'scan_qr_code', 'working')
		AND OLD.status IN ('starting', 'scan_qr_code', 'working'))
	EXECUTE FUNCTION wa.give_up_number();
COMMENT ON TRIGGER session_ended_number ON wa.session IS 'lets another session have the phone number';

CREATE FUNCTION wa.take_number(org uuid, session uuid) RETURNS boolean
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE wa.session_credentials c SET has_number = true
	WHERE c.org_id = org AND c.session_id = session AND NOT c.has_number;
	RETURN true;
EXCEPTION WHEN unique_violation THEN
	RETURN false;
END $$;
COMMENT ON FUNCTION wa.take_number(uuid, uuid) IS
	'for wa.connector_session(): gives a session the phone number of its credentials, if it has any; false if another session has the number';

CREATE FUNCTION wa.sealing_key(session uuid DEFAULT NULL, connector text DEFAULT NULL)
	RETURNS TABLE (org_id uuid, key_id uuid, public_key bytea)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	kind text;
BEGIN
	PERFORM wa.require_permission('manage');
	IF session IS NULL THEN
		kind := wa.read_connector(sealing_key.connector);
	ELSE
		SELECT s.connector INTO kind FROM wa.session s WHERE s.org_id = wa.require_org() AND s.id = sealing_key.session;
		IF NOT FOUND THEN
			PERFORM wa.refuse_unknown_session(sealing_key.session);
		END IF;
	END IF;
	RETURN QUERY
	SELECT wa.require_org(), k.id, k.public_key FROM wa.connector_key k WHERE k.connector = kind ORDER BY k.id DESC LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'connector % has no key to seal credentials to', kind
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'An administrator adds one with wa.add_connector_key().';
	END IF;
END $$;
COMMENT ON FUNCTION wa.sealing_key(uuid, text) IS
	'the bound organization, and the newest key of the connector of a session, or else of a connector that is named (NULL: `sandbox`): for the gateway, which '
	'seals credentials to it (libsodium''s `crypto_box_seal`). Needs `manage`. `22023` (`connector`), `P0002`, `55000`: the connector has no key';

CREATE FUNCTION wa.set_session_credentials(session uuid, phone_number text, account text, app text, key uuid, sealed bytea)
	RETURNS TABLE (phone_number_id text, waba_id text, app_id text, updated_at timestamptz)
	LANGUAGE plpgsql STRICT ROWS 1 SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	old wa.session;
BEGIN
	PERFORM wa.require_permission('manage');
	old := wa.find_session(session);
	PERFORM FROM wa.connector_key k
	WHERE k.id = set_session_credentials.key AND k.connector = old.connector FOR KEY SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'key of connector % has changed', old.connector USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	-- The session before its credentials, as in wa.connector_session(), or they could deadlock.
	UPDATE wa.session s
	SET status = CASE WHEN s.status IN ('starting', 'scan_qr_code', 'working') THEN 'starting' ELSE s.status END,
		status_reason = CASE WHEN s.status IN ('starting', 'scan_qr_code', 'working') THEN NULL ELSE s.status_reason END,
		lease_owner = NULL, lease_until = NULL, updated_at = now()
	WHERE s.org_id = old.org_id AND s.id = old.id;
	PERFORM wa.note(old.org_id, 'session.credentials', old.id, jsonb_strip_nulls(jsonb_build_object('name', old.label)));
	RETURN QUERY
	INSERT INTO wa.session_credentials AS c (org_id, session_id, phone_number_id, waba_id, app_id, key_id, sealed)
	VALUES (old.org_id, old.id, phone_number, account, app, key, set_session_credentials.sealed)
	ON CONFLICT ON CONSTRAINT session_credentials_pkey DO UPDATE
		SET phone_number_id = EXCLUDED.phone_number_id, waba_id = EXCLUDED.waba_id, app_id = EXCLUDED.app_id,
			key_id = EXCLUDED.key_id, sealed = EXCLUDED.sealed,
			has_number = false,
			updated_at = GREATEST(EXCLUDED.updated_at, c.updated_at + interval '1 microsecond')
	RETURNING c.phone_number_id, c.waba_id, c.app_id, c.updated_at;
END $$;
COMMENT ON FUNCTION wa.set_session_credentials(uuid, text, text, text, uuid, bytea) IS
	'stores the credentials of a session''s connector, in place of earlier ones, and returns what the database can read of them: the ids of the phone number, the business account and the app. `sealed` is made by the '
	'gateway, with the key that `wa.sealing_key()` returned. A session that runs starts anew with them. Nothing happens if a value is NULL. Needs `manage`. '
	'`P0002`, `23514`: an id is not 1 to 20 digits, or `sealed` not 49 to 8192 bytes, `55000`: the connector has no such key';

CREATE FUNCTION wa.session_credentials(session uuid)
	RETURNS TABLE (phone_number_id text, waba_id text, app_id text, updated_at timestamptz)
	LANGUAGE plpgsql STABLE STRICT ROWS 1 SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM wa.require_permission('manage');
	RETURN QUERY
	SELECT c.phone_number_id, c.waba_id, c.app_id, c.updated_at FROM wa.session_credentials c
	WHERE c.org_id = wa.require_org() AND c.session_id = session;
	IF NOT FOUND AND NOT EXISTS (SELECT FROM wa.session s WHERE s.org_id = wa.require_org() AND s.id = session) THEN
		PERFORM wa.refuse_unknown_session(session);
	END IF;
END $$;
COMMENT ON FUNCTION wa.session_credentials(uuid) IS
	'the ids in the credentials of a session, and when they were given; no row if it has none. Needs `manage`. `P0002`';

CREATE FUNCTION wa.connector_credentials(connector text, owner text, sessions uuid[])
	RETURNS TABLE (org_id uuid, session_id uuid, key_id uuid, sealed bytea, updated_at timestamptz, phone_number_id text)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
	IF (array_ndims(sessions) = 1 AND cardinality(sessions) <= 1000) IS NOT TRUE THEN
		PERFORM wa.refuse_field('sessions', 'must have 1 to 1000 elements');
	END IF;
	RETURN QUERY
	SELECT c.org_id, c.session_id, c.key_id, c.sealed, c.updated_at, c.phone_number_id
	FROM wa.session_wanted w JOIN wa.session_credentials c ON c.org_id = w.org_id AND c.session_id = w.session_id
	WHERE w.lease_owner = connector_credentials.owner AND w.connector = connector_credentials.connector
		AND w.is_wanted AND w.lease_until > clock_timestamp() AND w.session_id = ANY (connector_credentials.sessions);
END $$;
COMMENT ON FUNCTION wa.connector_credentials(text, text, uuid[]) IS
	'the sealed credentials of sessions whose lease `owner` has. They are to be refused if `phone_number_id` is not the one that is sealed. `22023` (`sessions`: 1 to 1000)';

-- What WhatsApp posts comes to any process of a connector, also one that does not have the
-- lease of the session, and at any time.  The process needs the secret of the session's app, to
-- see who has posted it.
CREATE INDEX session_credentials_phone ON wa.session_credentials (phone_number_id, has_number DESC, updated_at DESC);
CREATE INDEX session_credentials_app ON wa.session_credentials (app_id, has_number DESC, updated_at DESC);

CREATE FUNCTION wa.connector_receivers(connector text, numbers text[], app text)
	RETURNS TABLE (org_id uuid, session_id uuid, phone_number_id text, waba_id text, key_id uuid, sealed bytea, has_number boolean)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	-- Anybody may name a number or an app.  Those that have the number come first, no organization
	-- takes the places of the others, and what is looked at is bounded.
	of_number_max constant integer := 4;
	of_app_max constant integer := 50;
	of_app_and_org_max constant integer := 10;
	-- So long WhatsApp has to repeat what it posts for a session that has failed.  What comes in
	-- the same post for others would come again with it.
	repeated constant interval := '1 hour';
	looked_at_of_number_max constant integer := 100;
	looked_at_of_app_max constant integer := 400;
BEGIN
	IF (numbers IS NULL OR array_ndims(numbers) = 1 AND cardinality(numbers) <= 1000) IS NOT TRUE THEN
		PERFORM wa.refuse_field('numbers', 'must have 1 to 1000 elements');
	END IF;
	RETURN QUERY
	SELECT found.* FROM (SELECT DISTINCT n FROM unnest(numbers) n) named (number) CROSS JOIN LATERAL (
		SELECT c.org_id, c.session_id, c.phone_number_id, c.waba_id, c.key_id, c.sealed, c.has_number
		FROM (SELECT * FROM wa.session_credentials k WHERE k.phone_number_id = named.number
			ORDER BY k.has_number DESC, k.updated_at DESC LIMIT looked_at_of_number_max) c CROSS JOIN LATERAL (
			SELECT FROM wa.session s WHERE s.org_id = c.org_id AND s.id = c.session_id
				AND s.connector = connector_receivers.connector AND (c.has_number OR s.status = 'starting'
					OR s.status = 'failed' AND GREATEST(s.updated_at, c.updated_at) > now() - repeated) LIMIT 1) s
		ORDER BY c.has_number DESC, c.updated_at DESC LIMIT of_number_max) found
	UNION ALL
	(SELECT p.org_id, p.session_id, p.phone_number_id, p.waba_id, p.key_id, p.sealed, p.has_number FROM (
		SELECT c.*, row_number() OVER (PARTITION BY c.org_id ORDER BY c.has_number DESC, c.updated_at DESC) AS place
		FROM (SELECT * FROM wa.session_credentials k WHERE k.app_id = app
			ORDER BY k.has_number DESC, k.updated_at DESC LIMIT looked_at_of_app_max) c CROSS JOIN LATERAL (
			SELECT FROM wa.session s WHERE s.org_id = c.org_id AND s.id = c.session_id
				AND s.connector = connector_receivers.connector AND s.status <> 'logged_out' LIMIT 1) s) p
	WHERE p.place <= of_app_and_org_max
	ORDER BY p.has_number DESC, p.updated_at DESC LIMIT of_app_max);
END $$;
COMMENT ON FUNCTION wa.connector_receivers(text, text[], text) IS
	'the sealed credentials of the sessions of a connector that WhatsApp posts something for: those of phone numbers, whoever has their lease, and those with the credentials of an app: the 50 newest, those with a number first, and at most 10 of one organization. `has_number`: the session has '
	'the number; otherwise it is starting, or has failed or got its credentials within the last hour, and may get the number later, so that WhatsApp should try again. Either may be NULL. `22023` (`numbers`: at most 1000)';

CREATE FUNCTION wa.count_sealed(key uuid) RETURNS bigint
	LANGUAGE sql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT count(*) FROM wa.session_credentials c WHERE c.key_id = key $$;
COMMENT ON FUNCTION wa.count_sealed(uuid) IS 'for function bodies: how many sessions, of all organizations, have credentials that are sealed to a key';

-- Whoever gives away a box that is sealed to a point of small order gives away what is in it, so
-- libsodium refuses to.  Each key has one form: the number is less than 2^255 - 19, and the bit
-- above it, which X25519 leaves out, is 0 (RFC 7748).
CREATE FUNCTION wa.is_public_key(public_key bytea) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
	small_order constant bytea[] := ARRAY[
		E'\\x0000000000000000000000000000000000000000000000000000000000000000',
		E'\\x0100000000000000000000000000000000000000000000000000000000000000',
		E'\\xe0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
		E'\\x5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
		E'\\xecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'];
BEGIN
	RETURN octet_length(public_key) = 32 AND get_byte(public_key, 31) < 128 AND public_key <> ALL (small_order)
		AND NOT (substr(public_key, 2) = decode(repeat('ff', 30) || '7f', 'hex') AND get_byte(public_key, 0) >= 237);
END $$;
COMMENT ON FUNCTION wa.is_public_key(bytea) IS
	'for function bodies: whether these are the 32 bytes of a public key (X25519) that can be sealed to; NULL for NULL';

CREATE FUNCTION wa.add_connector_key(connector text, public_key bytea) RETURNS uuid
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	key uuid;
BEGIN
	PERFORM wa.refuse_under_key();
	PERFORM wa.check_connector_name(connector);
	IF wa.is_public_key(public_key) IS NOT TRUE THEN
		PERFORM wa.refuse_field('public_key', 'must be the 32 bytes of a public key (X25519)');
	END IF;
	INSERT INTO wa.connector_key (connector, public_key, added_by)
	VALUES (add_connector_key.connector, add_connector_key.public_key, wa.actor()) RETURNING id INTO key;
	RETURN key;
END $$;
COMMENT ON FUNCTION wa.add_connector_key(text, bytea) IS
	'adds a public key of a connector (X25519, 32 bytes), and returns its id. From then on gateways seal credentials to this one; what is sealed to earlier keys stays, so the connector '
	'needs their secret halves too. `22023` (`connector`, `public_key`), `23505`: it is there already';

CREATE FUNCTION wa.remove_connector_key(key uuid) RETURNS void
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sealed bigint;
BEGIN
	PERFORM wa.refuse_under_key();
	-- Waits for transactions that are storing what is sealed to it.
	PERFORM FROM wa.connector_key k WHERE k.id = key FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'key does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	sealed := wa.count_sealed(key);
	IF sealed > 0 THEN
		RAISE EXCEPTION 'credentials of % sessions are sealed to this key', sealed USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	DELETE FROM wa.connector_key k WHERE k.id = key;
END $$;
COMMENT ON FUNCTION wa.remove_connector_key(uuid) IS
	'removes a public key of a connector. `P0002`, `55000`: credentials are sealed to it, which have to be given anew before';

CREATE FUNCTION wa.connector_keys()
	RETURNS TABLE (id uuid, connector text, public_key bytea, added_at timestamptz, added_by text, sessions bigint)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM wa.refuse_under_key();
	RETURN QUERY
	SELECT k.id, k.connector, k.public_key, k.added_at, k.added_by, wa.count_sealed(k.id)
	FROM wa.connector_key k ORDER BY k.connector, k.id DESC;
END $$;
COMMENT ON FUNCTION wa.connector_keys() IS
	'the public keys of connectors, the newest of each first, and of how many sessions the credentials are sealed to each';
