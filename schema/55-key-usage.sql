-- When API keys were used, and how often in each hour.  Uses and counts are recorded in shared
-- memory (src/usage.c), and wa.flush_key_usage() brings them to tables of their own.  An update
-- of the key table would make every backend forget its cached keys.
CREATE TABLE wa.api_key_usage (
	org_id uuid NOT NULL,
	key_id uuid NOT NULL,
	first_used_at timestamptz NOT NULL,
	first_used_from inet,
	last_used_at timestamptz NOT NULL,
	last_used_from inet,
	last_used_agent text CHECK (octet_length(last_used_agent) BETWEEN 1 AND 120),
	PRIMARY KEY (org_id, key_id),
	FOREIGN KEY (org_id, key_id) REFERENCES wa.api_key (org_id, id) ON DELETE CASCADE
) WITH (fillfactor = 70);
COMMENT ON TABLE wa.api_key_usage IS
	'first and last use of API keys, as of the last `wa.flush_key_usage()`; a key that was never used has no row';
COMMENT ON COLUMN wa.api_key_usage.org_id IS 'the key''s organization';
COMMENT ON COLUMN wa.api_key_usage.key_id IS 'the key';
COMMENT ON COLUMN wa.api_key_usage.first_used_at IS 'the first use that is known';
COMMENT ON COLUMN wa.api_key_usage.first_used_from IS
	'the network address of it, as the gateway or application told; NULL: it told none';
COMMENT ON COLUMN wa.api_key_usage.last_used_at IS 'the last use, to a second';
COMMENT ON COLUMN wa.api_key_usage.last_used_from IS 'the network address of that one; NULL: none was told';
COMMENT ON COLUMN wa.api_key_usage.last_used_agent IS
	'the program that sent that one, as it says itself, at most 120 printable ASCII characters; NULL: it says none';

CREATE TABLE wa.api_key_hour (
	org_id uuid NOT NULL,
	key_id uuid NOT NULL,
	hour timestamptz NOT NULL,
	allowed bigint NOT NULL DEFAULT 0,
	expired bigint NOT NULL DEFAULT 0,
	revoked bigint NOT NULL DEFAULT 0,
	disabled bigint NOT NULL DEFAULT 0,
	address bigint NOT NULL DEFAULT 0,
	permission bigint NOT NULL DEFAULT 0,
	session bigint NOT NULL DEFAULT 0,
	rate bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (org_id, key_id, hour),
	FOREIGN KEY (org_id, key_id) REFERENCES wa.api_key (org_id, id) ON DELETE CASCADE
) WITH (fillfactor = 70);
-- For housekeeping.  The column never changes, so updates need no new index entry.
CREATE INDEX api_key_hour_hour ON wa.api_key_hour (org_id, hour);
COMMENT ON TABLE wa.api_key_hour IS
	'how many requests were made with API keys in each hour, as of the last `wa.flush_key_usage()`, for 30 days; an hour without any has no row';
COMMENT ON COLUMN wa.api_key_hour.org_id IS 'the key''s organization';
COMMENT ON COLUMN wa.api_key_hour.key_id IS 'the key';
COMMENT ON COLUMN wa.api_key_hour.hour IS 'when the hour began';
COMMENT ON COLUMN wa.api_key_hour.allowed IS 'requests to which nothing was denied';
COMMENT ON COLUMN wa.api_key_hour.expired IS 'denied because the key had expired';
COMMENT ON COLUMN wa.api_key_hour.revoked IS 'denied because it was revoked';
COMMENT ON COLUMN wa.api_key_hour.disabled IS 'denied because it was switched off';
COMMENT ON COLUMN wa.api_key_hour.address IS 'denied because it cannot be used from that address';
COMMENT ON COLUMN wa.api_key_hour.permission IS 'denied because it lacks a permission';
COMMENT ON COLUMN wa.api_key_hour.session IS
	'denied because it is restricted to other sessions. To read from such a session finds nothing, and is allowed';
COMMENT ON COLUMN wa.api_key_hour.rate IS 'denied because it had made too many requests';

-- As for the keys themselves: administrators and the worker have no key, and their functions
-- see all organizations.  With a bound key they see its organization only.
SELECT wa.put_owner_policies('wa.current_org() IS NULL OR org_id = wa.current_org()', 'wa.api_key_usage');
SELECT wa.put_owner_policies('wa.current_org() IS NULL OR org_id = wa.current_org()', 'wa.api_key_hour');
CREATE POLICY wa_admin_read ON wa.api_key_usage FOR SELECT TO wa_admin USING (true);
CREATE POLICY wa_admin_read ON wa.api_key_hour FOR SELECT TO wa_admin USING (true);
SELECT pg_catalog.pg_extension_config_dump('wa.api_key_usage', '');
SELECT pg_catalog.pg_extension_config_dump('wa.api_key_hour', '');

-- This table belongs to no organization: nobody has the keys that it is about.
CREATE TABLE wa.unknown_key (
	hour timestamptz NOT NULL,
	prefix text NOT NULL CHECK (char_length(prefix) <= 13),
	denied bigint NOT NULL,
	PRIMARY KEY (hour, prefix)
);
COMMENT ON TABLE wa.unknown_key IS
	'how often API keys were presented that nobody has, by their first characters, in each hour of the latest 30 days';
COMMENT ON COLUMN wa.unknown_key.hour IS 'when the hour began';
COMMENT ON COLUMN wa.unknown_key.prefix IS
	'the first characters: of the 64 most frequent ones of the hour; empty: all others together';
COMMENT ON COLUMN wa.unknown_key.denied IS 'how often';
ALTER TABLE wa.unknown_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.unknown_key TO wa_owner USING (true);
CREATE POLICY wa_admin_read ON wa.unknown_key FOR SELECT TO wa_admin USING (true);
SELECT pg_catalog.pg_extension_config_dump('wa.unknown_key', '');

CREATE FUNCTION wa.take_guesses() RETURNS TABLE (hour timestamptz, prefix text, denied bigint)
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_take_guesses';
COMMENT ON FUNCTION wa.take_guesses() IS
	'for wa.flush_key_usage(): takes the counts of unknown keys out of memory; they come back if the transaction is rolled back';

-- Somebody who guesses at random makes new rows with each flush, so an hour has 64 of them at
-- most, and the rest is one.
CREATE FUNCTION wa.flush_guesses() RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	hours timestamptz[];
BEGIN
	WITH written AS (
		INSERT INTO wa.unknown_key AS u (hour, prefix, denied)
		SELECT t.hour, t.prefix, t.denied FROM wa.take_guesses() t WHERE t.denied > 0 ORDER BY t.hour, t.prefix
		ON CONFLICT ON CONSTRAINT unknown_key_pkey DO UPDATE SET denied = u.denied + excluded.denied
		RETURNING u.hour)
	SELECT array_agg(DISTINCT w.hour ORDER BY w.hour) INTO hours FROM written w;
	WITH gone AS (
		DELETE FROM wa.unknown_key u
		USING (SELECT o.hour, o.prefix, row_number() OVER (PARTITION BY o.hour ORDER BY o.denied DESC, o.prefix) AS place
			FROM wa.unknown_key o WHERE o.hour = ANY (hours) AND o.prefix <> '') ranked
		WHERE u.hour = ranked.hour AND u.prefix = ranked.prefix AND ranked.place > 64
		RETURNING u.hour, u.denied)
	INSERT INTO wa.unknown_key AS u (hour, prefix, denied)
	SELECT g.hour, '', sum(g.denied) FROM gone g GROUP BY g.hour
	ON CONFLICT ON CONSTRAINT unknown_key_pkey DO UPDATE SET denied = u.denied + excluded.denied;
END $$;
COMMENT ON FUNCTION wa.flush_guesses() IS 'for wa.flush_key_usage(): adds the counts of unknown keys from memory to the table';

-- What is in memory.  These functions see every organization of the database, so only
-- function bodies and administrators may call them.
CREATE FUNCTION wa.remembered_key_use(org wa.org_id, key wa.key_id, OUT first_used_at timestamptz, OUT first_used_from inet,
									  OUT last_used_at timestamptz, OUT last_used_from inet, OUT last_used_agent text)
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_remembered_key_use';
COMMENT ON FUNCTION wa.remembered_key_use(wa.org_id, wa.key_id) IS
	'what the server has in memory of a key''s use, whether flushed or not; nulls if it has nothing, or was started '
	'without the library. The first use is that since the key got its place in memory';

CREATE FUNCTION wa.unflushed_key_usage()
	RETURNS TABLE (org_id uuid, key_id uuid, first_used_at timestamptz, first_used_from inet,
				   last_used_at timestamptz, last_used_from inet, last_used_agent text, flushed_at timestamptz)
	LANGUAGE c STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_unflushed_key_usage';
COMMENT ON FUNCTION wa.unflushed_key_usage() IS
	'for wa.flush_key_usage(): the keys with uses in memory that the table is not known to have';

CREATE FUNCTION wa.confirm_key_usage(org uuid, key uuid, at timestamptz) RETURNS void
	LANGUAGE c STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_confirm_key_usage';
COMMENT ON FUNCTION wa.confirm_key_usage(uuid, uuid, timestamptz) IS
	'for wa.flush_key_usage(): the table has, committed, the uses of a key up to this time';

CREATE FUNCTION wa.unflushed_key_hours()
	RETURNS TABLE (org_id uuid, key_id uuid, hour timestamptz, allowed bigint, expired bigint, revoked bigint, disabled bigint,
				   address bigint, permission bigint, session bigint, rate bigint)
	LANGUAGE c STRICT PARALLEL RESTRICTED
	AS 'MODULE_PATHNAME', 'wa_unflushed_key_hours';
COMMENT ON FUNCTION wa.unflushed_key_hours() IS
	'the requests of keys that are counted in memory and in no table, by hour; the columns are those of `wa.api_key_hour`';

CREATE FUNCTION wa.take_key_hours(max integer)
	RETURNS TABLE (org_id uuid, key_id uuid, hour timestamptz, allowed bigint, expired bigint, revoked bigint, disabled bigint,
				   address bigint, permission bigint, session bigint, rate bigint)
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_take_key_hours';
COMMENT ON FUNCTION wa.take_key_hours(integer) IS
	'for wa.flush_key_usage(): takes at most so many rows of wa.unflushed_key_hours() out of memory; they come back if the transaction is rolled back';

CREATE FUNCTION wa.key_last_used(org wa.org_id, key wa.key_id, OUT used_at timestamptz, OUT used_from inet, OUT used_agent text)
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
AS $$
	SELECT last.used_at, last.used_from, last.used_agent
	FROM (SELECT m.last_used_at, m.last_used_from, m.last_used_agent FROM wa.remembered_key_use(org, key) m
		UNION ALL
		SELECT u.last_used_at, u.last_used_from, u.last_used_agent FROM wa.api_key_usage u WHERE u.org_id = org AND u.key_id = key
		) last (used_at, used_from, used_agent)
	ORDER BY last.used_at DESC NULLS LAST
	LIMIT 1
$$;
COMMENT ON FUNCTION wa.key_last_used(wa.org_id, wa.key_id) IS
	'when, from where and with what program a key was last used, by memory or table, whichever is later; nulls if it never '
	'was as far as is known';

-- No row appears twice: a flush takes what it writes out of memory.  While it runs, what it has
-- taken is in neither place for others.
CREATE VIEW wa.key_usage WITH (security_invoker = true, security_barrier = true) AS
	SELECT h.org_id, h.key_id, wa.typeid('key', h.key_id) AS key, h.hour, sum(h.allowed)::bigint AS allowed,
		sum(h.expired + h.revoked + h.disabled + h.address + h.permission + h.session + h.rate)::bigint AS denied,
		sum(h.expired)::bigint AS expired, sum(h.revoked)::bigint AS revoked, sum(h.disabled)::bigint AS disabled,
		sum(h.address)::bigint AS address, sum(h.permission)::bigint AS permission, sum(h.session)::bigint AS session,
		sum(h.rate)::bigint AS rate
	FROM (SELECT t.org_id, t.key_id, t.hour, t.allowed, t.expired, t.revoked, t.disabled, t.address, t.permission, t.session, t.rate
		FROM wa.api_key_hour t
		UNION ALL
		SELECT m.org_id, m.key_id, m.hour, m.allowed, m.expired, m.revoked, m.disabled, m.address, m.permission, m.session, m.rate
		FROM wa.unflushed_key_hours() m) h
	GROUP BY h.org_id, h.key_id, h.hour;
COMMENT ON VIEW wa.key_usage IS
	'view: how many requests were made with each API key, by hour, flushed or not, for administrators; with the rights of whoever reads it';
COMMENT ON COLUMN wa.key_usage.org_id IS 'the key''s organization';
COMMENT ON COLUMN wa.key_usage.key_id IS 'the key';
COMMENT ON COLUMN wa.key_usage.key IS 'the key''s id as people see it: `key_…`';
COMMENT ON COLUMN wa.key_usage.hour IS 'when the hour began';
COMMENT ON COLUMN wa.key_usage.allowed IS 'requests to which nothing was denied';
COMMENT ON COLUMN wa.key_usage.denied IS 'requests that were denied: the sum of the columns that follow';
COMMENT ON COLUMN wa.key_usage.expired IS 'denied because the key had expired';
COMMENT ON COLUMN wa.key_usage.revoked IS 'denied because it was revoked';
COMMENT ON COLUMN wa.key_usage.disabled IS 'denied because it was switched off';
COMMENT ON COLUMN wa.key_usage.address IS 'denied because it cannot be used from that address';
COMMENT ON COLUMN wa.key_usage.permission IS 'denied because it lacks a permission';
COMMENT ON COLUMN wa.key_usage.session IS 'denied because it is restricted to other sessions';
COMMENT ON COLUMN wa.key_usage.rate IS 'denied because it had made too many requests';

-- Both parts of a batch return how many keys they have written.  If several flushes run at
-- once, each row is written by one of them.  Keys that are gone are skipped, and so are keys
-- that somebody has locked: their uses stay in memory until the next flush.
CREATE FUNCTION wa.flush_first_uses(max integer) RETURNS integer
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	written record;
	count integer := 0;
BEGIN
	FOR written IN
		INSERT INTO wa.api_key_usage AS u (org_id, key_id, first_used_at, first_used_from, last_used_at, last_used_from,
			last_used_agent)
		SELECT m.org_id, m.key_id, m.first_used_at, m.first_used_from, m.last_used_at, m.last_used_from, m.last_used_agent
		FROM wa.unflushed_key_usage() m JOIN wa.api_key k ON k.org_id = m.org_id AND k.id = m.key_id
		WHERE NOT EXISTS (SELECT FROM wa.api_key_usage u WHERE u.org_id = m.org_id AND u.key_id = m.key_id)
		ORDER BY m.org_id, m.key_id
		LIMIT max
		-- FOR KEY SHARE is the lock that the foreign key would take.
		FOR KEY SHARE OF k SKIP LOCKED
		ON CONFLICT DO NOTHING
		RETURNING u.org_id, u.key_id, u.first_used_at, u.first_used_from
	LOOP
		PERFORM wa.note(written.org_id, 'key.used_first', written.key_id, jsonb_strip_nulls(jsonb_build_object(
			'name', wa.name_of(written.org_id, wa.typeid('key', written.key_id)), 'address', host(written.first_used_from))),
			wa.typeid('key', written.key_id), written.first_used_at);
		count := count + 1;
	END LOOP;
	RETURN count;
END $$;
COMMENT ON FUNCTION wa.flush_first_uses(integer) IS
	'for wa.flush_key_usage(): makes rows of keys that have none, with key.used_first in the audit log';

-- The keys that have waited longest come first, so that busy keys do not delay others.
CREATE FUNCTION wa.flush_later_uses(max integer) RETURNS integer
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	count integer;
BEGIN
	UPDATE wa.api_key_usage u
	SET last_used_at = newer.last_used_at, last_used_from = newer.last_used_from, last_used_agent = newer.last_used_agent
	FROM (SELECT m.org_id, m.key_id, m.last_used_at, m.last_used_from, m.last_used_agent
		FROM wa.unflushed_key_usage() m JOIN wa.api_key_usage o ON o.org_id = m.org_id AND o.key_id = m.key_id
		WHERE o.last_used_at < m.last_used_at
		ORDER BY o.last_used_at
		LIMIT max
		FOR NO KEY UPDATE OF o SKIP LOCKED) newer
	WHERE u.org_id = newer.org_id AND u.key_id = newer.key_id;
	GET DIAGNOSTICS count = ROW_COUNT;
	RETURN count;
END $$;
COMMENT ON FUNCTION wa.flush_later_uses(integer) IS 'for wa.flush_key_usage(): brings rows up to date';

-- Of requests that were denied the audit log has the first one of a day for each key and reason,
-- so that a flood of them is one entry; how many there were is in wa.api_key_hour.
CREATE FUNCTION wa.note_denied(counts wa.api_key_hour[]) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	denied record;
BEGIN
	FOR denied IN
		SELECT c.org_id, c.key_id, min(c.hour) AS hour, array_agg(DISTINCT r.reason ORDER BY r.reason) AS reasons
		FROM unnest(counts) c CROSS JOIN LATERAL (VALUES ('expired', c.expired), ('revoked', c.revoked), ('disabled', c.disabled),
				('address', c.address), ('permission', c.permission), ('session', c.session), ('rate', c.rate)) r (reason, number)
		WHERE r.number > 0 AND NOT EXISTS (SELECT FROM wa.api_key_hour h
			WHERE h.org_id = c.org_id AND h.key_id = c.key_id AND h.hour > c.hour - interval '1 day' AND (to_jsonb(h) ->> r.reason)::bigint > 0)
		GROUP BY c.org_id, c.key_id
		ORDER BY c.org_id, c.key_id
	LOOP
		PERFORM wa.note(denied.org_id, 'key.denied', denied.key_id, jsonb_build_object(
			'name', wa.name_of(denied.org_id, wa.typeid('key', denied.key_id)), 'reasons', denied.reasons), wa.typeid('key', denied.key_id), denied.hour);
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.note_denied(wa.api_key_hour[]) IS
	'for wa.flush_key_hours(), before the counts are in the table: writes key.denied to the audit log for keys and reasons that it does not have of the latest day';

-- Whatever is taken and not written here is dropped: counts of keys that are gone.
CREATE FUNCTION wa.flush_key_hours(max integer) RETURNS integer
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	taken constant wa.api_key_hour[] := ARRAY(
		SELECT ROW(t.org_id, t.key_id, t.hour, t.allowed, t.expired, t.revoked, t.disabled, t.address, t.permission, t.session, t.rate)::wa.api_key_hour
		FROM wa.take_key_hours(max) t
		WHERE EXISTS (SELECT FROM wa.api_key k WHERE k.org_id = t.org_id AND k.id = t.key_id)
		ORDER BY t.org_id, t.key_id, t.hour);
	count integer;
BEGIN
	PERFORM wa.note_denied(taken);
	INSERT INTO wa.api_key_hour AS h SELECT t.* FROM unnest(taken) t
	ON CONFLICT ON CONSTRAINT api_key_hour_pkey DO UPDATE SET allowed = h.allowed + excluded.allowed,
		expired = h.expired + excluded.expired, revoked = h.revoked + excluded.revoked, disabled = h.disabled + excluded.disabled,
		address = h.address + excluded.address, permission = h.permission + excluded.permission,
		session = h.session + excluded.session, rate = h.rate + excluded.rate;
	GET DIAGNOSTICS count = ROW_COUNT;
	RETURN count;
END $$;
COMMENT ON FUNCTION wa.flush_key_hours(integer) IS
	'for wa.flush_key_usage(): adds counts from memory to the table, at most so many rows, and returns how many';

-- One batch.  Memory is told which uses the table has only by a later call, which finds them
-- there committed.  Counts are taken out of memory and come back if the transaction fails.  So a
-- flush that is rolled back loses nothing.
CREATE FUNCTION wa.flush_key_usage(max integer DEFAULT 1000) RETURNS integer
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	written integer;
BEGIN
	IF max IS NULL OR max NOT BETWEEN 1 AND 10000 THEN
		PERFORM wa.refuse_field('max', 'must be between 1 and 10000');
	END IF;
	-- If an organization is bound, all other keys would look as if they were gone.
	IF wa.current_org() IS NOT NULL THEN
		RAISE EXCEPTION 'key usage cannot be flushed in a transaction that acts for an organization'
			USING ERRCODE = 'invalid_transaction_state';
	END IF;

	-- Not if the rows may be this transaction's own, which may be rolled back.
	IF pg_current_xact_id_if_assigned() IS NULL THEN
		PERFORM wa.confirm_key_usage(m.org_id, m.key_id, u.last_used_at)
		FROM wa.unflushed_key_usage() m JOIN wa.api_key_usage u ON u.org_id = m.org_id AND u.key_id = m.key_id
		WHERE u.last_used_at > m.flushed_at;
	END IF;
	PERFORM wa.await_turn('key_usage');
	PERFORM wa.flush_guesses();
	written := wa.flush_first_uses(max);
	written := written + wa.flush_later_uses(max - written);
	RETURN written + wa.flush_key_hours(max - written);
END $$;
COMMENT ON FUNCTION wa.flush_key_usage(integer) IS
	'writes the key uses that are newer in memory than in `wa.api_key_usage`, with `key.used_first` in the audit log for '
	'keys that had none, and adds the counts in memory to `wa.api_key_hour`: at most `max` rows (1 to 10000) in all. It also adds '
	'those of unknown keys to `wa.unknown_key`. '
	'Returns how many it wrote, and fewer than `max` means that there is no more. `22023` (`max`), `25000` in a transaction that acts for an organization';
