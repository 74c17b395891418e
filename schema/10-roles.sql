-- Roles.  They belong to the cluster, not to a database: a second database, or
-- a restored dump, finds them there.  DROP EXTENSION leaves them.
--
--	wa_owner      owns everything and runs the function bodies, under row security
--	wa_claim      runs the claim functions, which alone look across organizations
--	wa_gateway    the HTTP gateway's login       (sealed)
--	wa_worker     the worker's login             (sealed)
--	wa_connector  the connectors' logins         (sealed)
--	wa_app        applications that send their own SQL under a key
--	wa_admin      people who make organizations and keys in psql
--	wa_monitor    monitoring
DO $$
DECLARE
	role_name text;
	unsafe boolean;
BEGIN
	FOREACH role_name IN ARRAY ARRAY['wa_owner', 'wa_claim', 'wa_gateway', 'wa_worker',
									 'wa_connector', 'wa_app', 'wa_admin', 'wa_monitor']
	LOOP
		SELECT r.rolsuper OR r.rolbypassrls OR r.rolcanlogin OR r.rolcreaterole OR r.rolreplication
		INTO unsafe
		FROM pg_catalog.pg_roles r
		WHERE r.rolname = role_name;
		IF NOT FOUND THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION', role_name);
		ELSIF unsafe THEN
			RAISE EXCEPTION 'role "%" exists and has attributes that wa_apikeys cannot accept', role_name
				USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'It must be NOLOGIN, NOSUPERUSER, NOBYPASSRLS, NOCREATEROLE and NOREPLICATION.';
		END IF;
	END LOOP;
END $$;
