-- Everything belongs to wa_owner, which is no superuser and to which row security applies
-- because it is forced.  The claim functions belong to wa_claim.  One function stays the
-- property of the superuser who runs this script: an event trigger runs it within everybody's
-- commands, also within a superuser's, so whoever could replace it could become a superuser.
DO $$
DECLARE
	object record;
BEGIN
	FOR object IN
		SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name
		FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind IN ('r', 'v')
	UNION ALL
		SELECT 'FUNCTION', p.oid::regprocedure::text FROM pg_catalog.pg_proc p
		WHERE p.pronamespace = 'wa'::regnamespace AND p.proname <> 'close_children'
	UNION ALL
		SELECT 'TYPE', t.oid::regtype::text FROM pg_catalog.pg_type t
		WHERE t.typnamespace = 'wa'::regnamespace AND t.typtype IN ('b', 'e') AND t.typelem = 0
	UNION ALL
		SELECT 'TYPE', c.oid::regclass::text FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'wa'::regnamespace AND c.relkind = 'c'
	LOOP
		EXECUTE pg_catalog.format('ALTER %s %s OWNER TO wa_owner', object.kind, object.name);
	END LOOP;
END $$;
ALTER SCHEMA wa OWNER TO wa_owner;

-- Every function that is not in C finds names and operators in pg_catalog only, however it is
-- called.  A function with its owner's rights also has the setting in its own definition,
-- because readers look for it there.  The others need it because superusers, and users who
-- fire a trigger, may call them with other search paths.
DO $$
DECLARE
	function text;
BEGIN
	FOR function IN
		SELECT p.oid::regprocedure::text FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
		WHERE p.pronamespace = 'wa'::regnamespace AND l.lanname <> 'c'
	LOOP
		EXECUTE pg_catalog.format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', function);
	END LOOP;
END $$;

ALTER FUNCTION wa.connector_sessions(text, text, integer, interval) OWNER TO wa_claim;
ALTER FUNCTION wa.connector_credentials(text, text, uuid[]) OWNER TO wa_claim;
ALTER FUNCTION wa.connector_receivers(text, text[], text) OWNER TO wa_claim;
ALTER FUNCTION wa.count_sealed(uuid) OWNER TO wa_claim;
ALTER FUNCTION wa.give_up_number() OWNER TO wa_claim;
ALTER FUNCTION wa.take_number(uuid, uuid) OWNER TO wa_claim;
ALTER FUNCTION wa.connector_release(text) OWNER TO wa_claim;
ALTER FUNCTION wa.connector_claim(text, text, integer, interval) OWNER TO wa_claim;
ALTER FUNCTION wa.connector_actions(text, text, integer, interval) OWNER TO wa_claim;
ALTER FUNCTION wa.connector_media(text, text, integer, interval) OWNER TO wa_claim;
ALTER FUNCTION wa.claim_webhooks(text, integer, interval) OWNER TO wa_claim;
ALTER FUNCTION wa.wait_for_deliveries(text, bigint, integer) OWNER TO wa_claim;
ALTER FUNCTION wa.delivery_stats() OWNER TO wa_claim;
ALTER FUNCTION wa.hide_session(uuid, uuid) OWNER TO wa_claim;
ALTER FUNCTION wa.sweep_deleted_sessions(uuid, integer) OWNER TO wa_claim;
ALTER FUNCTION wa.sweep_read_chats(uuid, integer) OWNER TO wa_claim;
ALTER FUNCTION wa.sweep_unsent(uuid, integer) OWNER TO wa_claim;
ALTER FUNCTION wa.sweep_media(uuid, integer) OWNER TO wa_claim;
ALTER FUNCTION wa.note_unused_media() OWNER TO wa_claim;
ALTER FUNCTION wa.event_rows(uuid) OWNER TO wa_claim;
ALTER FUNCTION wa.count_sessions(uuid, integer) OWNER TO wa_claim;
ALTER FUNCTION wa.count_webhooks(uuid, integer) OWNER TO wa_claim;
ALTER FUNCTION wa.count_media() OWNER TO wa_claim;
ALTER FUNCTION wa.count_media_bytes(uuid) OWNER TO wa_claim;
ALTER FUNCTION wa.count_received_bytes(uuid) OWNER TO wa_claim;
ALTER FUNCTION wa.refuse_removed(uuid, bytea, timestamptz) OWNER TO wa_claim;
ALTER FUNCTION wa.claim_unused_bytes(uuid, integer) OWNER TO wa_claim;
ALTER FUNCTION wa.end_removals(jsonb) OWNER TO wa_claim;
ALTER FUNCTION wa.claim_unknown_bytes(jsonb, boolean) OWNER TO wa_claim;
ALTER FUNCTION wa.stored_bytes_behind(uuid, bytea, integer) OWNER TO wa_claim;
ALTER FUNCTION wa.count_tests(uuid, integer) OWNER TO wa_claim;
ALTER FUNCTION wa.stray_session(uuid, uuid[], boolean) OWNER TO wa_claim;
