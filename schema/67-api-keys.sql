-- API keys for the people of an organization: the operations of an owner's or admin's user
-- token in the active organization.  No API key can change API keys, whatever its
-- permissions.

CREATE FUNCTION wa.require_key_manager() RETURNS uuid
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
BEGIN
	PERFORM wa.refuse_under_key();
	PERFORM wa.require_permission('manage');
	RETURN wa.require_org();
END $$;
COMMENT ON FUNCTION wa.require_key_manager() IS
	'for function bodies: the organization of a person who may manage API keys; raises 42501 for everybody else';

CREATE FUNCTION wa.list_api_keys(before uuid, max integer)
	RETURNS TABLE (id uuid, name text, prefix text, permissions text[], status text, created_at timestamptz, created_by text,
				   created_by_name text, expires_at timestamptz, last_used_at timestamptz, rotated_to uuid,
				   disabled_at timestamptz, revoked_at timestamptz, revoked_reason text,
				   sessions uuid[], addresses text[], per_minute integer, burst integer, test boolean)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	active constant uuid := wa.require_key_manager();
BEGIN
	RETURN QUERY
	SELECT k.id, k.name, k.prefix, k.permissions::text[] || k.own_permissions, k.status, k.created_at, k.created_by,
		wa.name_of(k.org_id, k.created_by), k.expires_at, k.last_used_at, k.rotated_to, k.disabled_at, k.revoked_at, k.revoked_reason,
		k.sessions, k.addresses::text[], k.per_minute, k.burst, k.test
	FROM wa.keys k
	WHERE k.org_id = active AND k.id < CASE WHEN list_api_keys.before IS NULL
			THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE list_api_keys.before END
	ORDER BY k.id DESC
	LIMIT list_api_keys.max;
END $$;
COMMENT ON FUNCTION wa.list_api_keys(uuid, integer) IS
	'the keys of the active organization, newest first, from before this id, for a person who manages them';

CREATE FUNCTION wa.built_in_permissions(names text[]) RETURNS wa.permissions
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN ARRAY(SELECT DISTINCT n FROM unnest(names) n WHERE n = ANY (enum_range(NULL::wa.permission)::text[]))::wa.permissions;
COMMENT ON FUNCTION wa.built_in_permissions(text[]) IS 'for function bodies: those of the four that are among these names; NULL for NULL';

CREATE FUNCTION wa.list_permissions() RETURNS TABLE (name text, description text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.require_key_manager();
	RETURN QUERY SELECT d.name, d.description FROM wa.describe_permissions() d;
	RETURN QUERY SELECT p.name::text, p.description FROM wa.own_permission p WHERE p.grantable AND p.dropped_at IS NULL ORDER BY p.name;
END $$;
COMMENT ON FUNCTION wa.list_permissions() IS
	'what a person who manages the keys of the active organization may give to a key: the four permissions, then those of '
	'`wa.define_permission()` that are grantable, by name';

CREATE FUNCTION wa.create_api_key(name text, permissions text[], expires_at timestamptz DEFAULT NULL,
								  sessions uuid[] DEFAULT NULL,
								  addresses text[] DEFAULT NULL,
								  per_minute integer DEFAULT NULL,
								  burst integer DEFAULT NULL,
								  test boolean DEFAULT false,
								  OUT id uuid, OUT secret text)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_key_manager();
	own bigint;
BEGIN
	-- What people may give is asked here; wa.create_key() gives all that there is.
	own := wa.read_own_permissions(permissions, 'permissions', true);
	SELECT made.id, made.secret INTO id, secret
	FROM wa.create_key(org, name, wa.built_in_permissions(permissions), CASE WHEN isfinite(expires_at) THEN expires_at
		WHEN expires_at IS NOT NULL THEN 'infinity' END,
		sessions, addresses => create_api_key.addresses,
		per_minute => create_api_key.per_minute, burst => create_api_key.burst,
		own_permissions => wa.own_permission_names(own), test => create_api_key.test) made;
END $$;
COMMENT ON FUNCTION wa.create_api_key(text, text[], timestamptz, uuid[], text[], integer, integer, boolean) IS
	'`wa.create_key()` in the active organization, for a person who manages its keys; an infinite time is never. `22023` (`name`, `permissions`, '
	'`expiresAt`, `sessions`, `addresses`, `rateLimit.requestsPerMinute`, `rateLimit.burst`), `23505`';

-- The key's row, or 404.  It is not locked, so that a reader cannot keep anybody from
-- revoking the key.
CREATE FUNCTION wa.find_api_key(key uuid) RETURNS wa.api_key
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	org constant uuid := wa.require_key_manager();
	found_key wa.api_key;
BEGIN
	SELECT k.* INTO found_key FROM wa.api_key k WHERE k.org_id = org AND k.id = key;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'key does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN found_key;
END $$;
COMMENT ON FUNCTION wa.find_api_key(uuid) IS
	'for function bodies: a key of the active organization; raises P0002 if there is none';

-- Of a key only the first characters are known, so a longer beginning is compared by these alone.
CREATE FUNCTION wa.search_api_keys(wanted text, before uuid DEFAULT NULL, max integer DEFAULT 50, OUT id uuid, OUT place uuid)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER ROWS 50
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
	org constant uuid := wa.require_key_manager();
	form constant text := wa.search_wanted(wanted);
	looked integer := 0;
	found_rows integer := 0;
	key record;
BEGIN
	FOR key IN
		SELECT k.id, k.name, k.prefix FROM wa.api_key k
		WHERE k.org_id = org AND k.id < CASE WHEN before IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE before END
		ORDER BY k.id DESC
		LIMIT wa.search_rows()
	LOOP
		looked := looked + 1;
		place := key.id;
		IF strpos(wa.search_form(key.name), form) > 0 OR wa.typeid('key', key.id) = wanted
			OR starts_with(wanted, 'wa_') AND (starts_with(wanted, key.prefix) OR starts_with(key.prefix, wanted))
		THEN
			found_rows := found_rows + 1;
			id := key.id;
			RETURN NEXT;
		END IF;
		EXIT WHEN looked >= wa.search_rows() OR found_rows >= max;
	END LOOP;
	IF looked >= wa.search_rows() AND found_rows < max THEN
		id := NULL;
		RETURN NEXT;
	END IF;
END $$;
COMMENT ON FUNCTION wa.search_api_keys(text, uuid, integer) IS
	'the keys of the active organization whose name contains this text, in any case and with or without accents, that begin with it, or '
	'that have this id, newest first, from before this id, for a person who manages them. Looks at `wa.search_rows()` at most: a last row '
	'without an id is the place to go on behind where there may be more. `22023` (`q`)';

-- Not STABLE, so that it sees what the calling statement has just made.
CREATE FUNCTION wa.show_api_key(key uuid)
	RETURNS TABLE (id uuid, name text, prefix text, permissions text[], status text, created_at timestamptz, created_by text,
				   created_by_name text, expires_at timestamptz, last_used_at timestamptz, rotated_to uuid,
				   disabled_at timestamptz, revoked_at timestamptz, revoked_reason text,
				   sessions uuid[], addresses text[], per_minute integer, burst integer, test boolean)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	shown constant wa.api_key := wa.find_api_key(key);
BEGIN
	RETURN QUERY
	SELECT k.id, k.name, k.prefix, k.permissions::text[] || k.own_permissions, k.status, k.created_at, k.created_by,
		wa.name_of(k.org_id, k.created_by), k.expires_at, k.last_used_at, k.rotated_to, k.disabled_at, k.revoked_at, k.revoked_reason,
		k.sessions, k.addresses::text[], k.per_minute, k.burst, k.test
	FROM wa.keys k
	WHERE k.org_id = shown.org_id AND k.id = shown.id;
END $$;
COMMENT ON FUNCTION wa.show_api_key(uuid) IS
	'one key as `wa.list_api_keys()` lists it, for a person who manages them. `P0002`: there is none';

-- What is in memory and in no table is only of use together with what the table has, so both are
-- in one list.  Reasons for which nothing was denied are left out.
CREATE FUNCTION wa.show_key_usage(key uuid, hours integer)
	RETURNS TABLE (id uuid, last_used_at timestamptz, last_used_from text, last_used_agent text, usage jsonb)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	shown constant wa.api_key := wa.find_api_key(key);
	since constant timestamptz := date_bin('1 hour', now(), '2000-01-01 00:00:00+00') - (hours - 1) * interval '1 hour';
BEGIN
	RETURN QUERY
	SELECT shown.id, last.used_at, host(last.used_from), last.used_agent, COALESCE((
			SELECT jsonb_agg(jsonb_build_object('from', wa.epoch_ms(u.hour), 'allowed', u.allowed, 'denied', (
					SELECT COALESCE(jsonb_object_agg(d.reason, d.number), '{}')
					FROM (VALUES ('expired', u.expired), ('revoked', u.revoked), ('disabled', u.disabled), ('address', u.address),
						('permission', u.permission), ('session', u.session), ('rate', u.rate)) d (reason, number)
					WHERE d.number > 0)) ORDER BY u.hour)
			FROM wa.key_usage u WHERE u.org_id = shown.org_id AND u.key_id = shown.id AND u.hour >= since), '[]')
	FROM wa.key_last_used(shown.org_id, shown.id) last;
END $$;
COMMENT ON FUNCTION wa.show_key_usage(uuid, integer) IS
	'the last use of a key, and its requests in each of the latest `hours` hours that has any, for a person who manages the keys: '
	'`[{"from", "allowed", "denied": {reason: number}}]`, the oldest hour first. `P0002`: there is no such key';

-- Whoever rotates a key gets the secret of its successor, and restrictions are a part of what an
-- administrator has given.
CREATE FUNCTION wa.refuse_unless_grantable(key wa.api_key) RETURNS void
	LANGUAGE plpgsql STRICT STABLE
AS $$
DECLARE
	missing text;
BEGIN
	SELECT p.name INTO missing FROM wa.own_permission p
	WHERE (key.own_permissions >> p.number) & 1 = 1 AND NOT p.grantable AND p.dropped_at IS NULL
	ORDER BY p.name LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'only an administrator can do this with a key that has permission "%"', missing
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_unless_grantable(wa.api_key) IS
	'for function bodies: raises 55000 for a key with a permission that people cannot give';

-- Switching a key off waits for nobody, so it comes first, and without another change nothing
-- else is done.
CREATE FUNCTION wa.update_api_key(key uuid, name text DEFAULT NULL, permissions text[] DEFAULT NULL,
								  expires_at timestamptz DEFAULT NULL, enabled boolean DEFAULT NULL,
								  sessions uuid[] DEFAULT NULL,
								  addresses text[] DEFAULT NULL,
								  per_minute integer DEFAULT NULL,
								  burst integer DEFAULT NULL)
	RETURNS uuid
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old wa.api_key := wa.find_api_key(key);
	four constant wa.permissions := wa.built_in_permissions(permissions);
BEGIN
	IF enabled THEN
		PERFORM wa.enable_key(old.id);
	ELSIF NOT enabled THEN
		PERFORM wa.disable_key(old.id);
	END IF;
	IF enabled IS NOT NULL AND num_nonnulls(name, permissions, expires_at, sessions, addresses, per_minute, burst) = 0 THEN
		RETURN old.id;
	END IF;
	old := wa.lock_key(old.org_id, old.id);
	IF num_nonnulls(expires_at, sessions, addresses, per_minute) > 0 THEN
		PERFORM wa.refuse_unless_grantable(old);
	END IF;
	PERFORM wa.change_key(old, name, four,
						  CASE WHEN permissions IS NOT NULL THEN wa.read_own_permissions(permissions, 'permissions', true, old.own_permissions) END,
						  expires_at, sessions, addresses, per_minute, burst);
	RETURN old.id;
END $$;
COMMENT ON FUNCTION wa.update_api_key(uuid, text, text[], timestamptz, boolean, uuid[], text[], integer, integer) IS
	'changes what of a key is given, for a person who manages the keys; NULL leaves it as it is. `enabled` switches the key off and on. The secret '
	'stays. These values take something away: an infinite time the expiry, one session of all zeros the restriction to sessions, one empty '
	'text that to addresses, and 0 requests `per_minute` the rate. New addresses close the open sockets of the key. `P0002`, `55000` (revoked, expired '
	'or rotated: what has ended stays so; or its expiry or a restriction is to change, and it has a permission that only administrators give), `22023`, `23505`';

-- Only a person who may manage keys is told what is wrong.
CREATE FUNCTION wa.read_rate_limit(rate_limit jsonb, OUT per_minute integer, OUT burst integer)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	member record;
BEGIN
	PERFORM wa.require_key_manager();
	IF jsonb_typeof(rate_limit) = 'null' THEN
		per_minute := 0;
		RETURN;
	END IF;
	IF jsonb_typeof(rate_limit) <> 'object' THEN
		PERFORM wa.refuse_field('rateLimit', 'must be an object');
	END IF;
	FOR member IN SELECT e.key, e.value FROM jsonb_each(rate_limit) e ORDER BY e.key LOOP
		IF member.key NOT IN ('requestsPerMinute', 'burst') THEN
			PERFORM wa.refuse_field('rateLimit', wa.quoted(member.key) || ' is not known here');
		ELSIF jsonb_typeof(member.value) <> 'number' OR member.value::numeric <> trunc(member.value::numeric)
			OR member.value::numeric NOT BETWEEN 1 AND 1000000 THEN
			PERFORM wa.refuse_field('rateLimit.' || member.key, 'must be a whole number from 1 to 1000000');
		END IF;
	END LOOP;
	IF rate_limit IS NOT NULL AND NOT rate_limit ? 'requestsPerMinute' THEN
		PERFORM wa.refuse_field('rateLimit.requestsPerMinute', 'is required');
	END IF;
	per_minute := (rate_limit ->> 'requestsPerMinute')::numeric;
	burst := (rate_limit ->> 'burst')::numeric;
END $$;
COMMENT ON FUNCTION wa.read_rate_limit(jsonb) IS
	'the rate of a key as the API has it, `{"requestsPerMinute": 60, "burst": 10}`; null: 0 requests a minute, which takes it away. `22023` (`rateLimit`, '
	'`rateLimit.requestsPerMinute`, `rateLimit.burst`)';

CREATE FUNCTION wa.rate_limit(per_minute integer, burst integer) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN per_minute IS NOT NULL THEN jsonb_build_object('requestsPerMinute', per_minute, 'burst', burst) END;
COMMENT ON FUNCTION wa.rate_limit(integer, integer) IS 'the rate of a key as the API shows it; NULL: it has none';

CREATE FUNCTION wa.revoke_api_key(key uuid, reason text DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN wa.revoke_key_with_reason((wa.find_api_key(key)).id, reason);
END $$;
COMMENT ON FUNCTION wa.revoke_api_key(uuid, text) IS
	'`wa.revoke_key_with_reason()` in the active organization, for a person who manages its keys. `P0002`, `22023` '
	'(`reason`)';

CREATE FUNCTION wa.revoke_api_keys(every boolean, made_by uuid DEFAULT NULL, reason text DEFAULT NULL) RETURNS integer
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_key_manager();
BEGIN
	IF COALESCE(every, false) = (made_by IS NOT NULL) THEN
		PERFORM wa.refuse_field('all', 'must be true, or createdBy be given, but not both');
	END IF;
	RETURN wa.revoke_keys(org, made_by, reason);
END $$;
COMMENT ON FUNCTION wa.revoke_api_keys(boolean, uuid, text) IS
	'`wa.revoke_keys()` in the active organization, for a person who manages its keys: `every` key, or those that a '
	'person has made. `22023` (`all`, `reason`)';

CREATE FUNCTION wa.rotate_api_key(key uuid, overlap_seconds integer DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
								  OUT id uuid, OUT secret text, OUT ends_at timestamptz, OUT old_ends_at timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old constant wa.api_key := wa.find_api_key(key);
BEGIN
	PERFORM wa.refuse_unless_grantable(old);
	SELECT made.id, made.secret, made.ends_at, made.old_ends_at INTO id, secret, ends_at, old_ends_at
	FROM wa.rotate_key(old.id, COALESCE(overlap_seconds, 86400) * interval '1 second',
		CASE WHEN isfinite(expires_at) THEN expires_at WHEN expires_at IS NOT NULL THEN 'infinity' END) made;
	-- An administrator may have given it more meanwhile.
	PERFORM wa.refuse_unless_grantable(k) FROM wa.api_key k WHERE k.org_id = old.org_id AND k.id = rotate_api_key.id;
END $$;
COMMENT ON FUNCTION wa.rotate_api_key(uuid, integer, timestamptz) IS
	'`wa.rotate_key()` in the active organization, for a person who manages its keys; a day of overlap without a '
	'number; an infinite time is never. `P0002`, `55000` (also: it has a permission that only administrators give), `22023` (`overlap`, `expiresAt`)';

CREATE FUNCTION wa.show_key_policy(OUT default_days integer, OUT max_days integer)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_key_manager();
BEGIN
	SELECT p.default_days, p.max_days INTO show_key_policy.default_days, show_key_policy.max_days
	FROM wa.key_policy p WHERE p.org_id = org;
END $$;
COMMENT ON FUNCTION wa.show_key_policy() IS
	'how long keys of the active organization live, for a person who manages them; `wa.set_key_policy()` says what the columns mean';

-- An admin could otherwise lift the bound, make a key, and set the bound again.
CREATE FUNCTION wa.update_key_policy(INOUT default_days integer, INOUT max_days integer)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_key_manager();
BEGIN
	PERFORM wa.require_rank('owner');
	PERFORM wa.set_key_policy(org, update_key_policy.default_days, update_key_policy.max_days);
END $$;
COMMENT ON FUNCTION wa.update_key_policy(integer, integer) IS
	'`wa.set_key_policy()` in the active organization, for an owner. `42501` with `owner` in the constraint-name field (no '
	'owner), `22023` (`defaultDays`, `maxDays`)';
