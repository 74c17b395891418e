-- Permissions that administrators define beside the four, for tables of one's own
-- (src/own_permissions.c).  They are of the whole installation; which keys have one is a
-- matter of each key.  People have none: a permission that they could give to a key, or must
-- not give, is one that they use through a key.

-- "already" are those that the key has: whoever may change it need not be allowed to give them.
CREATE FUNCTION wa.read_own_permissions(names text[], field text, everybody boolean, already bigint DEFAULT 0) RETURNS bigint
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	result bigint := 0;
	asked record;
	found_number smallint;
BEGIN
	IF NOT wa.is_list(names, 64) THEN
		PERFORM wa.refuse_field(field, 'must be a list of at most 64 permissions');
	END IF;
	FOR asked IN SELECT e.name, e.place FROM unnest(names) WITH ORDINALITY e (name, place) LOOP
		CONTINUE WHEN asked.name = ANY (enum_range(NULL::wa.permission)::text[]) AND everybody;
		SELECT p.number INTO found_number FROM wa.own_permission p
		WHERE p.name = asked.name AND p.dropped_at IS NULL AND (p.grantable OR NOT everybody OR (already >> p.number) & 1 = 1);
		IF NOT FOUND THEN
			PERFORM wa.refuse_element(field, asked.place, CASE WHEN everybody
				THEN 'must be one of: read, send, manage, events, or another permission that can be given here'
				ELSE 'must be the name of a permission that wa.define_permission() has defined' END);
		END IF;
		result := result | (1::bigint << found_number);
	END LOOP;
	RETURN result;
END $$;
COMMENT ON FUNCTION wa.read_own_permissions(text[], text, boolean, bigint) IS
	'for function bodies: own permissions by name as they are stored; NULL: none; `everybody`: only those that people may give, and the '
	'four among the names are not looked at; raises 22023 for others';

CREATE FUNCTION wa.define_permission(name text, description text, grantable boolean DEFAULT false) RETURNS integer
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result integer;
BEGIN
	PERFORM wa.refuse_under_key();
	IF (octet_length(name) <= 63 AND name ~ '^[a-z][a-z0-9_.-]*(:[a-z0-9][a-z0-9_.-]*)+$') IS NOT TRUE THEN
		PERFORM wa.refuse_field('name', 'must be words of a to z, 0 to 9, _, . and - with a colon between them, such as invoices:write, and have at most 63 characters');
	END IF;
	IF (char_length(description) BETWEEN 1 AND 200 AND description !~ '[[:cntrl:]]') IS NOT TRUE THEN
		PERFORM wa.refuse_field('description', 'must be 1 to 200 characters on one line');
	END IF;
	IF grantable IS NULL THEN
		PERFORM wa.refuse_field('grantable', 'must be true or false');
	END IF;
	LOCK TABLE wa.own_permission IN SHARE ROW EXCLUSIVE MODE;
	UPDATE wa.own_permission p SET description = define_permission.description, grantable = define_permission.grantable
	WHERE p.name = define_permission.name AND p.dropped_at IS NULL
	RETURNING p.number INTO result;
	IF FOUND THEN
		RETURN result;
	END IF;
	SELECT COALESCE(max(p.number) + 1, 0) INTO result FROM wa.own_permission p;
	IF result >= 60 THEN
		RAISE EXCEPTION 'at most 60 permissions can be defined, those that were dropped included'
			USING ERRCODE = 'configuration_limit_exceeded', CONSTRAINT = 'own_permissions';
	END IF;
	INSERT INTO wa.own_permission (number, name, description, grantable, defined_by)
	VALUES (result, define_permission.name, define_permission.description, define_permission.grantable, wa.actor());
	RETURN result;
END $$;
COMMENT ON FUNCTION wa.define_permission(text, text, boolean) IS
	'defines a permission of one''s own, such as `invoices:write`, for `wa.protect()`, `wa.org_for_own()` and keys; it implies no other, and no other implies it. Returns its number, which '
	'keys store. `grantable`: whether owners and admins may give it to keys of their organizations; otherwise only '
	'administrators can, by `wa.create_key()` and `wa.set_own_permissions()`. Again with the same name changes the description and who may give it. '
	'At most 60 in the life of a database. `22023` (`name`, `description`, `grantable`), `53400`';

-- The number is not given to another permission, so that no key has to be changed.
CREATE FUNCTION wa.drop_permission(name text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	needing regclass;
BEGIN
	PERFORM wa.refuse_under_key();
	SELECT t.relation INTO needing FROM wa.protected t
	WHERE drop_permission.name = ANY (ARRAY[t.read, t.insert, t.update, t.delete]) ORDER BY t.relation LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'table % needs permission "%"', needing, name
			USING ERRCODE = 'dependent_objects_still_exist', HINT = 'Call wa.protect() or wa.unprotect() for it first.';
	END IF;
	UPDATE wa.own_permission p SET dropped_at = clock_timestamp(), dropped_by = wa.actor()
	WHERE p.name = drop_permission.name AND p.dropped_at IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'permission does not exist' USING ERRCODE = 'no_data_found';
	END IF;
END $$;
COMMENT ON FUNCTION wa.drop_permission(text) IS
	'drops a permission of one''s own: no key has it any more, and what asks for it fails with `42704`. If it is defined again, '
	'keys that had it before do not have it. `P0002`, `2BP01` (a protected table needs it)';

CREATE FUNCTION wa.set_own_permissions(key wa.key_id, names text[]) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	numbers constant bigint := wa.read_own_permissions(names, 'names', false);
BEGIN
	PERFORM wa.refuse_under_key();
	IF names IS NULL THEN
		RAISE EXCEPTION 'names must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM wa.change_key(wa.lock_key(wa.org_of_key(key), key), NULL, NULL, numbers, NULL, NULL, NULL, NULL, NULL);
END $$;
COMMENT ON FUNCTION wa.set_own_permissions(wa.key_id, text[]) IS
	'gives a key these permissions of one''s own and takes others of that kind away; `{}`: all. `22023` (`names`, `permissions`), `P0002`, `55000` (revoked, expired or rotated)';

CREATE FUNCTION wa.describe_permissions() RETURNS TABLE (name text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	VALUES ('read', 'list and read sessions, chats, contacts, and messages'),
		('send', 'send messages and message actions (react, edit, revoke, forward)'),
		('manage', 'create and change sessions and webhooks'),
		('events', 'connect to the realtime WebSocket to receive events')
$$;
COMMENT ON FUNCTION wa.describe_permissions() IS 'what each of the four permissions allows, as the product''s documentation says it';
