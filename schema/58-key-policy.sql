-- How long an organization's keys live, and who is warned before one expires.

CREATE FUNCTION wa.check_lifetime_at_commit(org uuid, made_at timestamptz, expires_at timestamptz) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_check_lifetime_at_commit';
COMMENT ON FUNCTION wa.check_lifetime_at_commit(uuid, timestamptz, timestamptz) IS
	'for function bodies: refuses the commit of this transaction if a key of that time and expiry (infinity: never) lives for longer than its organization allows by then';

CREATE FUNCTION wa.longest_expiry(org uuid, made_at timestamptz) RETURNS timestamptz
	LANGUAGE sql
AS $$
	SELECT COALESCE((SELECT made_at + p.max_days * interval '1 day' FROM wa.key_policy p WHERE p.org_id = org), 'infinity')
$$;
COMMENT ON FUNCTION wa.longest_expiry(uuid, timestamptz) IS
	'for function bodies: the latest time at which a key that was made then may end in this organization; infinity: it has no bound';

-- An infinite time: never.  The policy is looked at once more at the commit, because the
-- transaction's snapshot may be older.
CREATE FUNCTION wa.key_expiry(org uuid, made_at timestamptz, asked timestamptz) RETURNS timestamptz
	LANGUAGE plpgsql
AS $$
DECLARE
	policy wa.key_policy;
	given timestamptz := asked;
BEGIN
	SELECT p.* INTO policy FROM wa.key_policy p WHERE p.org_id = org;
	IF given IS NULL THEN
		given := COALESCE(made_at + COALESCE(policy.default_days, policy.max_days) * interval '1 day', 'infinity');
	ELSIF given > wa.longest_expiry(org, made_at) THEN
		PERFORM wa.refuse_field('expiresAt', format('must be at most %s days after the key was made', policy.max_days));
	END IF;
	PERFORM wa.check_lifetime_at_commit(org, made_at, given);
	RETURN NULLIF(given, 'infinity');
END $$;
COMMENT ON FUNCTION wa.key_expiry(uuid, timestamptz, timestamptz) IS
	'for function bodies: when a key that was made then expires if this time was asked for (NULL: none was), NULL for never; raises 22023 if that is longer than the organization allows';

CREATE FUNCTION wa.set_key_policy(org wa.org_id, default_days integer, max_days integer) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_under_key();
	IF max_days NOT BETWEEN 1 AND 3650 THEN
		PERFORM wa.refuse_field('maxDays', 'must be between 1 and 3650');
	END IF;
	IF default_days NOT BETWEEN 1 AND COALESCE(max_days, 3650) THEN
		PERFORM wa.refuse_field('defaultDays', format('must be between 1 and %s', COALESCE(max_days, 3650)));
	END IF;
	PERFORM wa.refuse_unknown_org(org);
	INSERT INTO wa.key_policy AS p (org_id, default_days, max_days)
	VALUES (org, set_key_policy.default_days, set_key_policy.max_days)
	ON CONFLICT (org_id) DO UPDATE SET default_days = EXCLUDED.default_days, max_days = EXCLUDED.max_days;
	PERFORM wa.note(org, 'org.changed', org, jsonb_build_object('keyDefaultDays', default_days, 'keyMaxDays', max_days));
END $$;
COMMENT ON FUNCTION wa.set_key_policy(wa.org_id, integer, integer) IS
	'how long an organization''s keys live: the days of a key for which no time is given, and the most days of any (1 to '
	'3650; NULL: no bound). Keys that exist keep their expiry until it is changed. `22023` (`defaultDays`, `maxDays`), `P0002`';

-- A key is warned of once with at most seven days left and once with at most one day, but not
-- if its whole life is not longer than that, or it is switched off.
CREATE FUNCTION wa.warn_org(org uuid, max integer, rows_max integer, OUT written integer, OUT rows_written integer)
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	holding constant boolean := wa.hold_events();
	at constant timestamptz := clock_timestamp();
	due record;
	key wa.api_key;
	most integer;
BEGIN
	written := 0;
	FOR due IN
		SELECT k.id, warning.days FROM wa.api_key k CROSS JOIN LATERAL (
			SELECT min(d.days) AS days FROM (VALUES (1), (7)) d (days)
			WHERE k.expires_at <= at + d.days * interval '1 day'
				AND k.expires_at - k.created_at > d.days * interval '1 day') warning
		WHERE k.org_id = org AND k.revoked_at IS NULL AND k.superseded_by IS NULL
			AND k.expires_at > at AND k.expires_at <= at + interval '7 days'
			AND warning.days IS NOT NULL AND NOT wa.is_disabled(k) AND wa.ended_at(k.org_id, k.id, 'key') IS NULL
			AND NOT EXISTS (SELECT FROM wa.key_warning w
				WHERE w.org_id = k.org_id AND w.key_id = k.id AND w.days <= warning.days)
		ORDER BY k.expires_at LIMIT max
	LOOP
		most := COALESCE(most, wa.events_at_once(org, max, rows_max));
		EXIT WHEN written >= most;
		-- One of several workers has the row; what somebody else has locked is left for later.
		SELECT k.* INTO key FROM wa.api_key k
		WHERE k.org_id = org AND k.id = due.id FOR NO KEY UPDATE SKIP LOCKED;
		CONTINUE WHEN NOT FOUND;
		INSERT INTO wa.key_warning (org_id, key_id, days) VALUES (org, due.id, due.days) ON CONFLICT DO NOTHING;
		CONTINUE WHEN NOT FOUND;
		PERFORM wa.emit_key('key.expiring', key);
		written := written + 1;
	END LOOP;
	rows_written := CASE WHEN wa.write_events() > 0 THEN written * wa.event_rows(org) ELSE 0 END;
END $$;
COMMENT ON FUNCTION wa.warn_org(uuid, integer, integer) IS
	'for wa.warn_of_expiry(): writes key.expiring for the keys of an organization, as many as wa.events_at_once() says, and returns how many, and the rows that they may be';

-- An organization that has more than one call may write is warned of the rest when its turn
-- comes again.
CREATE FUNCTION wa.warn_of_expiry(max integer) RETURNS integer
	LANGUAGE plpgsql
AS $$
DECLARE
	place constant wa.housekeeping_place := wa.take_place('key_warnings');
	org uuid;
	warned record;
	behind uuid;
	written integer := 0;
	rows_left integer := wa.event_rows_max();
BEGIN
	FOREACH org IN ARRAY wa.orgs_behind(place.org_id) LOOP
		-- More organizations would delay the events of all (src/event_writers.c).
		EXIT WHEN written >= max OR rows_left <= 0 OR wa.event_room() = 0;
		behind := org;
		SELECT w.written, w.rows_written INTO warned FROM wa.warn_org(org, max - written, rows_left) w;
		written := written + warned.written;
		rows_left := rows_left - warned.rows_written;
	END LOOP;
	IF behind IS NOT NULL THEN
		PERFORM wa.put_place('key_warnings', behind, place.webhook_id);
	END IF;
	RETURN written;
END $$;
COMMENT ON FUNCTION wa.warn_of_expiry(integer) IS
	'for wa.housekeep(): writes key.expiring for keys that have seven days or one day left, and returns how many';
