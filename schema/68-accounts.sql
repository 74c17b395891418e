-- Accounts of people.  Administrators make them in psql, and accepting an invitation makes
-- one.

-- Some functions act for no organization: their result must not depend on the one that the
-- transaction happens to be bound to.
CREATE FUNCTION wa.refuse_bound() RETURNS void
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
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
	LANGUAGE plpgsql STABLE PARALLEL SAFE
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

-- All email addresses are read by this function.
CREATE FUNCTION wa.read_email(email text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
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

-- All accounts are inserted by this function.
CREATE FUNCTION wa.insert_user(email text, name text, password wa.password) RETURNS uuid
	LANGUAGE plpgsql
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
	LANGUAGE sql STRICT PARALLEL SAFE
	AS $$ SELECT translate(encode(wa.random_bytes(15), 'base64'), '+/', '-_') $$;
COMMENT ON FUNCTION wa.make_password() IS 'for function bodies: a random password of 20 characters';

CREATE FUNCTION wa.create_user(email text, name text, password wa.password DEFAULT NULL,
							   OUT id uuid, OUT initial_password text)
	LANGUAGE plpgsql SECURITY DEFINER
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
	'makes an account. Without a password one is made up, and the answer is the only place where it ever appears. '
	'`22023` (`email`, `name`, `password`), `23505`';

-- Ends all sign-ins of a person, or all but one, and everything made from them.  The
-- account's generation is what ends them.  In addition their rows are marked as ended, and
-- the rows of tokens and browsers are deleted, except rows that somebody has locked.  A sign-in
-- that is to stay ends as well if somebody has it locked: a user of it could keep it locked.
CREATE FUNCTION wa.end_sign_ins(person uuid, but uuid DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	new_generation integer;
BEGIN
	UPDATE wa.app_user u SET generation = u.generation + 1 WHERE u.id = person RETURNING u.generation INTO new_generation;
	WITH current AS (
		SELECT s.id FROM wa.sign_in s WHERE s.user_id = person AND s.id = but FOR NO KEY UPDATE SKIP LOCKED)
	UPDATE wa.sign_in s SET generation = new_generation FROM current WHERE s.user_id = person AND s.id = current.id;
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
	'for function bodies: signs a person out everywhere and forgets their browsers, or signs them out everywhere but at one sign-in, unless somebody has that locked';

-- An entry in the audit log of every organization that the person is a member of.
CREATE FUNCTION wa.note_person(person uuid, action text, actor text DEFAULT NULL, detail jsonb DEFAULT '{}',
							   at timestamptz DEFAULT NULL) RETURNS void
	LANGUAGE sql
AS $$
	SELECT wa.note(m.org_id, action, person, detail, actor, at) FROM wa.live_member m WHERE m.user_id = person ORDER BY m.org_id
$$;
COMMENT ON FUNCTION wa.note_person(uuid, text, text, jsonb, timestamptz) IS
	'for function bodies: adds a row about a person to the audit log of each of their organizations';

-- The person's account, locked for an administrator's change.  The lock allows others to
-- insert rows that refer to the account, as signing in does.
CREATE FUNCTION wa.lock_user(person uuid) RETURNS wa.app_user
	LANGUAGE plpgsql
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

CREATE FUNCTION wa.disable_user(person wa.user_id) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
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
COMMENT ON FUNCTION wa.disable_user(wa.user_id) IS
	'closes an account, signs the person out and withdraws the invitations that they have made, with effect right away; false if it was closed before. `P0002`';

CREATE FUNCTION wa.enable_user(person wa.user_id) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
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
COMMENT ON FUNCTION wa.enable_user(wa.user_id) IS
	'opens a closed account again; false if it was open. The person has to sign in anew. `P0002`';

CREATE FUNCTION wa.reset_password(person wa.user_id) RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER
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
COMMENT ON FUNCTION wa.reset_password(wa.user_id) IS
	'gives a person who forgot it a new random password, which appears here only, signs them out everywhere, and withdraws the invitations that they have made. '
	'`P0002`';
