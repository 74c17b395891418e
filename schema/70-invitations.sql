-- Invitations to organizations.  Owners and admins make them with their user token, and the
-- person who has the secret accepts.

-- Functions that look for open invitations look here.  One that has expired is open until it
-- is withdrawn, but nobody can accept it.
CREATE VIEW wa.live_invitation WITH (security_invoker = true) AS
	SELECT i.org_id, i.id, i.email, i.role, i.created_at, i.created_by, i.expires_at
	FROM wa.invitation i
	WHERE i.accepted_at IS NULL AND i.withdrawn_at IS NULL AND NOT EXISTS (
		SELECT FROM wa.ended e WHERE e.org_id = i.org_id AND e.subject = i.id AND e.kind = 'invitation');
COMMENT ON VIEW wa.live_invitation IS 'view: invitations that nobody has accepted and nothing has ended: wa.invitation without what wa.ended takes away; with the rights of whoever reads it';
COMMENT ON COLUMN wa.live_invitation.org_id IS 'the organization that invites';
COMMENT ON COLUMN wa.live_invitation.id IS 'UUIDv7; inv_… outside';
COMMENT ON COLUMN wa.live_invitation.email IS 'whom';
COMMENT ON COLUMN wa.live_invitation.role IS 'what they become';
COMMENT ON COLUMN wa.live_invitation.created_at IS 'when it was made';
COMMENT ON COLUMN wa.live_invitation.created_by IS 'the person who invites';
COMMENT ON COLUMN wa.live_invitation.expires_at IS 'from when on it is refused';

-- An invitation whose row somebody else has locked is ended by a row in wa.ended.  So a
-- transaction that is just accepting it cannot commit any more (wa.check_invitation_at_commit()), and
-- it stays ended when that transaction is rolled back.
CREATE FUNCTION wa.end_invitation(org uuid, invitation uuid, actor text) RETURNS boolean
	LANGUAGE plpgsql STRICT
AS $$
BEGIN
	PERFORM FROM wa.invitation i WHERE i.org_id = org AND i.id = invitation FOR NO KEY UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		INSERT INTO wa.ended (org_id, subject, kind, actor) VALUES (org, invitation, 'invitation', end_invitation.actor);
		RETURN true;
	END IF;
	UPDATE wa.invitation i SET withdrawn_at = clock_timestamp()
	WHERE i.org_id = org AND i.id = invitation AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL;
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION wa.end_invitation(uuid, uuid, text) IS
	'for function bodies: ends an open invitation, in this person''s or login''s name, and waits for nobody; false if it was accepted or withdrawn at the same moment';

-- Ends the invitations that a person has made, or somebody else who had the person's
-- password.  An invitation that is made at this moment is not seen.  Nobody can accept it
-- unless its maker still has the right and nothing has signed the maker out since
-- (wa.invitation_stands()).
CREATE FUNCTION wa.withdraw_invitations_by(person uuid, org uuid DEFAULT NULL, actor text DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	made record;
	who constant text := COALESCE(actor, wa.actor());
BEGIN
	FOR made IN
		SELECT i.org_id, i.id, i.email FROM wa.live_invitation i
		WHERE i.created_by = person AND (withdraw_invitations_by.org IS NULL OR i.org_id = withdraw_invitations_by.org)
		ORDER BY i.org_id, i.id
	LOOP
		IF wa.end_invitation(made.org_id, made.id, who) THEN
			PERFORM wa.note(made.org_id, 'member.uninvited', made.id, jsonb_build_object('email', made.email), who);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.withdraw_invitations_by(uuid, uuid, text) IS
	'for function bodies: withdraws what a person has invited to, in one organization or, with NULL, in every one; in this person''s or login''s name, or that of whom the transaction acts for';

CREATE FUNCTION wa.invite_member(email text, role text, OUT id uuid, OUT secret text, OUT expires_at timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_member_manager();
	invitations_max constant integer := 200;
	older record;
	made record;
BEGIN
	PERFORM wa.lock_members(org);
	PERFORM wa.await_role();
	PERFORM wa.require_member_manager();
	email := wa.read_email(email);
	PERFORM wa.check_role(role);
	PERFORM wa.require_rank(role);
	-- A newer invitation replaces the older one, if the inviting person could have withdrawn
	-- that one.
	FOR older IN
		SELECT i.id, i.role FROM wa.live_invitation i WHERE i.org_id = org AND lower(i.email) = lower(invite_member.email)
	LOOP
		PERFORM wa.require_rank(older.role);
		PERFORM wa.end_invitation(org, older.id, wa.actor());
	END LOOP;
	-- After that, because the person may just have accepted the older one.
	IF EXISTS (SELECT FROM wa.live_member m JOIN wa.app_user u ON u.id = m.user_id
			   WHERE m.org_id = org AND lower(u.email) = lower(invite_member.email)) THEN
		RAISE EXCEPTION 'this person is a member already'
			USING ERRCODE = 'unique_violation', CONSTRAINT = 'member_pkey';
	END IF;
	-- Expired invitations do not count.
	IF (SELECT count(*) FROM wa.live_invitation i WHERE i.org_id = org AND i.expires_at > clock_timestamp()) >= invitations_max THEN
		RAISE EXCEPTION 'there are % open invitations already: withdraw some', invitations_max
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	made := wa.make_secret('invitation');
	INSERT INTO wa.invitation AS i (org_id, email, role, digest, created_by, generation)
	SELECT org, invite_member.email, invite_member.role, made.digest, u.id, u.generation
	FROM wa.app_user u WHERE u.id = wa.current_user_id()
	RETURNING i.id, i.expires_at INTO id, expires_at;
	PERFORM wa.note(org, 'member.invited', id, jsonb_build_object('email', email, 'role', role));
	secret := made.secret;
END $$;
COMMENT ON FUNCTION wa.invite_member(text, text) IS
	'invites a person to the active organization for 7 days; an admin cannot invite an owner. The answer is the only '
	'place where the secret ever appears. A newer invitation of the same address takes the older one''s place. '
	'`22023` (`email`, `role`), `23505`: is a member already';

CREATE FUNCTION wa.list_invitations(before uuid DEFAULT NULL, max integer DEFAULT 200)
	RETURNS TABLE (id uuid, email text, role text, created_at timestamptz, created_by uuid, created_by_name text,
				   expires_at timestamptz)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
BEGIN
	RETURN QUERY
	SELECT i.id, i.email, i.role, i.created_at, i.created_by, u.name, i.expires_at
	FROM wa.live_invitation i LEFT JOIN wa.app_user u ON u.id = i.created_by
	WHERE i.org_id = org
		AND i.id < CASE WHEN list_invitations.before IS NULL
			THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE list_invitations.before END
	ORDER BY i.id DESC
	LIMIT list_invitations.max;
END $$;
COMMENT ON FUNCTION wa.list_invitations(uuid, integer) IS
	'invitations to the active organization that nobody has accepted, newest first, from before this one, expired ones included, for a person who manages its members';

-- Not STABLE, so that it sees what the calling statement has just made.
CREATE FUNCTION wa.show_invitation(invitation uuid)
	RETURNS TABLE (id uuid, email text, role text, created_at timestamptz, created_by uuid, created_by_name text,
				   expires_at timestamptz)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_member_manager();
BEGIN
	RETURN QUERY
	SELECT i.id, i.email, i.role, i.created_at, i.created_by, u.name, i.expires_at
	FROM wa.live_invitation i LEFT JOIN wa.app_user u ON u.id = i.created_by
	WHERE i.org_id = org AND i.id = invitation;
END $$;
COMMENT ON FUNCTION wa.show_invitation(uuid) IS
	'one invitation as `wa.list_invitations()` lists it, or no row, for a person who manages members';

CREATE FUNCTION wa.withdraw_invitation(invitation uuid) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.require_member_manager();
	found_invitation wa.invitation;
BEGIN
	SELECT i.* INTO found_invitation FROM wa.invitation i WHERE i.org_id = org AND i.id = invitation;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'invitation does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM wa.require_rank(found_invitation.role);
	IF NOT EXISTS (SELECT FROM wa.live_invitation i WHERE i.org_id = org AND i.id = invitation)
		OR NOT wa.end_invitation(org, invitation, wa.actor()) THEN
		RETURN false;
	END IF;
	PERFORM wa.note(org, 'member.uninvited', invitation, jsonb_build_object('email', found_invitation.email));
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.withdraw_invitation(uuid) IS
	'withdraws an invitation to the active organization; false if it was accepted or withdrawn before. `P0002`';

CREATE FUNCTION wa.find_invitation(secret wa.secret, OUT org_id uuid, OUT id uuid)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_find_invitation';
COMMENT ON FUNCTION wa.find_invitation(wa.secret) IS
	'for function bodies: the open invitation that a secret stands for, or nulls';

CREATE FUNCTION wa.invitation_stands(org uuid, invitation uuid) RETURNS boolean
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_invitation_stands_now';
COMMENT ON FUNCTION wa.invitation_stands(uuid, uuid) IS
	'for function bodies: whether an invitation stands, as committed at this moment: nobody has withdrawn it, and whoever made it has the right to make it now and was not signed out of everything since';

-- The end of an invitation does not wait for a transaction that is just accepting it.  So
-- that transaction checks the invitation once more at its commit, as it does a credential.
CREATE FUNCTION wa.check_invitation_at_commit(org uuid, invitation uuid) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_check_invitation_at_commit';
COMMENT ON FUNCTION wa.check_invitation_at_commit(uuid, uuid) IS
	'for function bodies: refuses the commit of this transaction if the invitation has ended by then';

-- The invitation, if it can still be accepted.  Nothing is locked here.  Otherwise somebody
-- with the secret could keep the maker's account from being disabled.
CREATE FUNCTION wa.open_invitation(secret wa.secret) RETURNS wa.invitation
	LANGUAGE plpgsql
AS $$
DECLARE
	found_id constant record := wa.find_invitation(secret);
	invited wa.invitation;
BEGIN
	SELECT i.* INTO invited FROM wa.invitation i
	WHERE i.org_id = found_id.org_id AND i.id = found_id.id AND i.accepted_at IS NULL
		AND wa.invitation_stands(i.org_id, i.id);
	RETURN invited;
END $$;
COMMENT ON FUNCTION wa.open_invitation(wa.secret) IS
	'for function bodies: the invitation that a secret stands for, if it can be accepted now; nulls otherwise';

-- For the holder of the secret, who is not signed in.  The result does not say whether the
-- email address has an account, because the inviting person has the secret too.
CREATE FUNCTION wa.read_invitation(secret wa.secret)
	RETURNS TABLE (email text, organization text, role text, expires_at timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
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
	'whom a secret invites, to what, as what and until when; no row for one that is not valid. Whether there is an '
	'account is not told';

-- A caller who gives a name is new; one without a name has an account.  The request is
-- checked before the account is looked up, so that the holder of the secret, who may be the
-- inviting person, learns nothing about an account without cost.  An invitation's secret
-- cannot be guessed, so only attempts with a valid one are counted.  They are charged to the
-- organization that made it and not to an address, which the caller could choose at will.
CREATE FUNCTION wa.accept_invitation(secret wa.secret, name text, password wa.password,
									 OUT organization_id uuid, OUT user_id uuid, OUT email text)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET lock_timeout = '50ms'
AS $$
#variable_conflict use_column
DECLARE
	known constant record := wa.find_invitation(secret);
	invited wa.invitation;
	person wa.app_user;
BEGIN
	PERFORM wa.refuse_bound();
	-- Nothing of the organization's own is locked: whoever has an invitation could keep it
	-- locked.  Few passwords are checked at a time, so nobody waits here for who accepts the
	-- same invitation, and nobody waits long for who makes the same account or member.
	PERFORM FROM wa.invitation i WHERE i.org_id = known.org_id AND i.id = known.id FOR NO KEY UPDATE NOWAIT;
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
	PERFORM wa.check_invitation_at_commit(invited.org_id, invited.id);
	-- A person who has become a member meanwhile keeps that role.
	IF NOT EXISTS (SELECT FROM wa.live_member m WHERE m.org_id = invited.org_id AND m.user_id = accept_invitation.user_id) THEN
		PERFORM wa.change_member(invited.org_id, accept_invitation.user_id, invited.role);
	END IF;
	PERFORM wa.note(invited.org_id, 'member.joined', accept_invitation.user_id,
		jsonb_build_object('invitation', wa.typeid('inv', invited.id)), wa.typeid('usr', accept_invitation.user_id));
	organization_id := invited.org_id;
END $$;
COMMENT ON FUNCTION wa.accept_invitation(wa.secret, text, wa.password) IS
	'makes the invited person a member. With a name, an account is made if there is none; otherwise the password has '
	'to be that of theirs. `P0002`: the invitation is not valid; `28000`: the password is wrong; `22023` (`name`, '
	'`password`), `53400`: too many attempts, or `members`: the organization has as many as it may have; `55P03`: '
	'somebody is just accepting it, or making the same account';
