-- The audit log, as owners and admins read it.

-- The audit log stores plain ids.  The action determines of what kind the subject is.
CREATE FUNCTION wa.audit_subject(action text, subject uuid) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT wa.typeid(CASE
		WHEN action IN ('member.invited', 'member.uninvited') THEN 'inv'
		ELSE CASE split_part(action, '.', 1)
			WHEN 'key' THEN 'key' WHEN 'org' THEN 'org' WHEN 'webhook' THEN 'wh' ELSE 'usr' END
		END, subject)
$$;
COMMENT ON FUNCTION wa.audit_subject(text, uuid) IS
	'for function bodies: what a row of the audit log is about, as it is written outside: key_…, usr_…, inv_…, org_…, wh_…';

CREATE FUNCTION wa.list_audit(before uuid, max integer)
	RETURNS TABLE (id uuid, at timestamptz, actor text, actor_name text, action text, subject text, subject_name text,
				   detail jsonb)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
BEGIN
	RETURN QUERY
	SELECT a.id, a.at, a.actor, COALESCE(wa.name_of(org, a.actor), a.actor_name), a.action, s.id,
		COALESCE(wa.name_of(org, s.id), a.detail ->> 'name'), a.detail
	FROM wa.audit a, LATERAL (SELECT wa.audit_subject(a.action, a.subject) AS id) s
	WHERE a.org_id = org AND a.id < CASE WHEN list_audit.before IS NULL
			THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE list_audit.before END
	ORDER BY a.id DESC
	LIMIT list_audit.max;
END $$;
COMMENT ON FUNCTION wa.list_audit(uuid, integer) IS
	'what happened in the active organization, newest first, from before this id, for an owner or admin; actor and '
	'subject as they are written outside, with their names now, or else then';
