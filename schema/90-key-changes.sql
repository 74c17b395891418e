-- Changes of API keys.  Administrators (wa.update_key) and the people of an organization
-- (wa.update_api_key) have the same rules, which are in wa.change_key().

-- A key that expires while somebody puts its expiry off stays expired.
CREATE FUNCTION wa.check_expiry_at_commit(expires_at timestamptz) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_check_expiry_at_commit';
COMMENT ON FUNCTION wa.check_expiry_at_commit(timestamptz) IS
	'for function bodies: refuses the commit of this transaction if a key that it gives another expiry has expired by then';

-- NULL leaves a setting as it is.  These values take one away: an infinite time, a session of all
-- zeros, an empty text among the addresses, no requests a minute.
CREATE FUNCTION wa.change_key(old wa.api_key, name text, permissions wa.permissions, own_permissions bigint, expires_at timestamptz,
							  sessions uuid[], addresses text[], per_minute integer, burst integer) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	never constant boolean := NOT isfinite(expires_at);
	every_session constant boolean := sessions = '{00000000-0000-0000-0000-000000000000}';
	anywhere constant boolean := addresses = '{""}';
	networks cidr[];
	rate constant integer := NULLIF(per_minute, 0);
	whole_burst constant integer := wa.read_burst(rate, burst);
	four constant wa.permissions := COALESCE(permissions, old.permissions);
	own constant bigint := COALESCE(own_permissions, old.own_permissions);
BEGIN
	PERFORM wa.check_key(four, own, CASE WHEN NOT never THEN expires_at END);
	IF NOT every_session THEN
		sessions := wa.read_sessions(old.org_id, sessions, old.is_test);
	END IF;
	IF NOT anywhere THEN
		networks := wa.read_addresses(addresses);
	END IF;
	IF name IS NOT NULL THEN
		name := wa.read_name(name);
		PERFORM wa.claim_key_name(old.org_id, name, old.id);
	END IF;
	UPDATE wa.api_key k
	SET name = COALESCE(change_key.name, k.name),
		permissions = four,
		own_permissions = own,
		expires_at = CASE WHEN change_key.expires_at IS NULL THEN k.expires_at
			ELSE wa.key_expiry(k.org_id, k.created_at, CASE WHEN never THEN 'infinity' ELSE change_key.expires_at END) END,
		sessions = CASE WHEN NOT every_session THEN change_key.sessions WHEN every_session IS NULL THEN k.sessions END,
		addresses = CASE WHEN change_key.addresses IS NULL THEN k.addresses ELSE networks END,
		per_minute = CASE WHEN change_key.per_minute IS NULL THEN k.per_minute ELSE rate END,
		burst = CASE WHEN change_key.per_minute IS NULL THEN k.burst ELSE whole_burst END,
		-- Sockets of one key are read for together, whichever address they come from (gateway/realtime),
		-- so they are opened anew.  Their rows are left alone, because others can keep them locked.
		generation = k.generation + CASE WHEN networks IS NULL THEN 0 ELSE 1 END
	WHERE k.org_id = old.org_id AND k.id = old.id;
	IF expires_at IS NOT NULL THEN
		PERFORM wa.check_expiry_at_commit(old.expires_at);
		DELETE FROM wa.key_warning w WHERE w.org_id = old.org_id AND w.key_id = old.id;
	END IF;
	PERFORM wa.note(old.org_id, 'key.changed', old.id, jsonb_strip_nulls(jsonb_build_object(
		'name', name,
		'permissions', CASE WHEN num_nonnulls(permissions, own_permissions) > 0 THEN to_jsonb(four::text[] || wa.own_permission_names(own)) END,
		'expiresAt', CASE WHEN expires_at IS NOT NULL THEN wa.noted_end(CASE WHEN NOT never THEN expires_at END) END,
		'sessions', CASE WHEN every_session THEN to_jsonb('all'::text) ELSE to_jsonb(wa.session_ids(sessions)) END,
		'addresses', CASE WHEN anywhere THEN to_jsonb('any'::text) ELSE to_jsonb(networks::text[]) END,
		'requestsPerMinute', CASE WHEN per_minute = 0 THEN to_jsonb('any'::text) ELSE to_jsonb(rate) END, 'burst', whole_burst)));
END $$;
COMMENT ON FUNCTION wa.change_key(wa.api_key, text, wa.permissions, bigint, timestamptz, uuid[], text[], integer, integer) IS
	'for function bodies: checks, stores and notes changes of a key that wa.lock_key() has returned; NULL leaves a setting as it is';

CREATE FUNCTION wa.update_key(key wa.key_id, name text DEFAULT NULL, permissions wa.permissions DEFAULT NULL,
							  expires_at timestamptz DEFAULT NULL,
							  sessions wa.session_id[] DEFAULT NULL,
							  addresses text[] DEFAULT NULL,
							  per_minute integer DEFAULT NULL,
							  burst integer DEFAULT NULL,
							  own_permissions text[] DEFAULT NULL,
							  lift text[] DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old wa.api_key;
	given constant text[] := array_remove(ARRAY[CASE WHEN sessions IS NOT NULL THEN 'sessions' END,
		CASE WHEN addresses IS NOT NULL THEN 'addresses' END, CASE WHEN per_minute IS NOT NULL THEN 'rateLimit' END], NULL);
BEGIN
	PERFORM wa.refuse_under_key();
	IF num_nonnulls(name, permissions, expires_at, burst, own_permissions) + cardinality(given || lift) = 0 THEN
		RAISE EXCEPTION 'nothing is to be changed' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF NOT wa.is_list(lift, 3) OR NOT lift <@ '{sessions,addresses,rateLimit}' OR lift && given THEN
		PERFORM wa.refuse_field('lift', 'must name sessions, addresses and rateLimit at most, and none of them that is given');
	END IF;
	old := wa.lock_key(wa.org_of_key(key), key);
	-- What wa.change_key() takes away is named, and never the value of a setting here.
	PERFORM wa.read_sessions(old.org_id, sessions, old.is_test), wa.read_addresses(addresses), wa.read_burst(per_minute, burst);
	PERFORM wa.change_key(old, name, permissions,
						  CASE WHEN own_permissions IS NOT NULL THEN wa.read_own_permissions(own_permissions, 'ownPermissions', false) END,
						  expires_at,
						  CASE WHEN 'sessions' = ANY (lift) THEN '{00000000-0000-0000-0000-000000000000}' ELSE sessions::uuid[] END,
						  CASE WHEN 'addresses' = ANY (lift) THEN '{""}' ELSE addresses END,
						  CASE WHEN 'rateLimit' = ANY (lift) THEN 0 ELSE per_minute END, burst);
END $$;
COMMENT ON FUNCTION wa.update_key(wa.key_id, text, wa.permissions, timestamptz, wa.session_id[], text[], integer, integer, text[], text[]) IS
	'changes what of a key is given, as `wa.create_key()` takes it; NULL leaves it as it is. The secret stays, and a test key stays one. '
	'`expires_at` `infinity`: never. `{}`: no permission of a kind. `lift`: the restrictions that are taken away, of `sessions`, `addresses` and `rateLimit`. '
	'The organization''s longest life of a key '
	'(`wa.set_key_policy()`) is counted from when the key was made. New addresses close the open sockets of the key. `P0002`, `55000` (revoked, '
	'expired or rotated: what has ended stays so), `22004` (nothing is given), `22023` as `wa.create_key()` (also `lift`), `23505` (a live key has this name)';
