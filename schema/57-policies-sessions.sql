-- The sessions that an API key is restricted to, by a list or as a test key.  One policy on
-- each table whose rows belong to sessions keeps everybody who acts with the key from the rows
-- of other sessions, and so do function bodies, which run as wa_owner.  Other credentials reach all sessions
-- (src/reach.c).

DO $$
DECLARE
	relation text;
	column_name text;
BEGIN
	FOR relation, column_name IN VALUES
		('deleted_session', 'id'), ('session_pairing', 'session_id'), ('session_credentials', 'session_id'),
		('session_wanted', 'session_id'), ('session_rate', 'session_id'), ('chat', 'session_id'),
		('contact', 'session_id'), ('media_fetch', 'session_id'), ('message', 'session_id'), ('message_action', 'session_id'),
		-- What belongs to no session is out of reach.
		('event', 'session_id'), ('webhook', 'session_id')
	LOOP
		EXECUTE pg_catalog.format('CREATE POLICY wa_reach ON wa.%I AS RESTRICTIVE TO wa_gateway, wa_app, wa_owner USING (wa.reaches(%I))',
			relation, column_name);
	END LOOP;
END $$;

-- wa.reaches() would look for the row of a new session before it is there.
CREATE POLICY wa_reach ON wa.session AS RESTRICTIVE TO wa_gateway, wa_app, wa_owner USING (wa.reaches_session(id, connector));

-- A delivery belongs to its webhook, and one that is no test also to the session of its event:
-- the webhook may have been for another session, or for all of them, when it was made.
CREATE POLICY wa_reach ON wa.webhook_lane AS RESTRICTIVE TO wa_gateway, wa_app, wa_owner
	USING (wa.reaches_webhook(org_id, webhook_id));
CREATE POLICY wa_reach ON wa.delivery AS RESTRICTIVE TO wa_gateway, wa_app, wa_owner
	USING (wa.reaches_webhook(org_id, webhook_id) AND (type = 'webhook.test' OR wa.reaches(session_id)));

-- A file belongs to no session.  A restricted key reaches the files that it has uploaded, and
-- those that the messages of its sessions carry: it sees no other message here.
CREATE POLICY wa_reach ON wa.media AS RESTRICTIVE TO wa_gateway, wa_app, wa_owner
	USING (wa.reaches(NULL) OR key_id = wa.current_key()
		OR EXISTS (SELECT FROM wa.message m WHERE m.org_id = media.org_id AND m.media_id = media.id));
