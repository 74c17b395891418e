-- People and the organizations that they are members of: accounts, which
-- administrators make in psql or invitations make; members and invitations,
-- which owners and admins manage under their user token.

-- ---------------------------------------------------------------------
-- Accounts
-- ---------------------------------------------------------------------

-- Some functions are for nobody in particular: what they do must not depend on
-- whom the transaction happens to act for.
CREATE FUNCTION wa.refuse_bound() RETURNS void
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF wa.current_org() IS NOT NULL THEN
		RAISE EXCEPTION 'this cannot be done in a transaction that acts with a credential'
			USING ERRCODE = 'insufficient_privilege';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_bound() IS
	'for function bodies: raises 42501 in a transaction that acts for an organization';

CREATE FUNCTION wa.check_new_password(password wa.password, email text, field text) RETURNS void
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF COALESCE(wa.password_length(password) < 10, true) THEN
		PERFORM wa.refuse_field(field, 'must have at least 10 characters');
	END IF;
	IF wa.password_key(password) IN (wa.password_key(email::wa.password),
									 wa.password_key(lower(email)::wa.password)) THEN
		PERFORM wa.refuse_field(field, 'must not be the email address');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_new_password(wa.password, text, text) IS
	'for function bodies: raises 22023 for what cannot become a password';

-- The one place where email addresses come in.
CREATE FUNCTION wa.read_email(email text) RETURNS text
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	clean constant text := wa.clean_email(email);
BEGIN
	IF NOT COALESCE(wa.is_email(clean), false) THEN
		PERFORM wa.refuse_field('email', 'must be an email address');
	END IF;
	RETURN clean;
END $$;
COMMENT ON FUNCTION wa.read_email(text) IS 'for function bodies: an email address as it is stored; raises 22023 if it cannot be one';

-- The one place where accounts are made.
CREATE FUNCTION wa.insert_user(email text, name text, password wa.password) RETURNS uuid
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	person uuid;
	clean_email constant text := wa.read_email(email);
	clean_name constant text := wa.read_name(name);
BEGIN
	PERFORM wa.check_new_password(password, clean_email, 'password');
	BEGIN
		INSERT INTO wa.app_user (email, name, password_hash)
		VALUES (clean_email, clean_name, wa.hash_password(password))
		RETURNING id INTO person;
	EXCEPTION WHEN unique_violation THEN
		RAISE EXCEPTION 'this email address has an account already'
			USING ERRCODE = 'unique_violation', CONSTRAINT = 'app_user_email';
	END;
	RETURN person;
END $$;
COMMENT ON FUNCTION wa.insert_user(text, text, wa.password) IS 'for function bodies: checks and stores an account';

-- 120 random bits, to be typed once and then changed.
CREATE FUNCTION wa.make_password() RETURNS text
	LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT translate(encode(wa.random_bytes(15), 'base64'), '+/', '-_') $$;
COMMENT ON FUNCTION wa.make_password() IS 'for function bodies: a random password of 20 characters';

CREATE FUNCTION wa.create_user(email text, name text, password wa.password DEFAULT NULL,
							   OUT id uuid, OUT initial_password text)
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_bound();
	IF password IS NULL THEN
		initial_password := wa.make_password();
		password := initial_password::wa.password;
	END IF;
	id := wa.insert_user(email, name, password);
END $$;
COMMENT ON FUNCTION wa.create_user(text, text, wa.password) IS
	'makes an account; without a password one is made up, and the answer is the only place where it ever appears';

-- Whoever uses a sign-in can hold a lock on its row.  So this waits for half a second,
-- which is more than anybody honest needs.
CREATE FUNCTION wa.lock_sign_in(person uuid, sign_in uuid) RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	until constant timestamptz := clock_timestamp() + interval '0.5 s';
BEGIN
	LOOP
		PERFORM FROM wa.sign_in s WHERE s.user_id = person AND s.id = sign_in FOR NO KEY UPDATE SKIP LOCKED;
		IF FOUND OR clock_timestamp() > until THEN
			RETURN FOUND;
		END IF;
		PERFORM pg_sleep(0.02);
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.lock_sign_in(uuid, uuid) IS
	'for function bodies: locks a sign-in; false if somebody else has it locked, and keeps it, or it does not exist; NULL for NULL';

-- Sign-ins and what was made from them; all, or all but one.  What ends them is the
-- account's generation.  That their rows tell so, too, and the rows of tokens and
-- browsers go, is for those that nobody has locked.
CREATE FUNCTION wa.end_sign_ins(person uuid, but uuid DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	new_generation integer;
BEGIN
	UPDATE wa.app_user u SET generation = u.generation + 1 WHERE u.id = person RETURNING u.generation INTO new_generation;
	IF wa.lock_sign_in(person, but) THEN
		UPDATE wa.sign_in s SET generation = new_generation WHERE s.user_id = person AND s.id = but;
	END IF;
	WITH others AS (
		SELECT s.id FROM wa.sign_in s
		WHERE s.user_id = person AND s.ended_at IS NULL AND s.id IS DISTINCT FROM but
		FOR NO KEY UPDATE SKIP LOCKED)
	UPDATE wa.sign_in s SET ended_at = clock_timestamp() FROM others WHERE s.user_id = person AND s.id = others.id;
	WITH others AS (
		SELECT t.org_id, t.digest FROM wa.member m JOIN wa.user_token t ON t.org_id = m.org_id AND t.user_id = m.user_id
		WHERE m.user_id = person AND t.sign_in_id IS DISTINCT FROM but
		FOR UPDATE OF t SKIP LOCKED)
	DELETE FROM wa.user_token t USING others WHERE t.org_id = others.org_id AND t.digest = others.digest;
	IF but IS NULL THEN
		WITH known AS (SELECT d.id FROM wa.device d WHERE d.user_id = person FOR UPDATE SKIP LOCKED)
		DELETE FROM wa.device d USING known WHERE d.user_id = person AND d.id = known.id;
	ELSE
		WITH known AS (
			SELECT d.id FROM wa.device d WHERE d.user_id = person AND d.generation = new_generation - 1
			FOR NO KEY UPDATE SKIP LOCKED)
		UPDATE wa.device d SET generation = new_generation FROM known WHERE d.user_id = person AND d.id = known.id;
	END IF;
END $$;
COMMENT ON FUNCTION wa.end_sign_ins(uuid, uuid) IS
	'for function bodies: signs a person out everywhere and forgets their browsers, or signs them out everywhere else';

-- A note in every organization that the person is a member of.
CREATE FUNCTION wa.note_person(person uuid, action text, actor text DEFAULT NULL) RETURNS void
	LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT wa.note(m.org_id, action, person, '{}', actor) FROM wa.member m WHERE m.user_id = person ORDER BY m.org_id
$$;
COMMENT ON FUNCTION wa.note_person(uuid, text, text) IS
	'for function bodies: adds a row about a person to the audit log of each of their organizations';

-- What a person, or somebody else in their name, could hand on.  An invitation that
-- somebody is just accepting or withdrawing is theirs to end: it is passed over.  One
-- that is made at this moment is not seen: nobody can accept it, because
-- wa.open_invitation() asks whether its maker still has the right.
CREATE FUNCTION wa.withdraw_invitations_by(person uuid, org uuid DEFAULT NULL) RETURNS void
	LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH made AS (
		SELECT i.org_id, i.id FROM wa.invitation i
		WHERE i.created_by = person AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL
			AND (withdraw_invitations_by.org IS NULL OR i.org_id = withdraw_invitations_by.org)
		FOR NO KEY UPDATE SKIP LOCKED)
	UPDATE wa.invitation i SET withdrawn_at = clock_timestamp() FROM made WHERE i.org_id = made.org_id AND i.id = made.id
$$;
COMMENT ON FUNCTION wa.withdraw_invitations_by(uuid, uuid) IS
	'for function bodies: withdraws what a person has invited to, in one organization or, with NULL, in every one';

-- The person's account, locked, for what administrators do with it.  Not against
-- rows that refer to it, which the person makes by signing in.
CREATE FUNCTION wa.lock_user(person uuid) RETURNS wa.app_user
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	account wa.app_user;
BEGIN
	IF person IS NULL THEN
		RAISE EXCEPTION 'person must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT u.* INTO account FROM wa.app_user u WHERE u.id = person FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'person does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN account;
END $$;
COMMENT ON FUNCTION wa.lock_user(uuid) IS
	'for function bodies: a person''s account, locked; raises 22004 for NULL, P0002 if there is none';

CREATE FUNCTION wa.disable_user(person uuid) RETURNS boolean
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_bound();
	IF (wa.lock_user(person)).disabled_at IS NOT NULL THEN
		RETURN false;
	END IF;
	UPDATE wa.app_user u SET disabled_at = clock_timestamp() WHERE u.id = person;
	PERFORM wa.end_sign_ins(person);
	PERFORM wa.withdraw_invitations_by(person);
	PERFORM wa.note_person(person, 'user.disabled');
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.disable_user(uuid) IS
	'closes an account and signs the person out, with effect right away; false if it was closed before';

CREATE FUNCTION wa.enable_user(person uuid) RETURNS boolean
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_bound();
	IF (wa.lock_user(person)).disabled_at IS NULL THEN
		RETURN false;
	END IF;
	UPDATE wa.app_user u SET disabled_at = NULL WHERE u.id = person;
	PERFORM wa.withdraw_invitations_by(person);
	PERFORM wa.note_person(person, 'user.enabled');
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.enable_user(uuid) IS
	'opens a closed account again; the person has to sign in anew; false if it was open';

CREATE FUNCTION wa.reset_password(person uuid) RETURNS text
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	password constant text := wa.make_password();
BEGIN
	PERFORM wa.refuse_bound();
	PERFORM wa.lock_user(person);
	UPDATE wa.app_user u SET password_hash = wa.hash_password(password::wa.password) WHERE u.id = person;
	PERFORM wa.end_sign_ins(person);
	PERFORM wa.withdraw_invitations_by(person);
	PERFORM wa.note_person(person, 'user.password_reset');
	RETURN password;
END $$;
COMMENT ON FUNCTION wa.reset_password(uuid) IS
	'gives a person who forgot it a new random password, which appears here only, and signs them out everywhere';

-- ---------------------------------------------------------------------
-- Members
-- ---------------------------------------------------------------------

CREATE FUNCTION wa.check_role(role text) RETURNS void
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF role IS NULL OR role NOT IN ('owner', 'admin', 'member') THEN
		PERFORM wa.refuse_field('role', 'must be owner, admin or member');
	END IF;
END $$;
COMMENT ON FUNCTION wa.check_role(text) IS 'for function bodies: raises 22023 for what is no role';

-- Whoever invites to an organization, or joins it, does so alone.  Whoever waited here
-- asks again whether they may: meanwhile they may have lost the right.  Nothing that
-- takes a right away waits here, or a person could keep theirs by inviting.
CREATE FUNCTION wa.lock_members(org uuid) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM FROM wa.org o WHERE o.id = org FOR NO KEY UPDATE;
END $$;
COMMENT ON FUNCTION wa.lock_members(uuid) IS
	'for function bodies: keeps everybody else from inviting to an organization or joining it';

-- Whoever is just losing their membership or role waits here until that is decided.
-- The lock goes with the subtransaction, so that it never stands against the next one
-- who takes the right away.
CREATE FUNCTION wa.await_role() RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM FROM wa.member m WHERE m.org_id = wa.current_org() AND m.user_id = wa.current_user_id() FOR SHARE;
	RAISE EXCEPTION USING ERRCODE = 'WA002';
EXCEPTION WHEN SQLSTATE 'WA002' THEN
	NULL;
END $$;
COMMENT ON FUNCTION wa.await_role() IS
	'for function bodies: waits for whoever is changing the acting person''s membership, and locks nothing';

-- What a person is in an organization, and whether the organization could do without
-- them.  An owner whose account is disabled is no use as the last one.  Whoever changes
-- an owner locks all of them, so that of two last ones who go at once one stays; only
-- owners can do that.  For everybody else only their own membership is locked.
CREATE FUNCTION wa.lock_member(org uuid, person uuid, OUT role text, OUT is_last_owner boolean)
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	others bigint;
BEGIN
	SELECT m.role INTO role FROM wa.member m WHERE m.org_id = org AND m.user_id = person;
	LOOP
		IF role = 'owner' THEN
			-- Rows that are counted are locked, too: in a transaction with an older
			-- snapshot that finds out that they have changed.
			SELECT count(*) FILTER (WHERE owners.user_id <> person) INTO others
			FROM (SELECT m.user_id FROM wa.member m JOIN wa.app_user u ON u.id = m.user_id AND u.disabled_at IS NULL
				  WHERE m.org_id = org AND m.role = 'owner'
				  ORDER BY m.user_id FOR NO KEY UPDATE OF m) owners;
		END IF;
		SELECT m.role INTO role FROM wa.member m WHERE m.org_id = org AND m.user_id = person FOR NO KEY UPDATE;
		-- Who has just been made an owner is counted after all.
		EXIT WHEN role IS DISTINCT FROM 'owner' OR others IS NOT NULL;
	END LOOP;
	is_last_owner := COALESCE(role = 'owner', false) AND others = 0;
END $$;
COMMENT ON FUNCTION wa.lock_member(uuid, uuid) IS
	'for function bodies: a member''s role, NULL for who is none, and whether nobody else is an owner; the member is locked, and all owners if it is one';

-- The one place where memberships change.  NULL as the new role removes.
CREATE FUNCTION wa.change_member(org uuid, person uuid, new_role text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old constant record := wa.lock_member(org, person);
BEGIN
	IF old.role IS NOT DISTINCT FROM new_role THEN
		RETURN false;
	END IF;
	IF old.is_last_owner THEN
		RAISE EXCEPTION 'the last owner of an organization cannot leave it or take another role'
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	IF old.role IS NULL THEN
		INSERT INTO wa.member (org_id, user_id, role) VALUES (org, person, new_role) ON CONFLICT DO NOTHING;
		-- Somebody else has just added them, with whatever role.
		IF NOT FOUND THEN
			RETURN wa.change_member(org, person, new_role);
		END IF;
	END IF;
	-- The note comes before the change: who removes themselves is nobody afterwards.
	PERFORM wa.note(org, CASE WHEN old.role IS NULL THEN 'member.added' WHEN new_role IS NULL THEN 'member.removed'
						 ELSE 'member.changed' END, person,
					jsonb_strip_nulls(jsonb_build_object('role', new_role, 'was', old.role,
						'name', wa.name_of(org, wa.typeid('usr', person)))));
	-- What somebody could hand on must not outlive their right to do so, nor come back
	-- with it.
	IF new_role IS DISTINCT FROM 'owner' OR old.role IS DISTINCT FROM 'admin' THEN
		PERFORM wa.withdraw_invitations_by(person, org);
	END IF;
	IF new_role IS NULL THEN
		-- Tokens are worth nothing without it, and go when they expire.
		DELETE FROM wa.member m WHERE m.org_id = org AND m.user_id = person;
	ELSIF old.role IS NOT NULL THEN
		UPDATE wa.member m SET role = new_role WHERE m.org_id = org AND m.user_id = person;
	END IF;
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.change_member(uuid, uuid, text) IS
	'for function bodies: adds, changes or, with NULL as the role, removes a member; false if nothing changed; raises 55000 for the last owner';

CREATE FUNCTION wa.add_member(org uuid, person uuid, role text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.refuse_bound();
	PERFORM wa.check_role(role);
	IF NOT EXISTS (SELECT FROM wa.org o WHERE o.id = org) THEN
		RAISE EXCEPTION 'organization does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	IF NOT EXISTS (SELECT FROM wa.app_user u WHERE u.id = person) THEN
		RAISE EXCEPTION 'person does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN wa.change_member(org, person, role);
END $$;
COMMENT ON FUNCTION wa.add_member(uuid, uuid, text) IS
	'makes a person a member of an organization, or gives a member another role; false if nothing changed';

CREATE FUNCTION wa.remove_member(org uuid, person uuid) RETURNS boolean
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF org IS NULL OR person IS NULL THEN
		RAISE EXCEPTION 'organization and person must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM wa.refuse_bound();
	RETURN wa.change_member(org, person, NULL);
END $$;
COMMENT ON FUNCTION wa.remove_member(uuid, uuid) IS
	'removes a person from an organization, with effect right away; false if they were no member';

-- Whoever acts, if it is a person.
CREATE FUNCTION wa.require_person() RETURNS uuid
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
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
	SET search_path = pg_catalog, pg_temp
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

-- Only an owner makes an owner, or does anything to one.
CREATE FUNCTION wa.require_rank(role text) RETURNS void
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
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
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
BEGIN
	RETURN QUERY
	SELECT m.user_id, u.email, u.name, m.role, m.created_at, u.disabled_at IS NOT NULL
	FROM wa.member m JOIN wa.app_user u ON u.id = m.user_id
	WHERE m.org_id = org AND m.user_id > CASE WHEN list_members.after IS NULL
			THEN '00000000-0000-0000-0000-000000000000' ELSE list_members.after END
	ORDER BY m.user_id
	LIMIT list_members.max;
END $$;
COMMENT ON FUNCTION wa.list_members(uuid, integer) IS
	'the members of the active organization, oldest account first, from behind this person, for a person who manages them';

-- VOLATILE, so that it sees what the statement that it stands in has just changed.
CREATE FUNCTION wa.show_member(person uuid)
	RETURNS TABLE (user_id uuid, email text, name text, role text, created_at timestamptz, disabled boolean)
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
BEGIN
	RETURN QUERY
	SELECT m.user_id, u.email, u.name, m.role, m.created_at, u.disabled_at IS NOT NULL
	FROM wa.member m JOIN wa.app_user u ON u.id = m.user_id
	WHERE m.org_id = org AND m.user_id = person;
END $$;
COMMENT ON FUNCTION wa.show_member(uuid) IS
	'one member as wa.list_members() lists it, or no row, for a person who manages them';

CREATE FUNCTION wa.set_member_role(person uuid, role text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_member_manager();
	old record;
BEGIN
	PERFORM wa.check_role(role);
	old := wa.lock_member(org, person);
	PERFORM wa.require_member_manager();
	IF old.role IS NULL THEN
		RAISE EXCEPTION 'member does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.require_rank(old.role);
	PERFORM wa.require_rank(role);
	RETURN wa.change_member(org, person, role);
END $$;
COMMENT ON FUNCTION wa.set_member_role(uuid, text) IS
	'gives a member of the active organization another role, with effect right away; an admin can neither make nor change an owner; false if nothing changed';

CREATE FUNCTION wa.remove_member(person uuid) RETURNS boolean
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_person();
	old record;
BEGIN
	old := wa.lock_member(org, person);
	-- Everybody may leave.
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
	'removes a member from the active organization, with effect right away, or lets the acting person leave it; an admin cannot remove an owner';

-- ---------------------------------------------------------------------
-- Invitations
-- ---------------------------------------------------------------------

CREATE FUNCTION wa.invite_member(email text, role text, OUT id uuid, OUT secret text, OUT expires_at timestamptz)
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_member_manager();
	invitations_max constant integer := 200;
	made record;
BEGIN
	PERFORM wa.lock_members(org);
	PERFORM wa.await_role();
	PERFORM wa.require_member_manager();
	email := wa.read_email(email);
	PERFORM wa.check_role(role);
	PERFORM wa.require_rank(role);
	IF EXISTS (SELECT FROM wa.member m JOIN wa.app_user u ON u.id = m.user_id
			   WHERE m.org_id = org AND lower(u.email) = lower(invite_member.email)) THEN
		RAISE EXCEPTION 'this person is a member already'
			USING ERRCODE = 'unique_violation', CONSTRAINT = 'member_pkey';
	END IF;
	-- A newer invitation takes the older one's place, if whoever invites now
	-- could have withdrawn that.
	PERFORM wa.require_rank(i.role) FROM wa.invitation i
	WHERE i.org_id = org AND lower(i.email) = lower(invite_member.email)
		AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL;
	UPDATE wa.invitation i SET withdrawn_at = clock_timestamp()
	WHERE i.org_id = org AND lower(i.email) = lower(invite_member.email)
		AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL;
	-- Those that have expired stand in nobody's way.
	IF (SELECT count(*) FROM wa.invitation i
		WHERE i.org_id = org AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL
			AND i.expires_at > clock_timestamp()) >= invitations_max THEN
		RAISE EXCEPTION 'there are % open invitations already: withdraw some', invitations_max
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	made := wa.make_secret('invitation');
	BEGIN
		INSERT INTO wa.invitation AS i (org_id, email, role, digest, created_by)
		VALUES (org, invite_member.email, invite_member.role, made.digest, wa.current_user_id())
		RETURNING i.id, i.expires_at INTO id, expires_at;
	EXCEPTION WHEN unique_violation THEN
		RAISE EXCEPTION 'this person is just being invited'
			USING ERRCODE = 'unique_violation', CONSTRAINT = 'invitation_open';
	END;
	PERFORM wa.note(org, 'member.invited', id, jsonb_build_object('email', email, 'role', role));
	secret := made.secret;
END $$;
COMMENT ON FUNCTION wa.invite_member(text, text) IS
	'invites a person to the active organization for 7 days; the answer is the only place where the secret ever appears; an admin cannot invite an owner';

CREATE FUNCTION wa.list_invitations(before uuid DEFAULT NULL, max integer DEFAULT 200)
	RETURNS TABLE (id uuid, email text, role text, created_at timestamptz, created_by uuid, created_by_name text,
				   expires_at timestamptz)
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
BEGIN
	RETURN QUERY
	SELECT i.id, i.email, i.role, i.created_at, i.created_by, u.name, i.expires_at
	FROM wa.invitation i LEFT JOIN wa.app_user u ON u.id = i.created_by
	WHERE i.org_id = org AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL
		AND i.id < CASE WHEN list_invitations.before IS NULL
			THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE list_invitations.before END
	ORDER BY i.id DESC
	LIMIT list_invitations.max;
END $$;
COMMENT ON FUNCTION wa.list_invitations(uuid, integer) IS
	'invitations to the active organization that nobody has accepted, newest first, from before this one, expired ones included, for a person who manages its members';

-- VOLATILE, so that it sees what the statement that it stands in has just made.
CREATE FUNCTION wa.show_invitation(invitation uuid)
	RETURNS TABLE (id uuid, email text, role text, created_at timestamptz, created_by uuid, created_by_name text,
				   expires_at timestamptz)
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
BEGIN
	RETURN QUERY
	SELECT i.id, i.email, i.role, i.created_at, i.created_by, u.name, i.expires_at
	FROM wa.invitation i LEFT JOIN wa.app_user u ON u.id = i.created_by
	WHERE i.org_id = org AND i.id = invitation AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL;
END $$;
COMMENT ON FUNCTION wa.show_invitation(uuid) IS
	'one invitation as wa.list_invitations() lists it, or no row, for a person who manages members';

CREATE FUNCTION wa.withdraw_invitation(invitation uuid) RETURNS boolean
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_member_manager();
	found_invitation wa.invitation;
BEGIN
	SELECT i.* INTO found_invitation FROM wa.invitation i WHERE i.org_id = org AND i.id = invitation FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'invitation does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.require_member_manager();
	PERFORM wa.require_rank(found_invitation.role);
	IF found_invitation.accepted_at IS NOT NULL OR found_invitation.withdrawn_at IS NOT NULL THEN
		RETURN false;
	END IF;
	UPDATE wa.invitation i SET withdrawn_at = clock_timestamp() WHERE i.org_id = org AND i.id = invitation;
	PERFORM wa.note(org, 'member.uninvited', invitation, jsonb_build_object('email', found_invitation.email));
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.withdraw_invitation(uuid) IS
	'withdraws an invitation to the active organization; false if it was accepted or withdrawn before';

CREATE FUNCTION wa.find_invitation(secret wa.secret, OUT org_id uuid, OUT id uuid)
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'wa_find_invitation';
COMMENT ON FUNCTION wa.find_invitation(wa.secret) IS
	'for function bodies: the open invitation that a secret stands for, or nulls';

-- The invitation, if it can still be accepted: whoever made it has to have the right
-- to make it now.  Nothing is locked here, or whoever has the secret could keep the
-- maker's account from being disabled.
CREATE FUNCTION wa.open_invitation(secret wa.secret) RETURNS wa.invitation
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_id constant record := wa.find_invitation(secret);
	invited wa.invitation;
BEGIN
	SELECT i.* INTO invited
	FROM wa.invitation i JOIN wa.member m ON m.org_id = i.org_id AND m.user_id = i.created_by
		JOIN wa.app_user u ON u.id = i.created_by AND u.disabled_at IS NULL
	WHERE i.org_id = found_id.org_id AND i.id = found_id.id AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL
		AND (m.role = 'owner' OR m.role = 'admin' AND i.role <> 'owner');
	RETURN invited;
END $$;
COMMENT ON FUNCTION wa.open_invitation(wa.secret) IS
	'for function bodies: the invitation that a secret stands for, if it can be accepted now; nulls otherwise';

-- For whoever has the secret, before they say who they are.  Whether the email
-- address has an account is not told: the person who invites has the secret, too.
CREATE FUNCTION wa.read_invitation(secret wa.secret)
	RETURNS TABLE (email text, organization text, role text, expires_at timestamptz)
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	invited wa.invitation;
BEGIN
	PERFORM wa.refuse_bound();
	invited := wa.open_invitation(secret);
	RETURN QUERY SELECT invited.email, o.name, invited.role, invited.expires_at FROM wa.org o WHERE o.id = invited.org_id;
END $$;
COMMENT ON FUNCTION wa.read_invitation(wa.secret) IS
	'whom a secret invites, to what, as what and until when; no row for one that is not valid';

-- With a name somebody is new here, without one they have an account.  What they
-- send is looked at before the account is, so that whoever has the secret, and that
-- is also who invites, learns nothing about an account for nothing.  An invitation
-- cannot be guessed, so that only attempts with a good one count, and they do for the
-- organization that made it: no address is charged, which whoever calls could name at will.
CREATE FUNCTION wa.accept_invitation(secret wa.secret, name text, password wa.password,
									 OUT organization_id uuid, OUT user_id uuid, OUT email text)
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	known constant record := wa.find_invitation(secret);
	invited wa.invitation;
	person wa.app_user;
BEGIN
	PERFORM wa.refuse_bound();
	PERFORM wa.lock_members(known.org_id);
	PERFORM FROM wa.invitation i WHERE i.org_id = known.org_id AND i.id = known.id FOR NO KEY UPDATE;
	invited := wa.open_invitation(secret);
	IF invited.id IS NULL THEN
		RAISE EXCEPTION 'invitation is not valid' USING ERRCODE = 'no_data_found';
	END IF;
	IF name IS NOT NULL THEN
		PERFORM wa.read_name(name);
		PERFORM wa.check_new_password(password, invited.email, 'password');
	END IF;
	IF name IS NULL OR EXISTS (SELECT FROM wa.app_user u WHERE lower(u.email) = lower(invited.email)) THEN
		person := wa.verify_password(invited.email, password, 'INVITATION ' || invited.org_id, true);
		user_id := person.id;
		email := person.email;
	ELSE
		PERFORM wa.charge_attempt('hashing', wa.attempt_key(invited.email, 'INVITATION ' || invited.org_id));
		user_id := wa.insert_user(invited.email, accept_invitation.name, password);
		email := invited.email;
	END IF;
	UPDATE wa.invitation i SET accepted_at = clock_timestamp() WHERE i.org_id = invited.org_id AND i.id = invited.id;
	-- Who is a member by now keeps the role that they have.
	IF NOT EXISTS (SELECT FROM wa.member m WHERE m.org_id = invited.org_id AND m.user_id = accept_invitation.user_id) THEN
		PERFORM wa.change_member(invited.org_id, accept_invitation.user_id, invited.role);
	END IF;
	PERFORM wa.note(invited.org_id, 'member.joined', accept_invitation.user_id,
		jsonb_build_object('invitation', wa.typeid('inv', invited.id)), wa.typeid('usr', accept_invitation.user_id));
	organization_id := invited.org_id;
END $$;
COMMENT ON FUNCTION wa.accept_invitation(wa.secret, text, wa.password) IS
	'makes the invited person a member; with a name an account is made for them if there is none, otherwise the password has to be that of theirs, or it raises 28000; raises P0002 for an invitation that is not valid, 53400 after too many attempts';

-- ---------------------------------------------------------------------
-- Views for administrators; the audit log for owners and admins
-- ---------------------------------------------------------------------

CREATE VIEW wa.people WITH (security_invoker = true, security_barrier = true) AS
	SELECT u.id, wa.typeid('usr', u.id) AS person, u.email, u.name, m.org_id, o.name AS org, m.role,
		m.created_at AS member_since, u.created_at, u.disabled_at
	FROM wa.app_user u LEFT JOIN wa.member m ON m.user_id = u.id LEFT JOIN wa.org o ON o.id = m.org_id;
COMMENT ON VIEW wa.people IS 'accounts and their memberships for administrators, without password hashes';
COMMENT ON COLUMN wa.people.id IS 'what the administration functions take';
COMMENT ON COLUMN wa.people.person IS 'the same as it is written outside';
COMMENT ON COLUMN wa.people.email IS 'what the person signs in with';
COMMENT ON COLUMN wa.people.name IS 'what others call them';
COMMENT ON COLUMN wa.people.org_id IS 'an organization that they are a member of; NULL: of none';
COMMENT ON COLUMN wa.people.org IS 'its name';
COMMENT ON COLUMN wa.people.role IS 'what they are in it';
COMMENT ON COLUMN wa.people.member_since IS 'since when';
COMMENT ON COLUMN wa.people.created_at IS 'when the account was made';
COMMENT ON COLUMN wa.people.disabled_at IS 'since when they can''t sign in; NULL: they can';

-- The audit log keeps plain ids; what was done tells to what kind of thing.
CREATE FUNCTION wa.audit_subject(action text, subject uuid) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT wa.typeid(CASE
		WHEN action IN ('member.invited', 'member.uninvited') THEN 'inv'
		ELSE CASE split_part(action, '.', 1)
			WHEN 'key' THEN 'key' WHEN 'org' THEN 'org' WHEN 'webhook' THEN 'wh' ELSE 'usr' END
		END, subject)
$$;
COMMENT ON FUNCTION wa.audit_subject(text, uuid) IS
	'for function bodies: what a row of the audit log is about, as it is written outside: key_…, usr_…, inv_…, org_…, wh_…';

CREATE FUNCTION wa.list_audit(before uuid, max integer)
	RETURNS TABLE (id uuid, at timestamptz, actor text, actor_name text, action text, subject text, subject_name text,
				   detail jsonb)
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
BEGIN
	RETURN QUERY
	SELECT a.id, a.at, a.actor, COALESCE(wa.name_of(org, a.actor), a.actor_name), a.action, s.id,
		COALESCE(wa.name_of(org, s.id), a.detail ->> 'name'), a.detail
	FROM wa.audit a, LATERAL (SELECT wa.audit_subject(a.action, a.subject) AS id) s
	WHERE a.org_id = org AND a.id < CASE WHEN list_audit.before IS NULL
			THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE list_audit.before END
	ORDER BY a.id DESC
	LIMIT list_audit.max;
END $$;
COMMENT ON FUNCTION wa.list_audit(uuid, integer) IS
	'what happened in the active organization, newest first, for an owner or admin';
