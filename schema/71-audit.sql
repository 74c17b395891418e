-- The audit log, as owners and admins read it.

-- The audit log stores plain ids.  The action determines of what kind the subject is.  The
-- hash of an entry is made of what this function answers (schema/84-audit-chain.sql), so the
-- answer for an action that exists never changes.
CREATE FUNCTION wa.audit_subject(action text, subject uuid) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT wa.typeid(CASE
		WHEN action IN ('member.invited', 'member.uninvited') THEN 'inv'
		ELSE CASE split_part(action, '.', 1)
			WHEN 'key' THEN 'key' WHEN 'org' THEN 'org' WHEN 'webhook' THEN 'wh' WHEN 'session' THEN 'sess' ELSE 'usr' END
		END, subject)
$$;
COMMENT ON FUNCTION wa.audit_subject(text, uuid) IS
	'for function bodies: what a row of the audit log is about, as it is written outside: key_…, usr_…, inv_…, org_…, wh_…, sess_…';

CREATE FUNCTION wa.audit_subject_id(subject text) RETURNS uuid
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	IF subject !~ '^[a-z]{1,8}_[0-7][0-9a-hjkmnp-tv-z]{25}$' THEN
		PERFORM wa.refuse_field('subject', 'must be an id, such as key_…');
	END IF;
	RETURN wa.from_typeid(split_part(subject, '_', 1), subject);
END $$;
COMMENT ON FUNCTION wa.audit_subject_id(text) IS
	'for function bodies: the uuid of an id as it is written outside; raises 22023 (subject) for what is none';

-- Planned for the filters that are given: each of them has an index, which also has the order.
CREATE FUNCTION wa.list_audit(before uuid, max integer, of_action text DEFAULT NULL, of_actor text DEFAULT NULL,
							  of_subject text DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
	RETURNS TABLE (id uuid, at timestamptz, actor text, actor_name text, action text, subject text, subject_name text,
				   detail jsonb, sequence bigint)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
	subject_id constant uuid := wa.audit_subject_id(of_subject);
	first constant uuid := wa.uuid7_floor(since);
	behind constant uuid := LEAST(COALESCE(list_audit.before, 'ffffffff-ffff-ffff-ffff-ffffffffffff'), wa.uuid7_floor(until));
BEGIN
	RETURN QUERY
	SELECT a.id, a.at, a.actor, COALESCE(wa.name_of(org, a.actor), a.actor_name), a.action, s.id,
		COALESCE(wa.name_of(org, s.id), a.detail ->> 'name'), a.detail, a.sequence
	FROM wa.audit a, LATERAL (SELECT wa.audit_subject(a.action, a.subject) AS id) s
	WHERE a.org_id = org AND a.id < behind
		AND (first IS NULL OR a.id >= first)
		AND (of_action IS NULL OR a.action = of_action)
		AND (of_actor IS NULL OR a.actor = of_actor)
		AND (subject_id IS NULL OR a.subject = subject_id AND s.id = of_subject)
	ORDER BY a.id DESC
	LIMIT list_audit.max;
END $$;
COMMENT ON FUNCTION wa.list_audit(uuid, integer, text, text, text, timestamptz, timestamptz) IS
	'what happened in the active organization, newest first, from before this id, for an owner or admin; actor and '
	'subject as they are written outside, with their names now, or else then. Of what is given only entries of that '
	'action, actor and subject, and those that were written from `since` on and before `until`. `22023` (`subject`)';

CREATE FUNCTION wa.audit_head(org wa.org_id, OUT sequence bigint, OUT hash bytea, OUT at timestamptz)
	LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.sequence, a.hash, a.at FROM wa.audit a
	WHERE a.org_id = org AND a.sequence IS NOT NULL ORDER BY a.sequence DESC LIMIT 1
$$;
COMMENT ON FUNCTION wa.audit_head(wa.org_id) IS
	'the newest entry of an organization''s chain of audit entries, NULLs if it has none. Kept where the database''s '
	'administrators cannot change it, it shows every later change of the entries up to it (`wa.verify_audit()`)';

CREATE FUNCTION wa.show_audit_head(OUT organization_id uuid, OUT sequence bigint, OUT hash text, OUT at timestamptz)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	organization_id := wa.require_member_manager();
	SELECT COALESCE(h.sequence, 0), encode(h.hash, 'hex'), h.at INTO sequence, hash, at FROM wa.audit_head(organization_id) h;
END $$;
COMMENT ON FUNCTION wa.show_audit_head() IS
	'the same of the active organization, for an owner or admin; sequence 0 if its chain has no entry yet';

CREATE FUNCTION wa.export_audit(after bigint, max integer)
	RETURNS TABLE (organization_id uuid, sequence bigint, id uuid, at timestamptz, actor text, actor_name text, action text,
				   subject text, detail jsonb, hash text)
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
BEGIN
	RETURN QUERY
	SELECT a.org_id, a.sequence, a.id, a.at, a.actor, a.actor_name, a.action, wa.audit_subject(a.action, a.subject), a.detail,
		encode(a.hash, 'hex')
	FROM wa.audit a
	WHERE a.org_id = org AND a.sequence > after
	ORDER BY a.sequence
	LIMIT max;
END $$;
COMMENT ON FUNCTION wa.export_audit(bigint, integer) IS
	'the chain of the active organization''s audit log behind this sequence, in order, for an owner or admin: all that '
	'the hashes are made of (`wa.audit_hash()`). Names are those that actors had then';
