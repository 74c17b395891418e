-- Webhooks: the operations of a key with manage.

-- All types of events.  A webhook asks for some of them, or for '*'.
CREATE FUNCTION wa.event_types() RETURNS text[]
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN '{session.status,auth.qr,auth.code,message,message.from_me,message.status,message.reaction,message.edited,message.revoked,message.media,poll.vote,presence.update,chat.update,contact.update,key.created,key.disabled,key.enabled,key.expiring,key.revoked,webhook.disabled}'::text[];
COMMENT ON FUNCTION wa.event_types() IS
	'the types of events that a webhook can ask for';

CREATE FUNCTION wa.target_problem(address inet) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_target_problem';
COMMENT ON FUNCTION wa.target_problem(inet) IS
	'what kind of address this is (loopback, private, …) if webhooks and URLs of files may not lead to it; NULL if they may. The '
	'server''s setting `wa.allowed_targets` allows more';

-- The worker, or the connector, checks what a host name resolves to when it connects.
CREATE FUNCTION wa.target_url(url text, field text DEFAULT 'url') RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_target_url';
COMMENT ON FUNCTION wa.target_url(text, text) IS
	'a URL that requests are made to, as it is kept, its host in ASCII; raises 22023 for this field if none can be made, or its host is an address that they may not lead to';

CREATE FUNCTION wa.check_event_types(types text[], field text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	IF NOT wa.is_list(types, 64) THEN
		PERFORM wa.refuse_field(field, 'must be at most 64 event types');
	END IF;
	PERFORM wa.refuse_element(field, e.place, format('is %s, but must be an event type, or *: %s',
		COALESCE(wa.quoted(e.type), 'null'), array_to_string(wa.event_types(), ', ')))
	FROM unnest(types) WITH ORDINALITY e (type, place)
	WHERE (e.type = ANY (wa.event_types() || '{*}'::text[])) IS NOT TRUE
	ORDER BY e.place LIMIT 1;
END $$;
COMMENT ON FUNCTION wa.check_event_types(text[], text) IS
	'for function bodies: raises 22023 for this field unless these are event types; NULL is not looked at';

-- For the statement that opens a socket.  An error would undo that statement.
CREATE FUNCTION wa.event_types_problem(types text[]) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN NOT wa.is_list(types, 64) THEN 'must be at most 64 event types' ELSE (
		SELECT format('has %s, but must be event types, or *: %s', COALESCE(wa.quoted(e.type), 'null'),
			array_to_string(wa.event_types(), ', '))
		FROM unnest(types) WITH ORDINALITY e (type, place)
		WHERE (e.type = ANY (wa.event_types() || '{*}'::text[])) IS NOT TRUE
		ORDER BY e.place LIMIT 1) END
$$;
COMMENT ON FUNCTION wa.event_types_problem(text[]) IS
	'what is wrong with these types of events, with the first that is none; NULL if nothing is';

-- Only the name of a header field is shown, because its value may be a secret.
CREATE FUNCTION wa.header_problem(name text, value jsonb) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE
		WHEN name !~ '^[A-Za-z0-9!#$%&''*+.^_`|~-]{1,100}$' THEN 'is no name of a header field'
		WHEN lower(name) IN ('host', 'content-length', 'content-type', 'content-encoding', 'transfer-encoding',
				'connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'upgrade', 'http2-settings',
				'te', 'trailer', 'expect')
			OR lower(name) LIKE 'x-webhook-%' OR lower(name) LIKE 'webhook-%' THEN 'is set by the delivery itself'
		WHEN jsonb_typeof(value) <> 'string' THEN 'must be a text'
		WHEN char_length(value #>> '{}') > 1000 THEN 'must be at most 1000 characters'
		WHEN value #>> '{}' !~ '^[\x20-\x7e]*$' THEN 'must be printable ASCII characters'
	END;
COMMENT ON FUNCTION wa.header_problem(text, jsonb) IS 'what is wrong with a header field for deliveries; NULL if nothing is';

CREATE FUNCTION wa.check_custom_headers(custom_headers jsonb) RETURNS void
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	IF jsonb_typeof(custom_headers) <> 'object' THEN
		PERFORM wa.refuse_field('customHeaders', 'must be an object of header fields, each a name and its text');
	END IF;
	IF (SELECT count(*) FROM jsonb_object_keys(custom_headers)) > 20 THEN
		PERFORM wa.refuse_field('customHeaders', 'must be at most 20 header fields');
	END IF;
	PERFORM wa.refuse_field('customHeaders', format('%s %s', wa.quoted(h.key), wa.header_problem(h.key, h.value)))
	FROM jsonb_each(custom_headers) h
	WHERE wa.header_problem(h.key, h.value) IS NOT NULL
	ORDER BY h.key LIMIT 1;
	PERFORM wa.refuse_field('customHeaders', format('has one field twice: %s', string_agg(wa.quoted(k), ' and ' ORDER BY k)))
	FROM jsonb_object_keys(custom_headers) k
	GROUP BY lower(k) HAVING count(*) > 1
	ORDER BY lower(k) LIMIT 1;
END $$;
COMMENT ON FUNCTION wa.check_custom_headers(jsonb) IS
	'for function bodies: raises 22023 unless these are header fields for deliveries, and says which is not';

CREATE FUNCTION wa.retry_problem(name text, value jsonb) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE
		WHEN name = 'policy' AND value NOT IN ('"exponential"', '"linear"', '"constant"')
			THEN 'must be exponential, linear or constant'
		WHEN name = 'delaySeconds' AND (value::text !~ '^[1-9][0-9]{0,3}$' OR value > '3600')
			THEN 'must be a whole number from 1 to 3600'
		WHEN name = 'attempts' AND (value::text !~ '^[1-9][0-9]?$' OR value > '50')
			THEN 'must be a whole number from 1 to 50'
		WHEN name NOT IN ('policy', 'delaySeconds', 'attempts') THEN 'is not policy, delaySeconds or attempts'
	END;
COMMENT ON FUNCTION wa.retry_problem(text, jsonb) IS 'what is wrong with a member of a retry policy; NULL if nothing is';

CREATE FUNCTION wa.check_retry_policy(retry_policy jsonb) RETURNS void
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	IF jsonb_typeof(retry_policy) <> 'object' THEN
		PERFORM wa.refuse_field('retryPolicy', 'must be an object of policy, delaySeconds, attempts');
	END IF;
	PERFORM wa.refuse_field('retryPolicy', format('%s %s', wa.quoted(p.key), wa.retry_problem(p.key, p.value)))
	FROM jsonb_each(retry_policy) p
	WHERE wa.retry_problem(p.key, p.value) IS NOT NULL
	ORDER BY p.key LIMIT 1;
END $$;
COMMENT ON FUNCTION wa.check_retry_policy(jsonb) IS
	'for function bodies: raises 22023 unless this is a retry policy, and says which member is wrong';

CREATE FUNCTION wa.check_webhook(session uuid, url text, events text[], custom_headers jsonb, retry_policy jsonb,
								 secret text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
AS $$
BEGIN
	IF session IS NOT NULL AND NOT EXISTS (
		SELECT FROM wa.session s WHERE s.org_id = wa.require_org() AND s.id = session) THEN
		PERFORM wa.refuse_field('sessionId', 'must be a session of this organization');
	END IF;
	PERFORM wa.target_url(url);
	-- An empty list would select no events.  The field "active" is for switching a webhook
	-- off.
	IF cardinality(events) = 0 THEN
		PERFORM wa.refuse_field('events', 'must name at least one event type, or *: ' || array_to_string(wa.event_types(), ', '));
	END IF;
	PERFORM wa.check_event_types(events, 'events');
	PERFORM wa.check_custom_headers(custom_headers);
	PERFORM wa.check_retry_policy(retry_policy);
	IF secret !~ E'^[\\x21-\\x7e]{16,200}$' THEN
		PERFORM wa.refuse_field('secret', 'must be 16 to 200 printable characters');
	END IF;
	-- The libraries of Standard Webhooks would refuse it.
	IF secret ~ '^whsec_' AND secret !~ '^whsec_([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==)?|[A-Za-z0-9+/]{3}=?)?$' THEN
		PERFORM wa.refuse_field('secret', 'must have base64 behind whsec_');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_webhook(uuid, text, text[], jsonb, jsonb, text) IS
	'for function bodies: raises 22023 for what is wrong with a webhook; NULL is not looked at';

-- whsec_ and 24 random bytes in base64, as Standard Webhooks writes secrets.
CREATE FUNCTION wa.make_webhook_secret() RETURNS text
	LANGUAGE sql STRICT PARALLEL SAFE
AS $$
	SELECT 'whsec_' || encode(wa.random_bytes(24), 'base64')
$$;
COMMENT ON FUNCTION wa.make_webhook_secret() IS 'a fresh secret for signatures, in the form of Standard Webhooks';

-- The rest of a URL may be a secret.
CREATE FUNCTION wa.webhook_origin(url text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN substring(url FROM '^[a-z]+://[^/?#]*');
COMMENT ON FUNCTION wa.webhook_origin(text) IS 'for function bodies: scheme, host and port of a URL as it is kept';

-- So may the value of a header field.
CREATE FUNCTION wa.webhook_settings(hook wa.webhook) RETURNS jsonb
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('url', wa.webhook_origin(hook.url), 'events', hook.events, 'sessionId', wa.typeid('sess', hook.session_id),
		'active', hook.active, 'headers', (SELECT jsonb_agg(k ORDER BY k) FROM jsonb_object_keys(hook.custom_headers) k),
		'retryPolicy', hook.retry_policy, 'retryDelaySeconds', hook.retry_delay_seconds, 'retryAttempts', hook.retry_attempts)
$$;
COMMENT ON FUNCTION wa.webhook_settings(wa.webhook) IS
	'for function bodies: the settings of a webhook, as the audit log writes them: of its URL the origin, of its header fields the names';

CREATE FUNCTION wa.note_webhook_changes(old wa.webhook, new wa.webhook) RETURNS void
	LANGUAGE sql
AS $$
	SELECT wa.note_changes(new.org_id, 'webhook.changed', new.id, wa.webhook_origin(new.url), wa.webhook_settings(old)
		- ARRAY[CASE WHEN old.url <> new.url THEN 'url' END, CASE WHEN old.custom_headers IS DISTINCT FROM new.custom_headers THEN 'headers' END],
		wa.webhook_settings(new))
$$;
COMMENT ON FUNCTION wa.note_webhook_changes(wa.webhook, wa.webhook) IS
	'for function bodies: adds a row to the audit log with the settings of a webhook that have changed, also if what has changed of them is not shown';

CREATE FUNCTION wa.create_webhook(url text, events text[] DEFAULT NULL, session uuid DEFAULT NULL,
								  custom_headers jsonb DEFAULT NULL, retry_policy jsonb DEFAULT NULL,
								  active boolean DEFAULT NULL, secret text DEFAULT NULL)
	RETURNS wa.webhook
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made wa.webhook;
BEGIN
	PERFORM wa.require_permission('manage');
	IF url IS NULL THEN
		PERFORM wa.refuse_field('url', 'is required');
	END IF;
	IF session IS NULL THEN
		PERFORM wa.refuse_restricted_to_sessions();
	END IF;
	PERFORM wa.check_webhook(session, url, events, custom_headers, retry_policy, secret);
	PERFORM wa.refuse_beyond_limit(wa.require_org(), 'webhooks');
	INSERT INTO wa.webhook (org_id, session_id, url, events, custom_headers, retry_policy, retry_delay_seconds,
							retry_attempts, active, secret)
	VALUES (wa.require_org(), session, wa.target_url(create_webhook.url), COALESCE(create_webhook.events, '{*}'),
			create_webhook.custom_headers, COALESCE(create_webhook.retry_policy ->> 'policy', 'exponential'),
			COALESCE((create_webhook.retry_policy ->> 'delaySeconds')::integer, 2),
			COALESCE((create_webhook.retry_policy ->> 'attempts')::integer, 15),
			COALESCE(create_webhook.active, true), COALESCE(create_webhook.secret, wa.make_webhook_secret()))
	RETURNING * INTO made;
	PERFORM wa.note(made.org_id, 'webhook.created', made.id, jsonb_build_object('name', wa.webhook_origin(made.url))
		|| jsonb_strip_nulls(wa.webhook_settings(made) - 'url'));
	RETURN made;
END $$;
COMMENT ON FUNCTION wa.create_webhook(text, text[], uuid, jsonb, jsonb, boolean, text) IS
	'makes a webhook. Without `events` it asks for all (`*`), without `session` for those of every session, without '
	'`retry_policy` for exponential pauses from 2 seconds, 15 attempts; without `secret` it gets a random one, '
	'`whsec_…`. The answer is the only one that shows the secret. Needs `manage`. `42501` (`sessions`: a key that is '
	'restricted to some sessions makes webhooks for one of them only), `53400` (`wa.set_org_limit()`: `webhooks`)';

CREATE FUNCTION wa.update_webhook(webhook uuid, url text DEFAULT NULL, events text[] DEFAULT NULL,
								  session uuid DEFAULT NULL, custom_headers jsonb DEFAULT NULL,
								  retry_policy jsonb DEFAULT NULL, active boolean DEFAULT NULL)
	RETURNS wa.webhook
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	no_session constant uuid := '00000000-0000-0000-0000-000000000000';
	old wa.webhook;
	changed wa.webhook;
BEGIN
	PERFORM wa.require_permission('manage');
	SELECT w.* INTO old FROM wa.webhook w
	WHERE w.org_id = wa.require_org() AND w.id = update_webhook.webhook FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'webhook does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	IF session = no_session THEN
		PERFORM wa.refuse_restricted_to_sessions();
	END IF;
	PERFORM wa.check_webhook(NULLIF(session, no_session), url, events, NULLIF(custom_headers, 'null'), retry_policy, NULL);
	UPDATE wa.webhook w
	SET url = COALESCE(wa.target_url(update_webhook.url), w.url), events = COALESCE(update_webhook.events, w.events),
		session_id = NULLIF(COALESCE(session, w.session_id), no_session),
		custom_headers = NULLIF(COALESCE(update_webhook.custom_headers, w.custom_headers), 'null'),
		retry_policy = COALESCE(update_webhook.retry_policy ->> 'policy', w.retry_policy),
		retry_delay_seconds = COALESCE((update_webhook.retry_policy ->> 'delaySeconds')::integer, w.retry_delay_seconds),
		retry_attempts = COALESCE((update_webhook.retry_policy ->> 'attempts')::integer, w.retry_attempts),
		active = COALESCE(update_webhook.active, w.active),
		-- A webhook that is set inactive is off: no deliveries are kept for it any more.
		disabled_at = CASE WHEN update_webhook.active IS NULL THEN w.disabled_at END,
		disabled_reason = CASE WHEN update_webhook.active IS NULL THEN w.disabled_reason END,
		updated_at = now()
	WHERE w.org_id = wa.require_org() AND w.id = update_webhook.webhook
	RETURNING * INTO changed;
	-- Activating a webhook resets its failures.
	IF update_webhook.active AND NOT old.active THEN
		UPDATE wa.webhook_lane l SET failures = 0, failing_since = NULL, due_at = '-infinity'
		WHERE l.org_id = wa.require_org() AND l.webhook_id = update_webhook.webhook;
		PERFORM wa.wake(wa.require_org());
	END IF;
	PERFORM wa.note_webhook_changes(old, changed);
	-- Nobody may read these two columns.
	changed.secret := NULL;
	changed.previous_secret := NULL;
	RETURN changed;
END $$;
COMMENT ON FUNCTION wa.update_webhook(uuid, text, text[], uuid, jsonb, jsonb, boolean) IS
	'changes what of a webhook is given, NULL leaves it as it is. A `session` of all zeros takes the webhook''s '
	'session away, `null` as `custom_headers` its header fields. Needs `manage`';

CREATE FUNCTION wa.rotate_webhook_secret(webhook uuid, secret text DEFAULT NULL, overlap_seconds integer DEFAULT NULL)
	RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	overlap constant integer := COALESCE(overlap_seconds, 86400);
	changed wa.webhook;
BEGIN
	PERFORM wa.require_permission('manage');
	PERFORM wa.check_webhook(NULL, NULL, NULL, NULL, NULL, secret);
	IF overlap NOT BETWEEN 0 AND 604800 THEN
		PERFORM wa.refuse_field('overlapSeconds', 'must be between 0 and 604800');
	END IF;
	UPDATE wa.webhook w
	SET secret = COALESCE(rotate_webhook_secret.secret, wa.make_webhook_secret()), updated_at = now(),
		previous_secret = CASE WHEN overlap > 0 THEN w.secret END,
		previous_secret_until = CASE WHEN overlap > 0 THEN clock_timestamp() + overlap * interval '1 second' END
	WHERE w.org_id = wa.require_org() AND w.id = rotate_webhook_secret.webhook
	RETURNING * INTO changed;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'webhook does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.note(changed.org_id, 'webhook.secret_rotated', webhook,
		jsonb_build_object('name', wa.webhook_origin(changed.url), 'overlapSeconds', overlap));
	RETURN changed.secret;
END $$;
COMMENT ON FUNCTION wa.rotate_webhook_secret(uuid, text, integer) IS
	'gives a webhook a new secret, a random one if none is given, and returns it; for the overlap (a day; 0 to 7 days) deliveries are signed with the old one too; needs manage';

CREATE FUNCTION wa.delete_webhook(webhook uuid) RETURNS void
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old wa.webhook;
BEGIN
	PERFORM wa.require_permission('manage');
	DELETE FROM wa.webhook w WHERE w.org_id = wa.require_org() AND w.id = delete_webhook.webhook RETURNING * INTO old;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'webhook does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.note(old.org_id, 'webhook.deleted', webhook, jsonb_build_object('name', wa.webhook_origin(old.url)));
END $$;
COMMENT ON FUNCTION wa.delete_webhook(uuid) IS
	'deletes a webhook. Needs `manage`';
