-- Members of organizations.  Owners and admins manage them with their user token,
-- administrators do so in psql.

CREATE FUNCTION wa.check_role(role text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	IF role IS NULL OR role NOT IN ('owner', 'admin', 'member') THEN
		PERFORM wa.refuse_field('role', 'must be owner, admin or member');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_role(text) IS 'for function bodies: raises 22023 for what is no role';

-- Only one transaction at a time invites to an organization.  A caller that has waited here
-- checks its right again, because it may have lost it meanwhile.  Nothing that takes a right
-- away waits here.  Otherwise a person could keep a right by inviting all the time.  Nor does
-- the acceptance of an invitation: the invited person is no member yet, and would keep the
-- members from inviting.
CREATE FUNCTION wa.lock_members(org uuid) RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM FROM wa.org o WHERE o.id = org FOR NO KEY UPDATE;
END $$;
COMMENT ON FUNCTION wa.lock_members(uuid) IS
	'for function bodies: keeps everybody else from inviting to an organization';

-- A person whose membership or role is just being taken away waits here until that is
-- decided.  The lock ends with the subtransaction, so that it never blocks the next change
-- that takes the right away.
CREATE FUNCTION wa.await_role() RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM FROM wa.member m WHERE m.org_id = wa.current_org() AND m.user_id = wa.current_user_id() FOR SHARE;
	RAISE EXCEPTION USING ERRCODE = 'WA002';
EXCEPTION WHEN SQLSTATE 'WA002' THEN
	NULL;
END $$;
COMMENT ON FUNCTION wa.await_role() IS
	'for function bodies: waits for whoever is changing the acting person''s membership, and locks nothing';

-- A change that gives something waits.  So does a change of an owner, because it must be
-- known who else is an owner.
CREATE FUNCTION wa.waits_for_member(role text, new_role text) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT COALESCE(role = 'owner' OR new_role IN ('owner', 'admin'), false) OR role IS NULL AND new_role IS NOT NULL
$$;
COMMENT ON FUNCTION wa.waits_for_member(text, text) IS
	'for function bodies: whether a change from one role to another (NULL: no member) waits for whoever has the membership locked';

-- A person's role in an organization, and whether the organization could do without this
-- person.  An owner whose account is disabled does not count as the remaining one.  A change
-- of an owner locks all owners.  So if the last two go at once, one of them stays.  Only
-- owners can do this.  For everybody else only their own membership is locked.  A change that
-- takes something away does not wait for that lock if somebody else holds it.
CREATE FUNCTION wa.lock_member(org uuid, person uuid, new_role text,
							   OUT role text, OUT is_last_owner boolean, OUT is_locked boolean, OUT ends uuid[])
	LANGUAGE plpgsql
AS $$
DECLARE
	others bigint;
BEGIN
	SELECT m.role INTO role FROM wa.live_member m WHERE m.org_id = org AND m.user_id = person;
	LOOP
		IF role = 'owner' THEN
			-- The counted rows are locked too.  A transaction with an older snapshot thereby
			-- notices that they have changed.
			SELECT count(*) FILTER (WHERE owners.user_id <> person AND wa.ended_at(org, owners.user_id, 'member') IS NULL
				AND wa.ended_at(org, owners.user_id, 'rank') IS NULL) INTO others
			FROM (SELECT m.user_id FROM wa.member m JOIN wa.app_user u ON u.id = m.user_id AND u.disabled_at IS NULL
				  WHERE m.org_id = org AND m.role = 'owner'
				  ORDER BY m.user_id FOR NO KEY UPDATE OF m) owners;
		END IF;
		PERFORM FROM wa.member m WHERE m.org_id = org AND m.user_id = person FOR NO KEY UPDATE SKIP LOCKED;
		is_locked := FOUND;
		IF NOT is_locked AND wa.waits_for_member(role, new_role) THEN
			PERFORM FROM wa.member m WHERE m.org_id = org AND m.user_id = person FOR NO KEY UPDATE;
			is_locked := FOUND;
		END IF;
		-- One statement: an end that comes later is not among those that the change takes back.
		SELECT (SELECT m.role FROM wa.live_member m WHERE m.org_id = org AND m.user_id = person), ARRAY(
			SELECT e.id FROM wa.ended e WHERE e.org_id = org AND e.subject = person AND e.kind IN ('member', 'rank'))
		INTO role, ends;
		-- If this person has just been made an owner, the owners are counted after all.
		EXIT WHEN role IS DISTINCT FROM 'owner' OR others IS NOT NULL;
	END LOOP;
	is_last_owner := COALESCE(role = 'owner', false) AND others = 0;
END $$;
COMMENT ON FUNCTION wa.lock_member(uuid, uuid, text) IS
	'for function bodies: a member''s role, NULL for who is none, whether nobody else is an owner, whether the member could be locked for the new role, which is waited for unless that takes something away, and the rows of wa.ended about the membership; of an owner all owners are locked';

-- If the membership was ended while somebody had its row locked, it begins anew.
CREATE FUNCTION wa.write_member(org uuid, person uuid, old_role text, new_role text, is_locked boolean, ends uuid[])
	RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	IF old_role IS NOT NULL AND NOT is_locked THEN
		PERFORM wa.mark_ended(org, person, CASE WHEN new_role IS NULL THEN 'member' ELSE 'rank' END);
		RETURN;
	END IF;
	DELETE FROM wa.ended e WHERE e.org_id = org AND e.id = ANY (ends);
	IF new_role IS NULL THEN
		-- Tokens are worthless without the membership.  They are deleted when they expire.
		DELETE FROM wa.member m WHERE m.org_id = org AND m.user_id = person;
	ELSIF is_locked THEN
		UPDATE wa.member m
		SET role = new_role, created_at = CASE WHEN old_role IS NULL THEN clock_timestamp() ELSE m.created_at END
		WHERE m.org_id = org AND m.user_id = person;
	END IF;
END $$;
COMMENT ON FUNCTION wa.write_member(uuid, uuid, text, text, boolean, uuid[]) IS
	'for function bodies: changes a membership, for wa.change_member()';

-- Whoever makes an owner may do it at the moment at which somebody else removes that person.
-- The end then counts, and the owner would be none.  So this transaction asks once more at its
-- commit.
CREATE FUNCTION wa.check_owner_at_commit(org uuid, person uuid) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_check_owner_at_commit';
COMMENT ON FUNCTION wa.check_owner_at_commit(uuid, uuid) IS
	'for function bodies: refuses the commit of this transaction if the membership of a new owner has ended by then';

-- All changes of memberships are made by this function.  NULL as the new role removes the
-- member.
CREATE FUNCTION wa.change_member(org uuid, person uuid, new_role text) RETURNS boolean
	LANGUAGE plpgsql
AS $$
DECLARE
	old constant record := wa.lock_member(org, person, new_role);
BEGIN
	-- The transaction that has the row locked may be about to give the person more.
	IF old.role IS NOT DISTINCT FROM new_role AND (old.is_locked OR new_role IS NULL) THEN
		RETURN false;
	END IF;
	IF old.is_last_owner THEN
		RAISE EXCEPTION 'the last owner of an organization cannot leave it or take another role'
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	IF old.role IS NULL AND NOT old.is_locked THEN
		PERFORM wa.refuse_beyond_limit(org, 'members');
		INSERT INTO wa.member (org_id, user_id, role) VALUES (org, person, new_role) ON CONFLICT DO NOTHING;
		-- Somebody else has just added the person, with some role.
		IF NOT FOUND THEN
			RETURN wa.change_member(org, person, new_role);
		END IF;
	END IF;
	-- The audit entry is written before the change: somebody who removes themselves has no
	-- rights afterwards.
	PERFORM wa.note(org, CASE WHEN old.role IS NULL THEN 'member.added' WHEN new_role IS NULL THEN 'member.removed'
						 ELSE 'member.changed' END, person,
					jsonb_strip_nulls(jsonb_build_object('role', new_role, 'was', old.role,
						'name', wa.name_of(org, wa.typeid('usr', person)))));
	-- Invitations that a person has made must not outlive the person's right to make them,
	-- and must not become valid again with it.
	IF new_role IS DISTINCT FROM 'owner' OR old.role IS DISTINCT FROM 'admin' THEN
		PERFORM wa.withdraw_invitations_by(person, org);
	END IF;
	PERFORM wa.write_member(org, person, old.role, new_role, old.is_locked, old.ends);
	IF new_role = 'owner' THEN
		PERFORM wa.check_owner_at_commit(org, person);
	END IF;
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.change_member(uuid, uuid, text) IS
	'for function bodies: adds, changes or, with NULL as the role, removes a member; false if nothing changed; raises 55000 for the last owner';

CREATE FUNCTION wa.add_member(org wa.org_id, person wa.user_id, role text) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_bound();
	PERFORM wa.check_role(role);
	PERFORM wa.refuse_unknown_org(org);
	IF NOT EXISTS (SELECT FROM wa.app_user u WHERE u.id = person) THEN
		RAISE EXCEPTION 'person does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN wa.change_member(org, person, role);
END $$;
COMMENT ON FUNCTION wa.add_member(wa.org_id, wa.user_id, text) IS
	'makes a person a member of an organization, or gives a member another role (`owner`, `admin`, `member`); false '
	'if nothing changed. `P0002`, `22023` (`role`), `55000`: the last owner; `53400` (`wa.set_org_limit()`: `members`)';

CREATE FUNCTION wa.remove_member(org wa.org_id, person wa.user_id) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF org IS NULL OR person IS NULL THEN
		RAISE EXCEPTION 'organization and person must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM wa.refuse_bound();
	RETURN wa.change_member(org, person, NULL);
END $$;
COMMENT ON FUNCTION wa.remove_member(wa.org_id, wa.user_id) IS
	'removes a person from an organization, with effect right away; false if they were no member. `55000`: the last '
	'owner';

-- The acting person.
CREATE FUNCTION wa.require_person() RETURNS uuid
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
DECLARE
	org constant uuid := wa.require_org();
BEGIN
	IF wa.current_user_id() IS NULL OR wa.is_socket() THEN
		RAISE EXCEPTION 'an API key cannot manage people'
			USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'person';
	END IF;
	RETURN org;
END $$;
COMMENT ON FUNCTION wa.require_person() IS
	'for function bodies: the organization that a person acts in; raises 42501, with "person" in the constraint-name field, for an API key';

CREATE FUNCTION wa.require_member_manager() RETURNS uuid
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
DECLARE
	org constant uuid := wa.require_person();
BEGIN
	PERFORM wa.require_permission('manage');
	IF COALESCE(wa.member_role() NOT IN ('owner', 'admin'), true) THEN
		RAISE EXCEPTION 'only owners and admins manage members'
			USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'manage';
	END IF;
	RETURN org;
END $$;
COMMENT ON FUNCTION wa.require_member_manager() IS
	'for function bodies: the organization of a person who may manage its members; raises 42501 for everybody else';

-- Only an owner can make somebody an owner, or change one.
CREATE FUNCTION wa.require_rank(role text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
AS $$
BEGIN
	IF role = 'owner' AND wa.member_role() IS DISTINCT FROM 'owner' THEN
		RAISE EXCEPTION 'only an owner can do this'
			USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'owner';
	END IF;
END $$;
COMMENT ON FUNCTION wa.require_rank(text) IS
	'for function bodies: raises 42501, with "owner" in the constraint-name field, if this role is above the acting person''s';

CREATE FUNCTION wa.list_members(after uuid DEFAULT NULL, max integer DEFAULT 200)
	RETURNS TABLE (user_id uuid, email text, name text, role text, created_at timestamptz, disabled boolean)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
BEGIN
	RETURN QUERY
	SELECT m.user_id, u.email, u.name, m.role, m.created_at, u.disabled_at IS NOT NULL
	FROM wa.live_member m JOIN wa.app_user u ON u.id = m.user_id
	WHERE m.org_id = org AND m.user_id > CASE WHEN list_members.after IS NULL
			THEN '00000000-0000-0000-0000-000000000000' ELSE list_members.after END
	ORDER BY m.user_id
	LIMIT list_members.max;
END $$;
COMMENT ON FUNCTION wa.list_members(uuid, integer) IS
	'the members of the active organization, oldest account first, from behind this person, for a person who manages them';

CREATE FUNCTION wa.search_members(wanted text, after uuid DEFAULT NULL, max integer DEFAULT 50, OUT user_id uuid, OUT place uuid)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER ROWS 50
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
	org constant uuid := wa.require_member_manager();
	form constant text := wa.search_wanted(wanted);
	looked integer := 0;
	found_rows integer := 0;
	person record;
BEGIN
	FOR person IN
		-- LIMIT 1: accounts are looked up by their members, never the other way round.
		SELECT m.user_id, u.name, u.email FROM (
			SELECT l.user_id FROM wa.live_member l
			WHERE l.org_id = org AND l.user_id > CASE WHEN after IS NULL THEN '00000000-0000-0000-0000-000000000000' ELSE after END
			ORDER BY l.user_id
			LIMIT wa.search_rows()) m, LATERAL (SELECT a.name, a.email FROM wa.app_user a WHERE a.id = m.user_id LIMIT 1) u
		ORDER BY m.user_id
	LOOP
		looked := looked + 1;
		place := person.user_id;
		IF strpos(wa.search_form(person.name), form) > 0 OR strpos(wa.search_form(person.email), form) > 0 THEN
			found_rows := found_rows + 1;
			user_id := person.user_id;
			RETURN NEXT;
		END IF;
		EXIT WHEN looked >= wa.search_rows() OR found_rows >= max;
	END LOOP;
	IF looked >= wa.search_rows() AND found_rows < max THEN
		user_id := NULL;
		RETURN NEXT;
	END IF;
END $$;
COMMENT ON FUNCTION wa.search_members(text, uuid, integer) IS
	'the members of the active organization whose name or email contains this text, in any case and with or without accents, oldest account '
	'first, from behind this person, for a person who manages them. Looks at `wa.search_rows()` at most: a last row without a person is the '
	'place to go on behind where there may be more. `22023` (`q`)';

-- Not STABLE, so that it sees what the calling statement has just changed.
CREATE FUNCTION wa.show_member(person uuid)
	RETURNS TABLE (user_id uuid, email text, name text, role text, created_at timestamptz, disabled boolean)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
BEGIN
	RETURN QUERY
	SELECT m.user_id, u.email, u.name, m.role, m.created_at, u.disabled_at IS NOT NULL
	FROM wa.live_member m JOIN wa.app_user u ON u.id = m.user_id
	WHERE m.org_id = org AND m.user_id = person;
END $$;
COMMENT ON FUNCTION wa.show_member(uuid) IS
	'one member as `wa.list_members()` lists it, or no row, for a person who manages them';

CREATE FUNCTION wa.set_member_role(person uuid, role text) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_member_manager();
	old record;
BEGIN
	PERFORM wa.check_role(role);
	PERFORM wa.require_rank(m.role) FROM wa.live_member m WHERE m.org_id = org AND m.user_id = person;
	old := wa.lock_member(org, person, role);
	PERFORM wa.require_member_manager();
	IF old.role IS NULL THEN
		RAISE EXCEPTION 'member does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.require_rank(old.role);
	PERFORM wa.require_rank(role);
	RETURN wa.change_member(org, person, role);
END $$;
COMMENT ON FUNCTION wa.set_member_role(uuid, text) IS
	'gives a member of the active organization another role, with effect right away; an admin can neither make nor '
	'change an owner; false if nothing changed. `P0002`, `22023` (`role`), `55000`: the last owner';

CREATE FUNCTION wa.remove_member(person uuid) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_person();
	old record;
BEGIN
	-- Every member may leave.
	IF person IS DISTINCT FROM wa.current_user_id() THEN
		PERFORM wa.require_member_manager();
	END IF;
	PERFORM wa.require_rank(m.role) FROM wa.live_member m WHERE m.org_id = org AND m.user_id = person;
	old := wa.lock_member(org, person, NULL);
	IF person IS DISTINCT FROM wa.current_user_id() THEN
		PERFORM wa.require_member_manager();
	END IF;
	IF old.role IS NULL THEN
		RAISE EXCEPTION 'member does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.require_rank(old.role);
	RETURN wa.change_member(org, person, NULL);
END $$;
COMMENT ON FUNCTION wa.remove_member(uuid) IS
	'removes a member from the active organization, with effect right away; an admin cannot remove an owner. '
	'Everybody may leave; that needs no `manage`. `P0002`, `55000`: the last owner';

CREATE VIEW wa.people WITH (security_invoker = true, security_barrier = true) AS
	SELECT u.id, wa.typeid('usr', u.id) AS person, u.email, u.name, m.org_id, o.name AS org, m.role,
		m.created_at AS member_since, u.created_at, u.disabled_at
	FROM wa.app_user u LEFT JOIN wa.live_member m ON m.user_id = u.id LEFT JOIN wa.org o ON o.id = m.org_id;
COMMENT ON VIEW wa.people IS
	'view: accounts and their memberships for administrators, without password hashes; with the rights of whoever '
	'reads it';
COMMENT ON COLUMN wa.people.id IS 'what the administration functions take';
COMMENT ON COLUMN wa.people.person IS 'the same as people see it: `usr_…`; the administration functions take this one, too';
COMMENT ON COLUMN wa.people.email IS 'what the person signs in with';
COMMENT ON COLUMN wa.people.name IS 'what others call them';
COMMENT ON COLUMN wa.people.org_id IS 'an organization that they are a member of; NULL: of none';
COMMENT ON COLUMN wa.people.org IS 'its name';
COMMENT ON COLUMN wa.people.role IS 'what they are in it';
COMMENT ON COLUMN wa.people.member_since IS 'since when';
COMMENT ON COLUMN wa.people.created_at IS 'when the account was made';
COMMENT ON COLUMN wa.people.disabled_at IS 'since when they can''t sign in; NULL: they can';
