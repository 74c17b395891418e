-- The schema, and what must be true before anything is created.  The Makefile joins the files
-- of schema/, and scripts/extension-script puts the pinned search path in front of them.

DO $$
DECLARE
	owner name;
BEGIN
	-- The owner of a database can set it, and it applies to the text of this script.
	IF pg_catalog.current_setting('standard_conforming_strings') <> 'on' THEN
		RAISE EXCEPTION 'wa_apikeys cannot be installed with standard_conforming_strings off'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SET standard_conforming_strings = on.';
	END IF;
	-- Names are compared by Unicode's rules, and events and request bodies are sent in UTF-8.
	IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
		RAISE EXCEPTION 'wa_apikeys cannot be installed in a database with the encoding %', pg_catalog.getdatabaseencoding()
			USING ERRCODE = 'feature_not_supported',
			HINT = 'CREATE DATABASE … ENCODING ''UTF8'' TEMPLATE template0.';
	END IF;
	-- The owner of the extension plpgsql can drop it, and with CASCADE every function that is
	-- written in it.
	SELECT r.rolname INTO owner
	FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_roles r ON r.oid = e.extowner
	WHERE e.extname = 'plpgsql' AND NOT r.rolsuper;
	IF FOUND THEN
		RAISE EXCEPTION 'extension plpgsql belongs to role "%", who could drop it and what depends on it', owner
			USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'Drop it and make it again as a superuser.';
	END IF;
END $$;

CREATE SCHEMA wa;
COMMENT ON SCHEMA wa IS
	'API keys, permissions and row-level security that PostgreSQL itself enforces (extension wa_apikeys)';

-- The extension's release.  The gateway compares it with the release that it was built for.
-- The body is stored parsed, so that a sealed role can call it.
CREATE FUNCTION wa.version() RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN '1.0'::text;
COMMENT ON FUNCTION wa.version() IS 'release of the extension''s SQL objects';

CREATE FUNCTION wa.preloaded() RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_preloaded';
COMMENT ON FUNCTION wa.preloaded() IS
	'whether the library was loaded by `shared_preload_libraries`, so that the seal is in force';

CREATE FUNCTION wa.minimum_release() RETURNS integer
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_minimum_release';
COMMENT ON FUNCTION wa.minimum_release() IS
	'the oldest `server_version_num` that the library runs in';
