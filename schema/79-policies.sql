-- The complete list of the policies of our own tables.  wa.self_check() compares every policy
-- with it: its kind, command, roles and whole expressions, as the server prints them.  So an
-- expression that contains more than it should, such as an OR, is a finding, and so is a
-- policy that is missing or that somebody has added.
--
-- The policies themselves are made by schema/52-policies.sql and the files behind it.

CREATE FUNCTION wa.policies() RETURNS TABLE (
		relation text, name text, permissive boolean, command text, roles text, qual text, with_check text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 280
AS $$
	WITH protected (relation, read, write) AS (VALUES
		('session', 'read', 'manage'), ('session_pairing', 'manage', 'manage'), ('session_wanted', 'manage', 'manage'), ('session_credentials', 'manage', 'manage'),
		('session_rate', 'read', 'send'), ('deleted_session', 'read', 'manage'), ('chat', 'read', 'send'), ('contact', 'read', 'send'),
		('media', 'read', 'send'), ('media_bytes', 'manage', 'manage'), ('media_room', 'manage', 'manage'), ('media_fetch', 'manage', 'manage'), ('message', 'read', 'send'), ('message_action', 'read', 'send'), ('idempotency', 'send', 'send'), ('org_limits', 'manage', 'manage'),
		('key_policy', 'manage', 'manage'), ('key_warning', 'manage', 'manage'),
		('event', 'events', 'events'), ('webhook', 'manage', 'manage'), ('webhook_lane', 'manage', 'manage'), ('delivery', 'manage', 'manage')
	), owned (relation, condition) AS (
		SELECT t, '(org_id = wa.require_org())'
		FROM unnest('{session,session_pairing,session_rate,deleted_session,chat,contact,media,media_bytes,media_room,media_fetch,message,message_action}'::text[]) t
	UNION ALL
		SELECT t, '((wa.current_org() IS NULL) OR (org_id = wa.current_org()))'
		FROM unnest('{session_wanted,session_credentials,idempotency,org_limits,key_policy,key_warning,event,webhook,webhook_lane,delivery,api_key,api_key_usage,api_key_hour,audit,member,'
			'user_token,invitation,ended,ticket,realtime}'::text[]) t
	UNION ALL VALUES
		('org', '((wa.current_org() IS NULL) OR (id = wa.current_org()))'),
		('sign_in', '((wa.current_org() IS NULL) OR ((user_id = wa.current_user_id()) AND (id = wa.current_sign_in())))'),
		('ended_sign_in', '(wa.current_org() IS NULL)'),
		('device', '(wa.current_org() IS NULL)'),
		('app_user', '((wa.current_org() IS NULL) OR (EXISTS ( SELECT FROM wa.member m '
			'WHERE ((m.org_id = wa.current_org()) AND (m.user_id = app_user.id)))))'),
		-- These belong to no organization.
		('event_epoch', NULL), ('housekeeping_place', NULL), ('media_scan', NULL), ('unrestored', NULL), ('scanner_key', NULL), ('own_permission', NULL), ('connector_capability', NULL), ('connector_key', NULL), ('unknown_key', NULL)
	)
	SELECT t.relation, k.prefix || p.name, k.permissive, p.command, 'wa_app, wa_gateway', p.qual, p.with_check
	FROM protected t CROSS JOIN LATERAL (
		SELECT format('(org_id = wa.org_for_any_key(%L::wa.permission))', t.read) AS reads,
			format('(org_id = wa.org_for_any_key(%L::wa.permission))', t.write) AS writes) e
		CROSS JOIN (VALUES ('wa_open_', true), ('wa_', false)) k (prefix, permissive)
		CROSS JOIN LATERAL (VALUES ('read', 'r', e.reads, NULL), ('insert', 'a', NULL, e.writes),
			('update', 'w', e.writes, e.writes), ('delete', 'd', e.writes, NULL)) p (name, command, qual, with_check)
UNION ALL
	SELECT o.relation, 'wa_owner_open', true, '*', 'wa_owner', 'true', NULL FROM owned o
UNION ALL
	SELECT o.relation, 'wa_owner_org', false, '*', 'wa_owner', o.condition, NULL FROM owned o WHERE o.condition IS NOT NULL
UNION ALL
	SELECT t, 'wa_admin_read', true, 'r', 'wa_admin', 'true', NULL
	FROM unnest('{org,org_limits,key_policy,api_key,api_key_usage,api_key_hour,audit,app_user,member,ended,scanner_key,own_permission,connector_capability,connector_key,unknown_key}'::text[]) t
UNION ALL
	SELECT t, 'wa_claim_all', true, '*', 'wa_claim', 'true', NULL
	FROM unnest('{session,session_credentials,deleted_session,chat,contact,media,media_bytes,media_room,media_fetch,message,message_action,webhook_lane}'::text[]) t
UNION ALL
	SELECT t, 'wa_claim_all', true, 'r', 'wa_claim', 'true', NULL
	FROM unnest('{org,session_pairing,session_wanted,event,webhook,delivery}'::text[]) t
UNION ALL
	SELECT t, p.name, false, '*', p.roles, '(session_id <> ALL (ARRAY( SELECT d.id FROM wa.deleted_session d)))', p.with_check
	FROM unnest('{chat,contact,media_fetch,message,message_action}'::text[]) t
		CROSS JOIN (VALUES ('wa_not_deleted', 'wa_app, wa_gateway', NULL), ('wa_owner_not_deleted', 'wa_owner', 'true')) p (name, roles, with_check)
UNION ALL
	SELECT t, 'wa_claim_deleted', false, 'd', 'wa_claim',
		format('(EXISTS ( SELECT FROM wa.deleted_session d WHERE ((d.org_id = %1$s.org_id) AND (d.id = %1$s.session_id))))', t), NULL
	FROM unnest('{chat,contact,message,message_action}'::text[]) t
UNION ALL
	SELECT t.relation, 'wa_reach', false, '*', 'wa_app, wa_gateway, wa_owner', t.condition, NULL
	FROM (VALUES ('session', 'wa.reaches_session(id, connector)'), ('deleted_session', 'wa.reaches(id)'),
		('media', '(wa.reaches(NULL::uuid) OR (key_id = wa.current_key()) OR (EXISTS ( SELECT FROM wa.message m '
			'WHERE ((m.org_id = media.org_id) AND (m.media_id = media.id)))))'),
		('webhook_lane', 'wa.reaches_webhook(org_id, webhook_id)'),
		('delivery', '(wa.reaches_webhook(org_id, webhook_id) AND ((type = ''webhook.test''::text) OR wa.reaches(session_id)))')) t (relation, condition)
UNION ALL
	SELECT t, 'wa_reach', false, '*', 'wa_app, wa_gateway, wa_owner', 'wa.reaches(session_id)', NULL
	FROM unnest('{session_pairing,session_credentials,session_wanted,session_rate,chat,contact,media_fetch,message,message_action,event,webhook}'::text[]) t
UNION ALL VALUES
	('session', 'wa_not_deleted', false, '*', 'wa_app, wa_gateway, wa_owner', '(deleted_at IS NULL)', NULL),
	('session', 'wa_claim_deleted', false, 'd', 'wa_claim', '(deleted_at IS NOT NULL)', NULL),
	('media', 'wa_claim_deleted', false, 'd', 'wa_claim', '((unused_at <= now()) OR (EXISTS ( SELECT FROM (wa.media_fetch f JOIN wa.deleted_session d '
		'ON (((d.org_id = f.org_id) AND (d.id = f.session_id)))) WHERE ((f.org_id = media.org_id) AND (f.media_id = media.id)))))', NULL),
	('event', 'wa_read_auth', false, 'r', 'wa_app, wa_gateway',
		'((type !~~ ''auth.%''::text) OR wa.holds_permission(''manage''::wa.permission))', NULL)
$$;
COMMENT ON FUNCTION wa.policies() IS
	'the policies that the tables of schema wa have: for `wa.self_check()`, which reports each difference';

-- The server cannot print what uses objects of a schema that wa_owner may not use.
CREATE FUNCTION wa.stays_inside(class oid, id oid) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT NOT EXISTS (
		SELECT FROM pg_depend d CROSS JOIN LATERAL pg_identify_object(d.refclassid, d.refobjid, 0) o
		WHERE d.classid = class AND d.objid = stays_inside.id AND o.schema <> 'wa'
			AND d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass))
$$;
COMMENT ON FUNCTION wa.stays_inside(oid, oid) IS
	'for wa.self_check(): whether an object of a system catalog uses only what is in schema wa and in pg_catalog';

-- Line breaks in what the server prints are no difference.
CREATE FUNCTION wa.wrong_policies() RETURNS SETOF text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET quote_all_identifiers = off
AS $$
	WITH held AS MATERIALIZED (
		SELECT c.relname::text AS relation, p.polname::text AS name, p.polpermissive, p.polcmd::text,
			(SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r)::text END, ', ' ORDER BY pg_get_userbyid(r))
			 FROM unnest(p.polroles) r),
			CASE WHEN i.inside THEN regexp_replace(pg_get_expr(p.polqual, p.polrelid), E'\\s+', ' ', 'g') ELSE 'something else' END,
			CASE WHEN i.inside THEN regexp_replace(pg_get_expr(p.polwithcheck, p.polrelid), E'\\s+', ' ', 'g') ELSE 'something else' END
		FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
			CROSS JOIN LATERAL (SELECT wa.stays_inside(p.tableoid, p.oid) AS inside OFFSET 0) i
		WHERE c.relnamespace = 'wa'::regnamespace
	), wanted AS MATERIALIZED (
		SELECT * FROM wa.policies()
	)
	SELECT DISTINCT format('wa.%I: %I', w.relation, w.name)
	FROM ((TABLE held EXCEPT TABLE wanted) UNION ALL (TABLE wanted EXCEPT TABLE held)) w
$$;
COMMENT ON FUNCTION wa.wrong_policies() IS 'each policy of a table in schema wa that is not as `wa.policies()` has it, or is missing';
