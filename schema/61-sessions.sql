-- Sessions: what a key with manage does.

CREATE FUNCTION wa.create_session(label text DEFAULT NULL, start boolean DEFAULT NULL, auto_read boolean DEFAULT NULL,
								  presence_typing boolean DEFAULT NULL, connector text DEFAULT NULL)
	RETURNS wa.session
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made wa.session;
BEGIN
	PERFORM wa.require_permission('manage');
	IF NOT wa.is_name(btrim(label)) THEN
		PERFORM wa.refuse_field('label', 'must be 1 to 100 characters');
	END IF;
	IF connector !~ '^[a-z][a-z0-9_-]{0,30}$' THEN
		PERFORM wa.refuse_field('connector', 'must be the name of a connector');
	END IF;
	INSERT INTO wa.session (org_id, label, status, auto_read, presence_typing, connector)
	VALUES (wa.require_org(), btrim(create_session.label),
			CASE WHEN COALESCE(start, true) THEN 'starting' ELSE 'stopped' END,
			COALESCE(create_session.auto_read, false), COALESCE(create_session.presence_typing, false),
			COALESCE(create_session.connector, 'sandbox'))
	RETURNING * INTO made;
	RETURN made;
END $$;
REVOKE ALL ON FUNCTION wa.create_session(text, boolean, boolean, boolean, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wa.create_session(text, boolean, boolean, boolean, text) TO wa_gateway, wa_app;
COMMENT ON FUNCTION wa.create_session(text, boolean, boolean, boolean, text) IS
	'makes a session and, unless start is false, lets a connector start it; needs manage';
