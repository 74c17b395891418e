-- Organizations, API keys and the audit log: what administrators do in psql.  All these
-- functions run as wa_owner.  No API key can change API keys: the functions are granted to
-- wa_admin only, and they refuse to run if a key is bound.

CREATE FUNCTION wa.is_socket() RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_is_socket';
COMMENT ON FUNCTION wa.is_socket() IS
	'for function bodies: whether this transaction acts with the credential of a realtime socket, which only listens';

CREATE FUNCTION wa.refuse_under_key() RETURNS void
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
BEGIN
	IF wa.current_key() IS NOT NULL OR wa.is_socket() THEN
		RAISE EXCEPTION 'an API key cannot manage API keys'
			USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'person';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_under_key() IS
	'for function bodies: raises 42501, with "person" in the constraint-name field, in a transaction that acts with an API key';

CREATE FUNCTION wa.refuse_unknown_org(org uuid) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
AS $$
BEGIN
	IF EXISTS (SELECT FROM wa.org o WHERE o.id = org) THEN
		RETURN;
	ELSIF wa.org_of_key(org) IS NOT NULL THEN
		RAISE EXCEPTION 'organization does not exist' USING ERRCODE = 'no_data_found',
			HINT = 'This is the id of an API key. wa.revoke_key(key) and wa.revoke_key_with_reason(key, reason) revoke it.';
	END IF;
	RAISE EXCEPTION 'organization does not exist' USING ERRCODE = 'no_data_found';
END $$;
COMMENT ON FUNCTION wa.refuse_unknown_org(uuid) IS
	'for function bodies: raises P0002 unless there is this organization, with a hint for who gives the id of a key';

CREATE FUNCTION wa.actor() RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	AS $$ SELECT COALESCE(wa.typeid('usr', wa.current_user_id()), wa.typeid('key', wa.current_key()), session_user::text) $$;
COMMENT ON FUNCTION wa.actor() IS 'who acts, for the audit log: a person, a key, or else the database login';

-- The name of an actor or a subject, if it is still known.
CREATE FUNCTION wa.name_of(org uuid, id text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
AS $$
	SELECT CASE
		WHEN id ~ '^usr_[0-7][0-9a-hjkmnp-tv-z]{25}$' THEN
			(SELECT u.name FROM wa.app_user u WHERE u.id = wa.from_typeid('usr', name_of.id))
		WHEN id ~ '^key_[0-7][0-9a-hjkmnp-tv-z]{25}$' THEN
			(SELECT k.name FROM wa.api_key k WHERE k.org_id = org AND k.id = wa.from_typeid('key', name_of.id))
		END
$$;
COMMENT ON FUNCTION wa.name_of(uuid, text) IS 'for function bodies: what a usr_… or key_… is called, NULL for others';

-- The address from which a person signed in, or from which a key is used.
CREATE FUNCTION wa.actor_address() RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
AS $$
	SELECT CASE WHEN wa.current_key() IS NOT NULL THEN wa.current_address()
		ELSE (SELECT host(s.address) FROM wa.sign_in s WHERE s.user_id = wa.current_user_id() AND s.id = wa.current_sign_in()) END
$$;
COMMENT ON FUNCTION wa.actor_address() IS 'for function bodies: the network address of whom the transaction acts for; NULL: it is not known';

-- The actor's name is stored, because it is not known any more after a person has left.
CREATE FUNCTION wa.note(org uuid, action text, subject uuid, detail jsonb DEFAULT '{}', actor text DEFAULT NULL,
						at timestamptz DEFAULT NULL) RETURNS void
	LANGUAGE sql
AS $$
	INSERT INTO wa.audit (org_id, id, at, actor, actor_name, action, subject, detail)
	SELECT org, made.id, COALESCE(note.at, wa.uuid7_time(made.id)), made.actor, wa.name_of(org, made.actor), action, subject,
		detail || jsonb_strip_nulls(jsonb_build_object('address', wa.actor_address()))
	FROM (SELECT wa.uuid7() AS id, COALESCE(note.actor, wa.actor()) AS actor) made
$$;
COMMENT ON FUNCTION wa.note(uuid, text, uuid, jsonb, text, timestamptz) IS
	'adds a row to the audit log; the actor is whom the transaction acts for, and the time that of the row''s id, unless they are given';

-- Only the settings that have changed are written, with null for one that was taken away.
CREATE FUNCTION wa.note_changes(org uuid, action text, subject uuid, name text, old jsonb, new jsonb) RETURNS void
	LANGUAGE sql
AS $$
	SELECT wa.note(org, action, subject, jsonb_strip_nulls(jsonb_build_object('name', name)) || changes.of)
	FROM (SELECT jsonb_object_agg(n.key, n.value) AS of FROM jsonb_each(new) n WHERE n.value IS DISTINCT FROM old -> n.key) changes
	WHERE changes.of IS NOT NULL
$$;
COMMENT ON FUNCTION wa.note_changes(uuid, text, uuid, text, jsonb, jsonb) IS
	'for function bodies: adds a row to the audit log with the members of new that are not as they were in old; none if all are';

-- For an end whose row somebody else has locked (schema/56-ended.sql).
CREATE FUNCTION wa.mark_ended(org uuid, subject uuid, kind text, reason text DEFAULT NULL, actor text DEFAULT wa.actor(),
							  is_told boolean DEFAULT true) RETURNS void
	LANGUAGE sql
AS $$
	INSERT INTO wa.ended (org_id, subject, kind, actor, reason, is_told) VALUES (org, subject, kind, actor, reason, is_told)
$$;
COMMENT ON FUNCTION wa.mark_ended(uuid, uuid, text, text, text, boolean) IS
	'for function bodies: ends a key, a membership, its rank or an invitation, or switches a key off, without a change of its row; not `is_told`: housekeeping writes the event';

-- Raises 22023 for a wrong field.  The error's column-name field has the field's name, so
-- that the gateway can tell its caller which one it was.
CREATE FUNCTION wa.refuse_field(field text, problem text) RETURNS void
	LANGUAGE plpgsql STRICT PARALLEL SAFE
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('%s %s', field, problem), COLUMN = field;
END $$;
COMMENT ON FUNCTION wa.refuse_field(text, text) IS
	'for function bodies: raises 22023 with the field''s name in the column-name field of the error';

-- The same for an element of a list.  Callers count from 0, as programs do.
CREATE FUNCTION wa.refuse_element(field text, place bigint, problem text) RETURNS void
	LANGUAGE plpgsql STRICT PARALLEL SAFE
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
		MESSAGE = format('%s[%s] %s', field, place - 1, problem), COLUMN = field;
END $$;
COMMENT ON FUNCTION wa.refuse_element(text, bigint, text) IS
	'for function bodies: raises 22023 for the element at this place (from 1) of a field; NULL: none is wrong';

-- Names that a request contains: shortened so that they can still be recognized, on one line.
CREATE FUNCTION wa.quoted(name text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN to_json("left"(name, 64))::text;
COMMENT ON FUNCTION wa.quoted(text) IS 'for function bodies: the first 64 characters of a name, in quotes and without line breaks';

-- All elements count: in an array of several dimensions the first one does not say how many
-- there are.
CREATE FUNCTION wa.is_list(items text[], max integer) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	RETURN COALESCE(array_ndims(items), 1) = 1 AND cardinality(items) <= max;
END $$;
COMMENT ON FUNCTION wa.is_list(text[], integer) IS
	'for function bodies: whether an array is of one dimension and has no more elements than that; NULL for NULL';

-- All names are read by this function.
CREATE FUNCTION wa.read_name(name text, field text DEFAULT 'name') RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	problem constant text := wa.name_problem(COALESCE(name, ''));
BEGIN
	IF problem IS NOT NULL THEN
		PERFORM wa.refuse_field(field, problem);
	END IF;
	RETURN wa.clean_name(name);
END $$;
COMMENT ON FUNCTION wa.read_name(text, text) IS
	'for function bodies: the name of an organization, a key, a person or a session as it is stored; raises 22023 for this field if it cannot be one';

CREATE FUNCTION wa.refuse_restricted_to_sessions() RETURNS void
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
BEGIN
	IF wa.is_restricted_to_sessions() THEN
		PERFORM wa.count_denied_session(NULL);
		RAISE EXCEPTION 'an API key that is restricted to some sessions cannot do this'
			USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'sessions';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_restricted_to_sessions() IS
	'for function bodies: raises 42501, with "sessions" in the constraint-name field, in a transaction that acts with a key that is restricted to some sessions';

-- In wa.api_key.own_permissions bit n stands for number n.
CREATE FUNCTION wa.own_permission_names(numbers bigint) RETURNS text[]
	LANGUAGE sql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY(SELECT p.name::text FROM wa.own_permission p
		WHERE p.dropped_at IS NULL AND (numbers >> p.number) & 1 = 1 ORDER BY p.number)
$$;
COMMENT ON FUNCTION wa.own_permission_names(bigint) IS
	'the names of a key''s own permissions, without those that were dropped';

CREATE FUNCTION wa.key_permissions(key wa.api_key) RETURNS text[]
	LANGUAGE sql STABLE STRICT
	RETURN key.permissions::text[] || CASE WHEN key.own_permissions <> 0 THEN wa.own_permission_names(key.own_permissions) END;
COMMENT ON FUNCTION wa.key_permissions(wa.api_key) IS 'for function bodies: all that a key may do: the four first, then own permissions';

CREATE FUNCTION wa.create_org(name text) RETURNS uuid
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org uuid;
BEGIN
	PERFORM wa.refuse_under_key();
	INSERT INTO wa.org (name) VALUES (wa.read_name(create_org.name)) RETURNING id INTO org;
	PERFORM wa.note(org, 'org.created', org);
	RETURN org;
END $$;
COMMENT ON FUNCTION wa.create_org(text) IS
	'makes an organization and returns its id. `22023` (`name`), `42501` in a transaction that is bound to a key, as '
	'with all functions that administer';

CREATE FUNCTION wa.check_key(permissions wa.permissions, own_permissions bigint, expires_at timestamptz) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	IF permissions IS NULL OR permissions OPERATOR(wa.=) '{}'::wa.permissions AND own_permissions = 0 THEN
		PERFORM wa.refuse_field('permissions', 'must name at least one permission');
	END IF;
	IF expires_at <= now() THEN
		PERFORM wa.refuse_field('expiresAt', 'must be in the future');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_key(wa.permissions, bigint, timestamptz) IS
	'for function bodies: raises 22023 for permissions and an expiry that a key cannot have';

-- An index cannot know that a key has expired or is revoked by wa.ended.  So such a key keeps
-- its name until another key wants it.  Taking the name locks the row: this waits for a
-- change of the expiry that came first, after which the key may be valid again.
CREATE FUNCTION wa.free_ended_name(org uuid, name text) RETURNS void
	LANGUAGE sql STRICT
AS $$
	UPDATE wa.api_key k SET holds_name = false
	WHERE k.org_id = org AND lower(k.name) = lower(free_ended_name.name) AND k.holds_name AND k.revoked_at IS NULL
		AND (k.expires_at <= clock_timestamp() OR wa.ended_at(org, k.id, 'key') IS NOT NULL)
$$;
COMMENT ON FUNCTION wa.free_ended_name(uuid, text) IS
	'for function bodies: takes a name away from a key that is over and still holds it';

CREATE FUNCTION wa.lock_key_names(org uuid) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_lock_key_names';
COMMENT ON FUNCTION wa.lock_key_names(uuid) IS
	'for function bodies: keeps everybody else from naming a key of an organization until the transaction ends';

-- One at a time in an organization: an index prevents equal names, but not names that only
-- look alike.
CREATE FUNCTION wa.claim_key_name(org uuid, name text, holder uuid) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	looks constant text := wa.name_skeleton(name);
BEGIN
	PERFORM wa.refuse_unknown_org(org);
	PERFORM wa.lock_key_names(org);
	PERFORM wa.free_ended_name(org, name);
	IF EXISTS (SELECT FROM wa.api_key k
			   WHERE k.org_id = org AND k.holds_name AND k.revoked_at IS NULL AND k.id IS DISTINCT FROM holder
				   AND wa.ended_at(org, k.id, 'key') IS NULL
				   AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
				   AND wa.name_skeleton(k.name) = looks) THEN
		RAISE EXCEPTION 'a live key of this organization has this name already, or one that looks like it'
			USING ERRCODE = 'unique_violation', CONSTRAINT = 'api_key_live_name';
	END IF;
END $$;
COMMENT ON FUNCTION wa.claim_key_name(uuid, text, uuid) IS
	'for function bodies: makes sure that no live key of an organization but this one has a name or one that looks like it; raises 23505 otherwise, P0002 without such an organization';

-- A key that is over stays so.  Only these functions check whether a key can still be changed.
CREATE FUNCTION wa.refuse_over(key wa.api_key) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	ended constant text := CASE
		WHEN key.revoked_at IS NOT NULL OR wa.ended_at(key.org_id, key.id, 'key') IS NOT NULL
			OR wa.has_ended(key.org_id, key.id, 'key') THEN 'revoked'
		WHEN key.expires_at <= clock_timestamp() THEN 'expired' END;
BEGIN
	IF ended IS NOT NULL THEN
		RAISE EXCEPTION 'key is % and cannot be changed', ended USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_over(wa.api_key) IS
	'for function bodies: raises 55000 for a key that is revoked or expired';

CREATE FUNCTION wa.refuse_ended(key wa.api_key) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
BEGIN
	PERFORM wa.refuse_over(key);
	IF key.superseded_by IS NOT NULL THEN
		RAISE EXCEPTION 'key is rotated and cannot be changed' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_ended(wa.api_key) IS
	'for function bodies: raises 55000 for a key that is revoked, expired or rotated';

CREATE FUNCTION wa.lock_key(org uuid, key uuid) RETURNS wa.api_key
	LANGUAGE plpgsql
AS $$
DECLARE
	locked wa.api_key;
BEGIN
	SELECT k.* INTO locked FROM wa.api_key k WHERE k.org_id = org AND k.id = key FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'key does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.refuse_ended(locked);
	RETURN locked;
END $$;
COMMENT ON FUNCTION wa.lock_key(uuid, uuid) IS
	'for function bodies: a key that can be changed, locked until the transaction ends; raises P0002 if there is none, 55000 if it is revoked, expired or rotated';

-- This runs as wa_claim: an administrator, who acts for no organization, sees no sessions.
CREATE FUNCTION wa.stray_session(org uuid, sessions uuid[], is_test boolean) RETURNS bigint
	LANGUAGE sql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT min(e.place) FROM unnest(sessions) WITH ORDINALITY e (session, place)
	WHERE NOT EXISTS (SELECT FROM wa.session s
		WHERE s.org_id = org AND s.id = e.session AND s.deleted_at IS NULL AND (s.connector = 'sandbox' OR NOT is_test))
$$;
COMMENT ON FUNCTION wa.stray_session(uuid, uuid[], boolean) IS
	'for function bodies: the place, from 1, of the first of these that is no session of an organization, for a test key none of the sandbox; NULL: all are';

-- All lists of sessions of keys are read by this function.  An empty list would look like
-- none, which opens all sessions.
CREATE FUNCTION wa.read_sessions(org uuid, sessions uuid[], is_test boolean) RETURNS uuid[]
	LANGUAGE plpgsql STRICT
AS $$
BEGIN
	IF (array_ndims(sessions) = 1 AND cardinality(sessions) <= 32) IS NOT TRUE THEN
		PERFORM wa.refuse_field('sessions', 'must be a list of 1 to 32 sessions');
	END IF;
	PERFORM wa.refuse_element('sessions', wa.stray_session(org, sessions, false), 'must be a session of this organization');
	IF is_test THEN
		PERFORM wa.refuse_element('sessions', wa.stray_session(org, sessions, true), 'must be a session of the sandbox, because this is a test key');
	END IF;
	RETURN ARRAY(SELECT DISTINCT s FROM unnest(sessions) s ORDER BY s);
END $$;
COMMENT ON FUNCTION wa.read_sessions(uuid, uuid[], boolean) IS
	'for function bodies: the sessions that a key is to be restricted to as they are stored, each once; raises 22023 for '
	'what is no list of 1 to 32 sessions of the organization, for a test key of the sandbox';

CREATE FUNCTION wa.session_ids(sessions uuid[]) RETURNS text[]
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE WHEN array_ndims(sessions) = 1 AND cardinality(sessions) <= 32 THEN
		ARRAY(SELECT wa.typeid('sess', e.session) FROM unnest(sessions) WITH ORDINALITY e (session, place) ORDER BY e.place) END;
COMMENT ON FUNCTION wa.session_ids(uuid[]) IS 'up to 32 sessions as they are written outside: sess_…; NULL for what is no such list';

-- What is no id becomes NULL, which is no session.
CREATE FUNCTION wa.from_session_ids(written text[]) RETURNS uuid[]
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE WHEN array_ndims(written) = 1 AND cardinality(written) <= 32 THEN ARRAY(
		SELECT CASE WHEN e.id = '' THEN '00000000-0000-0000-0000-000000000000'
			WHEN e.id ~ '^sess_[0-7][0-9a-hjkmnp-tv-z]{25}$' THEN NULLIF(wa.from_typeid('sess', e.id), '00000000-0000-0000-0000-000000000000') END
		FROM unnest(written) WITH ORDINALITY e (id, place) ORDER BY e.place) ELSE '{}' END;
COMMENT ON FUNCTION wa.from_session_ids(text[]) IS
	'the sessions behind up to 32 ids, in their order: NULL for what is none, and all zeros for an empty text, as '
	'`wa.update_api_key()` takes them; an empty list for what is no such list';

-- A single address is the network of all its bits.
CREATE FUNCTION wa.read_address(address text, place bigint) RETURNS cidr
	LANGUAGE plpgsql
AS $$
DECLARE
	given inet;
BEGIN
	BEGIN
		given := address::inet;
	EXCEPTION WHEN invalid_text_representation THEN
		given := NULL;
	END;
	IF given IS NULL THEN
		PERFORM wa.refuse_element('addresses', place, 'must be an IPv4 or IPv6 address, or a network such as 203.0.113.0/24');
	ELSIF given <<= inet '::ffff:0:0/96' THEN
		PERFORM wa.refuse_element('addresses', place, 'must be written as IPv4');
	ELSIF given <> network(given) THEN
		PERFORM wa.refuse_element('addresses', place, format('is an address in the network %s: write that, or the address without its length',
			text(network(given))));
	END IF;
	RETURN network(given);
END $$;
COMMENT ON FUNCTION wa.read_address(text, bigint) IS
	'for function bodies: an element, at this place (from 1), of the addresses of a key as it is stored; raises 22023 if it cannot be one';

CREATE FUNCTION wa.read_addresses(addresses text[]) RETURNS cidr[]
	LANGUAGE plpgsql STRICT
AS $$
BEGIN
	IF NOT wa.is_list(addresses, 32) OR addresses = '{}' THEN
		PERFORM wa.refuse_field('addresses', 'must be a list of 1 to 32 addresses and networks');
	END IF;
	RETURN (SELECT array_agg(wa.read_address(e.address, e.place) ORDER BY e.place)
			FROM unnest(addresses) WITH ORDINALITY e (address, place));
END $$;
COMMENT ON FUNCTION wa.read_addresses(text[]) IS
	'for function bodies: the addresses of a key as they are stored; raises 22023 if they cannot be; NULL for NULL';

-- The requests of a key are counted in memory, and the count of a key that rests has to end
-- (src/key_rate.c): after an hour at most.
CREATE FUNCTION wa.read_burst(per_minute integer, burst integer) RETURNS integer
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	IF per_minute IS NULL THEN
		IF burst IS NOT NULL THEN
			PERFORM wa.refuse_field('rateLimit.requestsPerMinute', 'is required');
		END IF;
		RETURN NULL;
	END IF;
	IF per_minute NOT BETWEEN 1 AND 1000000 THEN
		PERFORM wa.refuse_field('rateLimit.requestsPerMinute', 'must be from 1 to 1000000');
	END IF;
	IF burst NOT BETWEEN 1 AND LEAST(60 * per_minute, 1000000) THEN
		PERFORM wa.refuse_field('rateLimit.burst', format('must be from 1 to %s, as many as are allowed in an hour', LEAST(60 * per_minute, 1000000)));
	END IF;
	RETURN COALESCE(burst, GREATEST(per_minute / 6, 1));
END $$;
COMMENT ON FUNCTION wa.read_burst(integer, integer) IS
	'for function bodies: the burst of a key with this rate as it is stored, which is what ten seconds allow if none is given; raises 22023 for numbers that cannot be a rate';

-- A key without an end is what people look for in the audit log.
CREATE FUNCTION wa.noted_end(expires_at timestamptz) RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN COALESCE(to_jsonb(NULLIF(expires_at, 'infinity')), '"never"');
COMMENT ON FUNCTION wa.noted_end(timestamptz) IS
	'for function bodies: when a key ends, as the audit log has it: "never" for NULL and infinity';

-- All rows of the key table are inserted by this function.
CREATE FUNCTION wa.insert_key(org uuid, name text, digest bytea, prefix text, permissions wa.permissions,
							  expires_at timestamptz, detail jsonb,
							  sessions uuid[],
							  addresses cidr[] DEFAULT NULL,
							  per_minute integer DEFAULT NULL,
							  burst integer DEFAULT NULL,
							  own_permissions bigint DEFAULT 0,
							  is_test boolean DEFAULT false) RETURNS uuid
	LANGUAGE plpgsql
AS $$
DECLARE
	key uuid;
	ends timestamptz;
	broken_constraint text;
	clean_name text;
	whole_burst constant integer := wa.read_burst(per_minute, burst);
BEGIN
	PERFORM wa.refuse_under_key();
	clean_name := wa.read_name(name);
	PERFORM wa.check_key(permissions, own_permissions, expires_at);
	PERFORM wa.refuse_beyond_limit(org, 'keys');
	PERFORM wa.claim_key_name(org, clean_name, NULL);
	BEGIN
		INSERT INTO wa.api_key (org_id, name, digest, prefix, permissions, created_by, expires_at,
								sessions, addresses, per_minute, burst, own_permissions, is_test)
		VALUES (org, clean_name, insert_key.digest, insert_key.prefix, insert_key.permissions,
				wa.actor(), wa.key_expiry(org, now(), insert_key.expires_at),
				insert_key.sessions, insert_key.addresses, insert_key.per_minute, whole_burst, insert_key.own_permissions, insert_key.is_test)
		RETURNING id, api_key.expires_at INTO key, ends;
	EXCEPTION WHEN unique_violation THEN
		GET STACKED DIAGNOSTICS broken_constraint = CONSTRAINT_NAME;
		RAISE EXCEPTION USING ERRCODE = 'unique_violation', CONSTRAINT = broken_constraint,
			MESSAGE = CASE broken_constraint
				WHEN 'api_key_live_name' THEN 'a live key of this organization has this name already, or one that looks like it'
				ELSE 'this key exists already' END;
	END;
	PERFORM wa.note(org, 'key.created', key, jsonb_strip_nulls(jsonb_build_object(
		'name', clean_name, 'prefix', prefix, 'permissions', to_jsonb(permissions::text[] || wa.own_permission_names(own_permissions)),
		'expiresAt', wa.noted_end(ends), 'sessions', wa.session_ids(sessions), 'addresses', to_jsonb(addresses::text[]),
		'requestsPerMinute', per_minute, 'burst', whole_burst, 'test', NULLIF(is_test, false))) || detail);
	RETURN key;
END $$;
COMMENT ON FUNCTION wa.insert_key(uuid, text, bytea, text, wa.permissions, timestamptz, jsonb, uuid[], cidr[], integer, integer, bigint, boolean) IS
	'for function bodies: checks and stores a key';

CREATE FUNCTION wa.create_key(org wa.org_id, name text, permissions wa.permissions, expires_at timestamptz DEFAULT NULL,
							  sessions wa.session_id[] DEFAULT NULL,
							  addresses text[] DEFAULT NULL,
							  per_minute integer DEFAULT NULL,
							  burst integer DEFAULT NULL,
							  own_permissions text[] DEFAULT NULL,
							  test boolean DEFAULT false,
							  OUT id uuid, OUT secret text)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made record;
	is_test constant boolean := COALESCE(test, false);
BEGIN
	made := wa.make_secret(CASE WHEN is_test THEN 'test_key' ELSE 'api_key' END);
	id := wa.insert_key(org, name, made.digest, made.prefix, permissions, expires_at, '{}',
						wa.read_sessions(org, sessions, is_test), wa.read_addresses(addresses), per_minute, burst,
						wa.read_own_permissions(own_permissions, 'ownPermissions', false), is_test);
	secret := made.secret;
END $$;
COMMENT ON FUNCTION wa.create_key(wa.org_id, text, wa.permissions, timestamptz, wa.session_id[], text[], integer, integer, text[], boolean) IS
	'makes an API key. The answer is the only place where the secret ever appears. `expires_at` NULL: as the '
	'organization''s policy says (`wa.set_key_policy()`), which is never if there is none; `infinity`: never. '
	'`sessions`: the only ones that it reaches, 1 to 32; NULL: all of the organization. `addresses`: the 1 to 32 addresses and networks that it is '
	'accepted from; NULL: all. `per_minute`: how many requests a minute it may make (1 to 1000000), `burst` of them at '
	'once; NULL: any number, and as many at once as ten seconds allow. `own_permissions`: those that `wa.define_permission()` has defined; '
	'`permissions` can then be empty. `test`: a test key (`wa_test_…`), which reaches sessions of the sandbox only, and of the tables that `wa.protect()` '
	'was called for only those with `test_keys`; a key stays what it is. `22023` (`name`, `permissions`, '
	'`expiresAt`, `sessions`, `addresses`, `rateLimit.requestsPerMinute`, `rateLimit.burst`, `ownPermissions`), `P0002` (no such organization), `23505` (a live key has this name), '
	'`53400` (`wa.set_org_limit()`: `keys`)';

CREATE FUNCTION wa.import_key(org wa.org_id, name text, digest bytea, permissions wa.permissions,
							  expires_at timestamptz DEFAULT NULL, prefix text DEFAULT 'wa_',
							  sessions wa.session_id[] DEFAULT NULL,
							  addresses text[] DEFAULT NULL,
							  per_minute integer DEFAULT NULL,
							  burst integer DEFAULT NULL,
							  own_permissions text[] DEFAULT NULL,
							  test boolean DEFAULT false) RETURNS uuid
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF octet_length(digest) IS DISTINCT FROM 32 THEN
		PERFORM wa.refuse_field('digest', 'must be a SHA-256 digest of 32 bytes');
	END IF;
	IF prefix !~ '^wa_(test_)?[0-9A-Za-z_-]{0,5}$' THEN
		PERFORM wa.refuse_field('prefix', 'must be wa_ or wa_test_ and at most 5 characters of the key');
	END IF;
	RETURN wa.insert_key(org, name, digest, prefix, permissions, expires_at, '{"imported": true}',
						 wa.read_sessions(org, sessions, COALESCE(test, false)), wa.read_addresses(addresses), per_minute, burst,
						 wa.read_own_permissions(own_permissions, 'ownPermissions', false), COALESCE(test, false));
END $$;
COMMENT ON FUNCTION wa.import_key(wa.org_id, text, bytea, wa.permissions, timestamptz, text, wa.session_id[], text[], integer, integer, text[], boolean) IS
	'takes over a key that another system issued, by its SHA-256 digest. The key has to be `wa_` and 17 to 125 '
	'characters, or it can never be used; that cannot be checked here. It is a test key if `test` is true, whatever it begins with. `22023` (also `digest`, `prefix`), `P0002`, '
	'`23505` (also: this digest is known already)';

-- Organization by organization, so that the primary key, which begins with the organization,
-- can be used.
CREATE FUNCTION wa.org_of_key(key uuid) RETURNS uuid
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	AS $$ SELECT k.org_id FROM wa.org o JOIN wa.api_key k ON k.org_id = o.id AND k.id = key LIMIT 1 $$;
COMMENT ON FUNCTION wa.org_of_key(uuid) IS 'for function bodies: the organization of a key, NULL for an unknown one';

-- Words that people read beside a key.
CREATE FUNCTION wa.read_reason(reason text) RETURNS text
	LANGUAGE plpgsql STRICT STABLE PARALLEL SAFE
AS $$
BEGIN
	IF char_length(reason) NOT BETWEEN 1 AND 200 OR reason ~ '[[:cntrl:]]' THEN
		PERFORM wa.refuse_field('reason', 'must be 1 to 200 characters on one line');
	END IF;
	RETURN reason;
END $$;
COMMENT ON FUNCTION wa.read_reason(text) IS
	'for function bodies: the reason why a key is revoked as it is stored; raises 22023 if it cannot be one';

-- An event costs as much as the organization has webhooks for it.  Where many keys end in one
-- statement, or those of several organizations, their events are written later: no organization
-- keeps another one's key from ending.
CREATE FUNCTION wa.end_key(org uuid, key uuid, words text, actor text DEFAULT wa.actor(), is_told boolean DEFAULT true) RETURNS boolean
	LANGUAGE plpgsql
AS $$
DECLARE
	known record;
BEGIN
	SELECT k.name, k.revoked_at IS NOT NULL OR wa.ended_at(org, key, 'key') IS NOT NULL AS is_revoked INTO known
	FROM wa.api_key k WHERE k.org_id = org AND k.id = key;
	IF known.is_revoked THEN
		RETURN false;
	END IF;
	IF is_told THEN
		PERFORM FROM wa.api_key k WHERE k.org_id = org AND k.id = key FOR NO KEY UPDATE SKIP LOCKED;
	END IF;
	IF is_told AND FOUND THEN
		UPDATE wa.api_key k SET revoked_at = clock_timestamp(), revoked_by = actor, revoked_reason = words
		WHERE k.org_id = org AND k.id = key AND k.revoked_at IS NULL;
		IF NOT FOUND THEN
			RETURN false;
		END IF;
	ELSE
		PERFORM wa.mark_ended(org, key, 'key', words, actor, is_told);
	END IF;
	PERFORM wa.note(org, 'key.revoked', key, jsonb_strip_nulls(jsonb_build_object('name', known.name, 'reason', words)), actor);
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.end_key(uuid, uuid, text, text, boolean) IS
	'for function bodies: revokes a key of an organization for a reason, or none; the actor is whom the transaction acts for, unless it is given; not `is_told`: housekeeping writes the event; false if the key was revoked before';

CREATE FUNCTION wa.revoke_key_with_reason(key wa.key_id, reason text) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_of_key(key);
	words constant text := wa.read_reason(reason);
BEGIN
	IF key IS NULL THEN
		RAISE EXCEPTION 'key must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM wa.refuse_under_key();
	IF org IS NULL THEN
		RAISE EXCEPTION 'key does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN wa.end_key(org, key, words);
END $$;
COMMENT ON FUNCTION wa.revoke_key_with_reason(wa.key_id, text) IS
	'`wa.revoke_key()`, with the reason (1 to 200 characters) that people then see beside the key; NULL: none. `P0002`, '
	'`22023` (`reason`)';

CREATE FUNCTION wa.revoke_key(key wa.key_id) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN wa.revoke_key_with_reason(key, NULL);
END $$;
COMMENT ON FUNCTION wa.revoke_key(wa.key_id) IS
	'revokes a key; false if it was revoked before. Once this has committed, no transaction that begins is accepted '
	'with the key. `P0002`';

CREATE FUNCTION wa.revoke_key(org wa.org_id, name text, reason text DEFAULT NULL) RETURNS integer
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	key uuid;
	revoked integer := 0;
BEGIN
	IF org IS NULL OR name IS NULL THEN
		RAISE EXCEPTION 'organization and name must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM wa.refuse_unknown_org(org);
	-- Key by key until none is left: a key that a simultaneous rotation makes becomes visible
	-- when the lock on its predecessor's row has been granted.
	LOOP
		SELECT k.id INTO key FROM wa.api_key k
		WHERE k.org_id = org AND lower(k.name) = lower(COALESCE(wa.clean_name(revoke_key.name), btrim(revoke_key.name)))
			AND k.revoked_at IS NULL AND wa.ended_at(org, k.id, 'key') IS NULL
		LIMIT 1;
		EXIT WHEN NOT FOUND;
		PERFORM FROM wa.api_key k WHERE k.org_id = org AND k.id = key FOR NO KEY UPDATE;
		revoked := revoked + wa.revoke_key_with_reason(key, reason)::integer;
	END LOOP;
	IF revoked = 0 THEN
		RAISE EXCEPTION 'no live key has this name' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN revoked;
END $$;
COMMENT ON FUNCTION wa.revoke_key(wa.org_id, text, text) IS
	'revokes every key of the organization with this name that is not revoked, a rotated predecessor included, and '
	'returns how many. `P0002`: none; `22023` (`reason`)';

-- Every key that this statement sees.  Whoever rotates one at the same time makes a key that
-- it does not see.
CREATE FUNCTION wa.revoke_keys(org wa.org_id, made_by wa.user_id DEFAULT NULL, reason text DEFAULT NULL) RETURNS integer
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	told_max constant integer := wa.events_at_once(org, 20);
	words constant text := wa.read_reason(reason);
	key uuid;
	revoked integer := 0;
BEGIN
	PERFORM wa.refuse_under_key();
	PERFORM wa.refuse_unknown_org(org);
	FOR key IN
		SELECT k.id FROM wa.api_key k
		WHERE k.org_id = org AND k.revoked_at IS NULL AND (made_by IS NULL OR k.created_by = wa.typeid('usr', made_by))
		ORDER BY k.id
	LOOP
		revoked := revoked + wa.end_key(org, key, words, is_told => revoked < told_max)::integer;
	END LOOP;
	RETURN revoked;
END $$;
COMMENT ON FUNCTION wa.revoke_keys(wa.org_id, wa.user_id, text) IS
	'revokes all keys of an organization, or those that one person has made, and returns how many. A key that somebody '
	'makes or rotates at the same moment is not among them: take their role away first. Of more than 20 keys, and of fewer in an organization with many webhooks, housekeeping writes the events, '
	'within a minute or so. `P0002`, `22023` (`reason`)';

-- A key that is switched off is refused like one that is revoked, until it is switched on.
CREATE FUNCTION wa.is_disabled(key wa.api_key) RETURNS boolean
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
BEGIN
	RETURN key.disabled_at IS NOT NULL OR wa.ended_at(key.org_id, key.id, 'disabled') IS NOT NULL;
END $$;
COMMENT ON FUNCTION wa.is_disabled(wa.api_key) IS 'for function bodies: whether a key is switched off';

CREATE FUNCTION wa.disable_key(key wa.key_id) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_of_key(key);
	known wa.api_key;
BEGIN
	PERFORM wa.refuse_under_key();
	SELECT k.* INTO known FROM wa.api_key k WHERE k.org_id = org AND k.id = key;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'key does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.refuse_over(known);
	PERFORM FROM wa.api_key k WHERE k.org_id = org AND k.id = key FOR NO KEY UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		-- Also if the key is off: whoever has the row may be switching it on.
		PERFORM wa.mark_ended(org, key, 'disabled');
	ELSIF wa.ended_at(org, key, 'disabled') IS NOT NULL THEN
		RETURN false;
	ELSE
		UPDATE wa.api_key k SET disabled_at = clock_timestamp(), disabled_by = wa.actor()
		WHERE k.org_id = org AND k.id = key AND k.disabled_at IS NULL;
		IF NOT FOUND THEN
			RETURN false;
		END IF;
	END IF;
	PERFORM wa.note(org, 'key.disabled', key, jsonb_build_object('name', known.name));
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.disable_key(wa.key_id) IS
	'switches a key off: it is refused like one that is revoked, until `wa.enable_key()`; false if it was off before. A '
	'rotation that is under way makes a key of its own, which works. '
	'`P0002`, `55000` (revoked or expired)';

CREATE FUNCTION wa.enable_key(key wa.key_id) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_of_key(key);
	known wa.api_key;
	ends uuid[];
BEGIN
	PERFORM wa.refuse_under_key();
	known := wa.lock_key(org, key);
	-- An end that comes later stays.
	ends := ARRAY(SELECT e.id FROM wa.ended e WHERE e.org_id = org AND e.subject = key AND e.kind = 'disabled');
	IF known.disabled_at IS NULL AND ends = '{}' THEN
		RETURN false;
	END IF;
	DELETE FROM wa.ended e WHERE e.org_id = org AND e.id = ANY (ends);
	UPDATE wa.api_key k SET disabled_at = NULL, disabled_by = NULL WHERE k.org_id = org AND k.id = key;
	IF known.disabled_at IS NULL THEN
		PERFORM wa.emit_key('key.enabled', known);
	END IF;
	PERFORM wa.note(org, 'key.enabled', key, jsonb_build_object('name', known.name));
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.enable_key(wa.key_id) IS
	'switches a key on again; false if it was on. `P0002`, `55000` (revoked, expired or rotated: what has ended stays so)';

-- The successor ends when the old key would have ended: a rotation gives nobody more time.
CREATE FUNCTION wa.rotate_key(key wa.key_id, overlap interval DEFAULT '1 day', expires_at timestamptz DEFAULT NULL,
							  OUT id uuid, OUT secret text, OUT ends_at timestamptz, OUT old_ends_at timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_of_key(key);
	old wa.api_key;
	made record;
BEGIN
	IF key IS NULL OR overlap IS NULL THEN
		RAISE EXCEPTION 'key and overlap must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM wa.refuse_under_key();
	IF overlap < interval '0' OR overlap > interval '90 days' THEN
		PERFORM wa.refuse_field('overlap', 'must be between nothing and 90 days');
	END IF;
	old := wa.lock_key(org, key);
	-- Its successor would work.
	IF wa.is_disabled(old) OR wa.has_ended(org, key, 'disabled') THEN
		RAISE EXCEPTION 'key is switched off' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	UPDATE wa.api_key k SET holds_name = false WHERE k.org_id = org AND k.id = key;
	IF expires_at IS NOT NULL THEN
		PERFORM wa.check_expiry_at_commit(old.expires_at);
	END IF;
	made := wa.make_secret(CASE WHEN old.is_test THEN 'test_key' ELSE 'api_key' END);
	id := wa.insert_key(org, old.name, made.digest, made.prefix, old.permissions,
						COALESCE(rotate_key.expires_at, LEAST(COALESCE(old.expires_at, 'infinity'), wa.longest_expiry(org, now()))),
						jsonb_build_object('rotatedFrom', wa.typeid('key', key)),
						old.sessions, old.addresses, old.per_minute, old.burst, old.own_permissions, old.is_test);
	UPDATE wa.api_key k SET superseded_by = rotate_key.id,
		expires_at = LEAST(k.expires_at, clock_timestamp() + overlap)
	WHERE k.org_id = org AND k.id = key
	RETURNING k.expires_at INTO old_ends_at;
	SELECT k.expires_at INTO ends_at FROM wa.api_key k WHERE k.org_id = org AND k.id = rotate_key.id;
	PERFORM wa.note(org, 'key.rotated', key, jsonb_build_object('name', old.name, 'expiresAt', old_ends_at,
		'successor', wa.typeid('key', id), 'successorExpiresAt', wa.noted_end(ends_at)));
	secret := made.secret;
END $$;
COMMENT ON FUNCTION wa.rotate_key(wa.key_id, interval, timestamptz) IS
	'makes a successor of the same kind with the same name, permissions, sessions, addresses and rate. The old key is refused after `overlap` (0 to 90 '
	'days), which is `old_ends_at`. The successor ends at `ends_at` (NULL: never): when the old key would have ended, or sooner if '
	'`wa.set_key_policy()` allows no longer life; or at `expires_at`, which `wa.create_key()` would take, too (`infinity`: never). '
	'`22023` (`overlap`, `expiresAt`), `P0002`, `55000` (revoked, expired, rotated already or switched off), `53400` (`keys`: '
	'those that were rotated and still work count half)';

CREATE VIEW wa.keys WITH (security_invoker = true, security_barrier = true) AS
	SELECT k.org_id, o.name AS org, k.id, wa.typeid('key', k.id) AS key, k.name, k.prefix, k.permissions,
		CASE
			WHEN COALESCE(k.revoked_at, ended.at) IS NOT NULL THEN 'revoked'
			WHEN k.expires_at <= now() THEN 'expired'
			WHEN COALESCE(k.disabled_at, off.at) IS NOT NULL THEN 'disabled'
			WHEN k.superseded_by IS NOT NULL THEN 'rotated'
			ELSE 'live'
		END AS status,
		k.created_at, k.created_by, k.expires_at, COALESCE(k.revoked_at, ended.at) AS revoked_at,
		COALESCE(k.revoked_by, ended.actor) AS revoked_by, COALESCE(k.revoked_reason, ended.reason) AS revoked_reason,
		COALESCE(k.disabled_at, off.at) AS disabled_at, COALESCE(k.disabled_by, off.actor) AS disabled_by,
		k.superseded_by AS rotated_to, last.used_at AS last_used_at, last.used_from AS last_used_from, last.used_agent AS last_used_agent,
		k.sessions, k.addresses, k.per_minute, k.burst, wa.own_permission_names(k.own_permissions) AS own_permissions,
		k.is_test AS test
	FROM wa.api_key k JOIN wa.org o ON o.id = k.org_id
		CROSS JOIN LATERAL wa.key_last_used(k.org_id, k.id) last
		LEFT JOIN LATERAL (
			SELECT e.at, e.actor, e.reason FROM wa.ended e
			WHERE e.org_id = k.org_id AND e.subject = k.id AND e.kind = 'key'
			ORDER BY e.at, e.id LIMIT 1) ended ON true
		LEFT JOIN LATERAL (
			SELECT e.at, e.actor FROM wa.ended e WHERE e.org_id = k.org_id AND e.subject = k.id AND e.kind = 'disabled'
			ORDER BY e.at, e.id LIMIT 1) off ON true;
COMMENT ON VIEW wa.keys IS 'view: API keys for administrators, without digests; with the rights of whoever reads it';
COMMENT ON COLUMN wa.keys.org_id IS 'the organization that the key opens';
COMMENT ON COLUMN wa.keys.org IS 'its name';
COMMENT ON COLUMN wa.keys.id IS 'what the administration functions take';
COMMENT ON COLUMN wa.keys.key IS
	'the id as people see it: `key_…`; the administration functions take this one, too';
COMMENT ON COLUMN wa.keys.name IS 'how people find the key';
COMMENT ON COLUMN wa.keys.prefix IS 'its first characters';
COMMENT ON COLUMN wa.keys.permissions IS 'what it may do';
COMMENT ON COLUMN wa.keys.status IS
	'`live`, `rotated` (accepted until `expires_at`), `disabled`, `expired` or `revoked`; the first of these that applies, from '
	'the right';
COMMENT ON COLUMN wa.keys.created_at IS 'when it was made';
COMMENT ON COLUMN wa.keys.created_by IS 'who made it';
COMMENT ON COLUMN wa.keys.expires_at IS 'from when on it is refused; NULL: never';
COMMENT ON COLUMN wa.keys.revoked_at IS 'when it was revoked; NULL: it was not';
COMMENT ON COLUMN wa.keys.revoked_by IS 'who revoked it';
COMMENT ON COLUMN wa.keys.revoked_reason IS 'why; NULL: no reason was given';
COMMENT ON COLUMN wa.keys.disabled_at IS 'since when it is switched off; NULL: it is not';
COMMENT ON COLUMN wa.keys.disabled_by IS 'who switched it off';
COMMENT ON COLUMN wa.keys.rotated_to IS 'the key that replaces it; NULL: it was not rotated';
COMMENT ON COLUMN wa.keys.last_used_at IS
	'when it was last used, to a second, flushed or not; NULL: not as far as is known';
COMMENT ON COLUMN wa.keys.sessions IS 'the only sessions that it reaches; NULL: all of the organization';
COMMENT ON COLUMN wa.keys.last_used_from IS 'the network address of that use, as the gateway or application told';
COMMENT ON COLUMN wa.keys.last_used_agent IS 'the program that sent it, as it says itself; NULL: it says none';
COMMENT ON COLUMN wa.keys.addresses IS 'the networks of the clients that it is accepted from; NULL: all';
COMMENT ON COLUMN wa.keys.per_minute IS 'how many requests a minute it may make; NULL: any number';
COMMENT ON COLUMN wa.keys.burst IS 'how many of them at once';
COMMENT ON COLUMN wa.keys.own_permissions IS 'what it may do of what `wa.define_permission()` has defined';
COMMENT ON COLUMN wa.keys.test IS 'whether it is a test key, which reaches sessions of the sandbox only';

CREATE FUNCTION wa.me() RETURNS TABLE (organization_id uuid, key_id uuid, user_id uuid, name text, permissions text[], test boolean)
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT wa.require_org(), wa.current_key(), wa.current_user_id(),
		COALESCE(k.name, (SELECT u.name FROM wa.app_user u WHERE u.id = wa.current_user_id())),
		wa.current_permissions()::text[] || wa.current_own_permissions(), k.is_test
	FROM (VALUES (1)) one LEFT JOIN wa.api_key k ON k.org_id = wa.current_org() AND k.id = wa.current_key()
$$;
COMMENT ON FUNCTION wa.me() IS
	'who the bound credential is and what it may do, in one row; `test` is whether it is a test key, NULL for who is no key; `28000` if none is bound';

-- wa.me() is called at each request of its endpoint, so what only people ask is added here.
CREATE FUNCTION wa.whoami() RETURNS TABLE (kind text, id text, name text, organization_id wa.org_id, organization text,
										   permissions text[], expires_at timestamptz)
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN m.user_id IS NOT NULL THEN 'person' WHEN m.test THEN 'test_key' ELSE 'api_key' END,
		COALESCE(wa.typeid('usr', m.user_id), wa.typeid('key', m.key_id)), m.name, m.organization_id,
		(SELECT o.name FROM wa.org o WHERE o.id = m.organization_id), m.permissions, NULLIF(wa.current_expiry(), 'infinity')
	FROM wa.me() m
$$;
COMMENT ON FUNCTION wa.whoami() IS
	'`wa.me()` for people: also whether it is an `api_key`, a `test_key` or a `person`, what the organization is called, and when the '
	'credential ends (NULL: never); `28000` if none is bound';

-- What somebody finds of a key in a log or in code is mostly not the whole key.  Of a key only
-- a digest and the first characters are stored, so a beginning says no more than that: every
-- key that begins with the same characters is an answer.  A whole key is found by its digest.
-- How long that takes tells nothing: whoever chooses the text does not choose its digest.
CREATE FUNCTION wa.find_key(what text)
	RETURNS TABLE (matched text, org_id wa.org_id, org text, key wa.key_id, name text, prefix text, status text,
				   created_by text, last_used_at timestamptz)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	-- The log and the dashboard show a key's first characters with … or * behind them.
	words constant text := rtrim(btrim(what), '….*');
	-- A name may end like that.
	wanted constant text := lower(COALESCE(wa.clean_name(what), btrim(what)));
	whole uuid;
	by_id uuid;
BEGIN
	PERFORM wa.refuse_under_key();
	IF COALESCE(btrim(what), '') = '' THEN
		PERFORM wa.refuse_field('what', 'must be the beginning of a key, a whole key, its id or its name');
	END IF;
	SELECT k.id INTO whole FROM wa.api_key k WHERE k.digest = wa.hash_key(words);
	BEGIN
		by_id := words::wa.key_id;
	EXCEPTION WHEN invalid_text_representation THEN
		NULL;
	END;
	RETURN QUERY
	SELECT found.matched, k.org_id::wa.org_id, k.org, k.id::wa.key_id, k.name, k.prefix, k.status, k.created_by, k.last_used_at
	FROM (
		SELECT a.org_id, a.id, CASE
			WHEN a.id = whole THEN 'secret'
			WHEN a.id = by_id THEN 'id'
			WHEN words LIKE E'wa\\_%' AND (starts_with(words, a.prefix) OR starts_with(a.prefix, words)) THEN 'prefix'
			WHEN lower(a.name) = wanted THEN 'name'
			WHEN strpos(lower(a.name), wanted) > 0 THEN 'part of name' END AS matched
		FROM wa.api_key a) found JOIN wa.keys k ON k.org_id = found.org_id AND k.id = found.id
	WHERE found.matched IS NOT NULL AND (whole IS NULL OR found.matched = 'secret')
	ORDER BY found.matched = 'part of name', found.id
	LIMIT 200;
END $$;
COMMENT ON FUNCTION wa.find_key(text) IS
	'the keys of all organizations that a text may mean, and by what (`matched`): the `secret` as a whole, the `id`, a beginning of the '
	'key (`prefix`), the `name` or a `part of name`, in any case of letters; 200 at most, and it looks at all keys. Only the first characters of a key are stored, so that a longer '
	'beginning is compared by these alone, and several keys may match; an imported key may match any. Pass a whole key as a '
	'bind parameter. `22023` (`what`)';
