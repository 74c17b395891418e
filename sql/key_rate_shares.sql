-- An organization whose keys fill the memory in which requests are counted takes no place from
-- others.  Each of its keys is in debt for a minute, which is longer than this takes, and so
-- many of them are more than many parts of the memory have room for.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT wa.create_org('Many keys') AS many, wa.create_org('Few keys') AS few \gset
INSERT INTO wa.api_key (org_id, name, digest, prefix, permissions, created_by, per_minute, burst)
SELECT o.org, 'shares ' || i, wa.hash_key('wa_of_many_shares_' || o.org || '_' || i), 'wa_sh', '{read}', 'test', 1, 60
FROM (VALUES (:'many'::uuid, 24000), (:'few', 200)) o (org, keys) CROSS JOIN generate_series(1, o.keys) i;
-- One request of each key, in a transaction of its own.
CREATE PROCEDURE public.ask(org uuid, keys integer, INOUT accepted integer DEFAULT 0, INOUT refused integer DEFAULT 0) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..keys LOOP
		BEGIN
			PERFORM wa.authenticate(('wa_of_many_shares_' || org || '_' || i)::wa.secret, 'read');
			accepted := accepted + 1;
		EXCEPTION WHEN configuration_limit_exceeded THEN
			refused := refused + 1;
		END;
		COMMIT;
	END LOOP;
END $$;
SET synchronous_commit = off;
CALL ask(:'many', 24000) \gset
SELECT :refused > 0 AS has_filled_its_parts;
CALL ask(:'few', 200);
-- They are counted as well.
CALL ask(:'few', 200);
SELECT wa.authenticate(('wa_of_many_shares_' || :'few' || '_1')::wa.secret) IS NOT NULL AS accepted \; SELECT wa.current_rate_left();
DROP PROCEDURE ask(uuid, integer, integer, integer);
