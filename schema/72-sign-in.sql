-- Signing in: from email and password to a cookie, and from the cookie to a user token.
-- These functions are for the gateway only, and none of them runs in a transaction with a
-- bound identity.
--
-- Cookies and passwords are passed as wa.secret and wa.password, never as text.

CREATE FUNCTION wa.charge_attempt("limit" text, key text) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_charge_attempt';
COMMENT ON FUNCTION wa.charge_attempt(text, text) IS
	'for function bodies: counts an attempt against a limit (source, account, address, hashing); a transaction that ends with an error before it hashes a password takes it back, and nothing else does; raises 53400, with the seconds to wait at the start of its detail';

CREATE FUNCTION wa.charge_attempts(limits text[], keys text[]) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_charge_attempts';
COMMENT ON FUNCTION wa.charge_attempts(text[], text[]) IS
	'for function bodies: counts one attempt against several limits, each under the key beside it, or against none and raises 53400; a limit whose key is null does not count it';

CREATE FUNCTION wa.refund_attempt("limit" text, key text) RETURNS void
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_refund_attempt';
COMMENT ON FUNCTION wa.refund_attempt(text, text) IS 'for function bodies: takes back one attempt, which turned out right';

-- The form under which attempts from a network address are counted: one customer has a whole
-- IPv6 /64.
CREATE FUNCTION wa.address_key(address inet) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT CASE family(address) WHEN 4 THEN host(address) ELSE network(set_masklen(address, 64))::text END
$$;
COMMENT ON FUNCTION wa.address_key(inet) IS 'for function bodies: what attempts from a network address are counted under';

-- A socket for both protocols writes IPv4 addresses as IPv6 ones (::ffff:…).
CREATE FUNCTION wa.client_address(address text) RETURNS inet
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	client inet;
BEGIN
	IF address IS NULL THEN
		PERFORM wa.refuse_field('address', 'is required');
	END IF;
	client := host(address::inet);
	RETURN CASE WHEN client <<= '::ffff:0:0/96' THEN '0.0.0.0'::inet + (client - '::ffff:0:0'::inet) ELSE client END;
EXCEPTION WHEN invalid_text_representation THEN
	PERFORM wa.refuse_field('address', 'must be a network address');
END $$;
COMMENT ON FUNCTION wa.client_address(text) IS 'for function bodies: a network address, or 22023';

-- The form by which accounts are found.  A text that is no email address finds no account.
CREATE FUNCTION wa.email_key(email text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT lower(COALESCE(wa.clean_email(email), btrim(email), ''))
$$;
COMMENT ON FUNCTION wa.email_key(text) IS 'for function bodies: an email address as typed, in the form and case in which accounts are compared';

CREATE FUNCTION wa.find_device(cookie wa.secret, OUT user_id uuid, OUT id uuid)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_find_device';
COMMENT ON FUNCTION wa.find_device(wa.secret) IS
	'for function bodies: the browser that a cookie stands for and who has signed in there, or nulls';

-- The key under which attempts at an account are counted, which depends on their source.
-- Anybody may try from their own address.  Somebody who has an invitation, is signed in, or
-- has signed in before in the same browser is counted separately.  So attempts from different
-- sources do not block each other.  Emails are in small letters by then, so a typed email
-- cannot equal one of the other keys.
CREATE FUNCTION wa.attempt_key(email text, source text DEFAULT NULL) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN source IS NULL THEN '' ELSE 'FROM ' || source || ' ' END || wa.email_key(email)
$$;
COMMENT ON FUNCTION wa.attempt_key(text, text) IS
	'for function bodies: what attempts at the password of an account are counted under: anybody''s, or those that come from one address, invitation, sign-in or browser';

-- An attempt that cannot succeed is refused before anything is charged, and an attempt that
-- one limit refuses is charged to none.  Everything that is charged must cost a hash.
-- Otherwise the counts could be filled with names and addresses without cost.
CREATE FUNCTION wa.refuse_hopeless(email text, password wa.password) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	IF password IS NULL OR NOT wa.is_email(wa.email_key(email)) THEN
		RAISE EXCEPTION 'email or password is wrong' USING ERRCODE = 'invalid_authorization_specification';
	END IF;
END $$;
COMMENT ON FUNCTION wa.refuse_hopeless(text, wa.password) IS
	'for function bodies: raises 28000 for what can be nobody''s email address, and without a password';

CREATE FUNCTION wa.note_failed_sign_in(person uuid, address text) RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_note_failed_sign_in';
COMMENT ON FUNCTION wa.note_failed_sign_in(uuid, text) IS
	'for function bodies: counts a wrong password for an account, also if the transaction is rolled back; a null person is nobody and costs the same work';

CREATE FUNCTION wa.take_failed_sign_ins(max integer, since timestamptz, OUT user_id uuid, OUT count integer,
										OUT first_at timestamptz, OUT last_at timestamptz, OUT last_from text)
	RETURNS SETOF record
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_take_failed_sign_ins';
COMMENT ON FUNCTION wa.take_failed_sign_ins(integer, timestamptz) IS
	'for function bodies: takes the wrong passwords that were counted for accounts of which none were taken since then, 64 accounts at most; a rollback gives them back';

-- The first wrong passwords for an account are written at once, later ones once an hour.
CREATE FUNCTION wa.write_failed_sign_ins(max integer) RETURNS integer
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	failed record;
	written integer := 0;
BEGIN
	FOR failed IN SELECT f.* FROM wa.take_failed_sign_ins(max, clock_timestamp() - interval '1 hour') f LOOP
		PERFORM wa.note_person(failed.user_id, 'user.sign_in_failed', 'anonymous', jsonb_strip_nulls(jsonb_build_object(
			'count', failed.count, 'since', wa.epoch_ms(failed.first_at), 'address', failed.last_from)), failed.last_at);
		written := written + 1;
	END LOOP;
	RETURN written;
END $$;
COMMENT ON FUNCTION wa.write_failed_sign_ins(integer) IS
	'for wa.housekeep(): writes wrong passwords to the audit logs of the organizations of their accounts, and returns for how many accounts';

-- All passwords are checked by this function.  The attempt is charged before the check.
-- After a right password the attempt is refunded, after a wrong one the hash is.  An unknown
-- account, a disabled one and a wrong password give the same result after the same work.  The
-- account is not locked; otherwise signing in could keep it from being disabled.  What is
-- made next stores the generation that is returned here, so that it does not outlive a change
-- of the password at the same moment.
CREATE FUNCTION wa.verify_password(email text, password wa.password, source text, is_known boolean, address text DEFAULT NULL,
								   client inet DEFAULT NULL)
	RETURNS wa.app_user
	LANGUAGE plpgsql
AS $$
DECLARE
	account constant text := wa.email_key(email);
	attempts constant text := wa.attempt_key(email, source);
	hashes constant text := CASE WHEN is_known THEN attempts ELSE account END;
	person wa.app_user;
BEGIN
	PERFORM wa.refuse_hopeless(email, password);
	PERFORM wa.charge_attempts('{address,source,account,hashing}',
		ARRAY[address, attempts, CASE WHEN NOT is_known THEN account END, hashes]);
	SELECT u.* INTO person FROM wa.app_user u WHERE lower(u.email) = account;
	IF wa.password_matches(password, person.password_hash) THEN
		PERFORM FROM wa.app_user u
		WHERE u.id = person.id AND u.password_hash = person.password_hash AND u.generation = person.generation
			AND u.disabled_at IS NULL;
		IF FOUND THEN
			PERFORM wa.refund_attempt('address', address);
			PERFORM wa.refund_attempt('source', attempts);
			IF NOT is_known THEN
				PERFORM wa.refund_attempt('account', account);
			END IF;
			RETURN person;
		END IF;
	END IF;
	PERFORM wa.refund_attempt('hashing', hashes);
	PERFORM wa.note_failed_sign_in(person.id, host(client));
	RAISE EXCEPTION 'email or password is wrong' USING ERRCODE = 'invalid_authorization_specification';
END $$;
COMMENT ON FUNCTION wa.verify_password(text, wa.password, text, boolean, text, inet) IS
	'for function bodies: the account with this email address and password; source says where the attempt comes from, is_known whether that is known to be the person''s, address what it counts against whatever the account, client what the audit log says of a wrong one; raises 28000 if it is not that, 53400 after too many attempts';

-- Up to 10 browsers are stored for a person.  A browser that was used before keeps its
-- cookie.  Rows that somebody has locked stay as they are, so that no sign-in waits.
CREATE FUNCTION wa.note_device(person uuid, generation integer, device uuid) RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	made record;
BEGIN
	WITH known AS (
		SELECT d.id FROM wa.device d WHERE d.user_id = person AND d.id = device FOR NO KEY UPDATE SKIP LOCKED)
	UPDATE wa.device d SET used_at = clock_timestamp() FROM known WHERE d.user_id = person AND d.id = known.id;
	IF EXISTS (SELECT FROM wa.device d WHERE d.user_id = person AND d.id = device) THEN
		RETURN NULL;
	END IF;
	WITH kept AS (
		SELECT d.id FROM wa.device d WHERE d.user_id = person ORDER BY d.used_at DESC, d.id DESC LIMIT 9), older AS (
		SELECT d.id FROM wa.device d WHERE d.user_id = person AND d.id NOT IN (SELECT k.id FROM kept k)
		FOR UPDATE SKIP LOCKED)
	DELETE FROM wa.device d USING older WHERE d.user_id = person AND d.id = older.id;
	made := wa.make_secret('device');
	INSERT INTO wa.device AS d (user_id, digest, generation) VALUES (person, made.digest, note_device.generation);
	RETURN made.secret;
END $$;
COMMENT ON FUNCTION wa.note_device(uuid, integer, uuid) IS
	'for function bodies: notes that a person has signed in with a browser; the answer is the cookie of one that is new';

CREATE FUNCTION wa.sign_in(email text, password wa.password, address text, user_agent text, device wa.secret DEFAULT NULL,
						   OUT cookie text, OUT user_id uuid, OUT expires_at timestamptz, OUT device_cookie text)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	place constant inet := wa.client_address(address);
	known record;
	is_known boolean;
	person wa.app_user;
	made record;
	org uuid;
BEGIN
	PERFORM wa.refuse_bound();
	PERFORM wa.refuse_hopeless(email, password);
	known := wa.find_device(device);
	is_known := EXISTS (SELECT FROM wa.app_user u WHERE u.id = known.user_id AND lower(u.email) = wa.email_key(sign_in.email));
	IF is_known THEN
		person := wa.verify_password(email, password, 'BROWSER ' || known.id, true, NULL, place);
	ELSE
		person := wa.verify_password(email, password, 'ADDRESS ' || wa.address_key(place), false, wa.address_key(place), place);
	END IF;
	device_cookie := wa.note_device(person.id, person.generation, known.id);

	-- The organization in which the person worked last, otherwise the first by name.
	SELECT m.org_id INTO org FROM wa.live_member m JOIN wa.org o ON o.id = m.org_id
	WHERE m.user_id = person.id
	ORDER BY m.org_id IS DISTINCT FROM (
			SELECT s.active_org FROM wa.sign_in s
			WHERE s.user_id = person.id AND s.active_org IS NOT NULL ORDER BY s.id DESC LIMIT 1),
		lower(o.name), o.id
	LIMIT 1;
	PERFORM wa.clear_sign_ins(person.id);
	made := wa.make_secret('sign_in');
	INSERT INTO wa.sign_in AS s (user_id, digest, active_org, address, user_agent, generation)
	VALUES (person.id, made.digest, org, place, left(sign_in.user_agent, 400), person.generation)
	RETURNING s.expires_at INTO expires_at;
	IF org IS NOT NULL THEN
		PERFORM wa.note(org, 'user.signed_in', person.id, jsonb_build_object('address', host(place)),
						wa.typeid('usr', person.id));
	END IF;
	cookie := made.secret;
	user_id := person.id;
END $$;
COMMENT ON FUNCTION wa.sign_in(text, wa.password, text, text, wa.secret) IS
	'signs a person in from a network address, with the cookie of a browser that may have signed in before; the answer is the only place where the cookies ever appear, that of the browser if it is new; raises 28000 for a wrong email or password, 53400 after too many attempts';

-- At most 20 sign-ins are kept for a person, and those that are over for a month.  Rows that
-- somebody has locked stay until the next time, so that nobody keeps a person from signing in.
CREATE FUNCTION wa.clear_sign_ins(person uuid) RETURNS void
	LANGUAGE sql STRICT
AS $$
	WITH over AS (
		SELECT old.id FROM wa.sign_in old WHERE old.user_id = person AND old.expires_at < now() - interval '30 days'
		FOR UPDATE SKIP LOCKED)
	DELETE FROM wa.sign_in s USING over WHERE s.user_id = person AND s.id = over.id;
	WITH over AS (
		SELECT t.org_id, t.digest FROM wa.member m JOIN wa.user_token t ON t.org_id = m.org_id AND t.user_id = m.user_id
		WHERE m.user_id = person AND t.expires_at < now() FOR UPDATE OF t SKIP LOCKED)
	DELETE FROM wa.user_token t USING over WHERE t.org_id = over.org_id AND t.digest = over.digest;
	WITH kept AS (
		SELECT s.id FROM wa.sign_in s WHERE s.user_id = person AND s.ended_at IS NULL ORDER BY s.id DESC LIMIT 19), older AS (
		SELECT s.id FROM wa.sign_in s
		WHERE s.user_id = person AND s.ended_at IS NULL AND s.id NOT IN (SELECT k.id FROM kept k)
		FOR NO KEY UPDATE SKIP LOCKED)
	UPDATE wa.sign_in s SET ended_at = clock_timestamp() FROM older WHERE s.user_id = person AND s.id = older.id;
$$;
COMMENT ON FUNCTION wa.clear_sign_ins(uuid) IS
	'for function bodies: makes room for one more sign-in and forgets what is long over';

CREATE FUNCTION wa.find_sign_in(cookie wa.secret, OUT user_id uuid, OUT id uuid)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'wa_find_sign_in';
COMMENT ON FUNCTION wa.find_sign_in(wa.secret) IS
	'for function bodies: the live sign-in that a cookie stands for, or nulls';

CREATE FUNCTION wa.require_sign_in(cookie wa.secret) RETURNS wa.sign_in
	LANGUAGE plpgsql
AS $$
DECLARE
	known record;
	found_sign_in wa.sign_in;
BEGIN
	PERFORM wa.refuse_bound();
	known := wa.find_sign_in(cookie);
	-- If somebody has the row locked, that transaction records the use too.
	WITH old AS (
		SELECT s.id FROM wa.sign_in s
		WHERE s.user_id = known.user_id AND s.id = known.id AND s.used_at < now() - interval '1 minute'
		FOR NO KEY UPDATE SKIP LOCKED)
	UPDATE wa.sign_in s SET used_at = now() FROM old WHERE s.user_id = known.user_id AND s.id = old.id;
	SELECT s.* INTO found_sign_in FROM wa.sign_in s
	WHERE s.user_id = known.user_id AND s.id = known.id AND s.ended_at IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'not signed in' USING ERRCODE = 'invalid_authorization_specification';
	END IF;
	-- An organization that the person has left is not chosen any more.
	IF NOT EXISTS (SELECT FROM wa.live_member m WHERE m.org_id = found_sign_in.active_org AND m.user_id = found_sign_in.user_id
				   AND m.created_at <= found_sign_in.active_since) THEN
		found_sign_in.active_org := NULL;
	END IF;
	RETURN found_sign_in;
END $$;
COMMENT ON FUNCTION wa.require_sign_in(wa.secret) IS
	'for function bodies: the live sign-in that a cookie stands for, noted as used; raises 28000 if there is none';

CREATE FUNCTION wa.sign_out(cookie wa.secret) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known record;
	org uuid;
BEGIN
	PERFORM wa.refuse_bound();
	known := wa.find_sign_in(cookie);
	IF known.id IS NULL THEN
		RETURN false;
	END IF;
	PERFORM FROM wa.sign_in s WHERE s.user_id = known.user_id AND s.id = known.id FOR NO KEY UPDATE SKIP LOCKED;
	IF FOUND THEN
		UPDATE wa.sign_in s SET ended_at = clock_timestamp()
		WHERE s.user_id = known.user_id AND s.id = known.id AND s.ended_at IS NULL
		RETURNING s.active_org INTO org;
		IF NOT FOUND THEN
			RETURN false;
		END IF;
	ELSE
		-- Somebody else has the cookie too and keeps its row locked.
		SELECT s.active_org INTO org FROM wa.sign_in s WHERE s.user_id = known.user_id AND s.id = known.id;
		INSERT INTO wa.ended_sign_in (user_id, sign_in_id) VALUES (known.user_id, known.id);
	END IF;
	WITH made AS (
		SELECT t.org_id, t.digest FROM wa.member m JOIN wa.user_token t ON t.org_id = m.org_id AND t.user_id = m.user_id
		WHERE m.user_id = known.user_id AND t.sign_in_id = known.id FOR UPDATE OF t SKIP LOCKED)
	DELETE FROM wa.user_token t USING made WHERE t.org_id = made.org_id AND t.digest = made.digest;
	IF org IS NOT NULL THEN
		PERFORM wa.note(org, 'user.signed_out', known.user_id, '{}', wa.typeid('usr', known.user_id));
	END IF;
	RETURN true;
END $$;
COMMENT ON FUNCTION wa.sign_out(wa.secret) IS
	'ends a sign-in and the tokens made from it, with effect right away; false if there was none';

CREATE FUNCTION wa.show_sign_in(shown wa.sign_in)
	RETURNS TABLE (user_id uuid, email text, name text, active_org uuid, organizations jsonb, expires_at timestamptz)
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
AS $$
	SELECT u.id, u.email, u.name, shown.active_org, COALESCE((
		SELECT jsonb_agg(jsonb_build_object('id', wa.typeid('org', o.id), 'name', o.name, 'role', m.role)
						 ORDER BY lower(o.name), o.id)
		FROM wa.live_member m JOIN wa.org o ON o.id = m.org_id WHERE m.user_id = u.id), '[]'), shown.expires_at
	FROM wa.app_user u WHERE u.id = shown.user_id
$$;
COMMENT ON FUNCTION wa.show_sign_in(wa.sign_in) IS 'for function bodies: who is signed in and where they could work';

CREATE FUNCTION wa.signed_in(cookie wa.secret)
	RETURNS TABLE (user_id uuid, email text, name text, active_org uuid, organizations jsonb, expires_at timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	current constant wa.sign_in := wa.require_sign_in(cookie);
BEGIN
	RETURN QUERY SELECT s.* FROM wa.show_sign_in(current) s;
END $$;
COMMENT ON FUNCTION wa.signed_in(wa.secret) IS
	'who is signed in with a cookie, in which organization, and of which others they are a member: `{id: org_…, name, '
	'role}`. `28000`: nobody';

CREATE FUNCTION wa.set_active_org(cookie wa.secret, org uuid)
	RETURNS TABLE (user_id uuid, email text, name text, active_org uuid, organizations jsonb, expires_at timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	current wa.sign_in := wa.require_sign_in(cookie);
BEGIN
	IF NOT EXISTS (SELECT FROM wa.live_member m WHERE m.org_id = org AND m.user_id = current.user_id) THEN
		RAISE EXCEPTION 'organization does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	IF current.active_org IS DISTINCT FROM org THEN
		UPDATE wa.sign_in s SET active_org = org, active_since = clock_timestamp()
		WHERE s.user_id = current.user_id AND s.id = current.id;
		current.active_org := org;
	END IF;
	RETURN QUERY SELECT s.* FROM wa.show_sign_in(current) s;
END $$;
COMMENT ON FUNCTION wa.set_active_org(wa.secret, uuid) IS
	'chooses the organization that new windows and the next sign-in begin with, and answers as `wa.signed_in()`. Tokens '
	'for other organizations stay what they are. `28000`; `P0002`: not a member';

CREATE FUNCTION wa.mint_user_token(cookie wa.secret, org uuid DEFAULT NULL,
								   OUT token text, OUT expires_at timestamptz, OUT organization_id uuid)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	current constant wa.sign_in := wa.require_sign_in(cookie);
	wanted constant uuid := COALESCE(org, current.active_org);
	made record;
BEGIN
	IF wanted IS NULL THEN
		RAISE EXCEPTION 'no organization is active' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	IF NOT EXISTS (SELECT FROM wa.live_member m WHERE m.org_id = wanted AND m.user_id = current.user_id) THEN
		RAISE EXCEPTION 'organization does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	-- 20 valid tokens of a sign-in are enough for all its windows in an organization.
	DELETE FROM wa.user_token t
	WHERE t.org_id = wanted AND t.user_id = current.user_id AND t.sign_in_id = current.id
		AND (t.expires_at < now() OR t.digest IN (
			SELECT older.digest FROM wa.user_token older
			WHERE older.org_id = wanted AND older.user_id = current.user_id AND older.sign_in_id = current.id
			ORDER BY older.created_at DESC, older.digest OFFSET 19));
	made := wa.make_secret('user_token');
	INSERT INTO wa.user_token AS t (org_id, user_id, sign_in_id, digest, expires_at)
	VALUES (wanted, current.user_id, current.id, made.digest, LEAST(now() + interval '15 minutes', current.expires_at))
	RETURNING t.expires_at INTO expires_at;
	token := made.secret;
	organization_id := wanted;
END $$;
COMMENT ON FUNCTION wa.mint_user_token(wa.secret, uuid) IS
	'makes a user token for an organization of the person, without one for the active organization, for 15 minutes. The '
	'answer is the only place where it ever appears. `28000`; `P0002`: not a member; `55000`: no organization is active';

CREATE FUNCTION wa.change_password(cookie wa.secret, old_password wa.password, new_password wa.password) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	current wa.sign_in;
	person wa.app_user;
	attempts text;
BEGIN
	-- The account first: everybody locks the account before its sign-ins.  Whoever has it locked
	-- is not waited for, because few passwords are checked at a time.
	SELECT u.* INTO person FROM wa.app_user u WHERE u.id = (wa.find_sign_in(cookie)).user_id FOR NO KEY UPDATE NOWAIT;
	current := wa.require_sign_in(cookie);
	-- The sign-in is to stay, so it is locked before the passwords are hashed if it can be.  If it
	-- cannot, wa.end_sign_ins() tries again behind that, which is long after any honest use.
	PERFORM FROM wa.sign_in s WHERE s.user_id = current.user_id AND s.id = current.id FOR NO KEY UPDATE SKIP LOCKED;
	PERFORM wa.check_new_password(new_password, person.email, 'newPassword');
	attempts := wa.attempt_key(person.email, 'SIGN-IN ' || current.id);
	IF old_password IS NULL THEN
		PERFORM wa.refuse_field('oldPassword', 'is wrong');
	END IF;
	PERFORM wa.charge_attempt('source', attempts);
	PERFORM wa.charge_attempt('hashing', attempts);
	IF NOT wa.password_matches(old_password, person.password_hash) THEN
		PERFORM wa.note_failed_sign_in(person.id, host(current.address));
		PERFORM wa.refuse_field('oldPassword', 'is wrong');
	END IF;
	PERFORM wa.refund_attempt('source', attempts);
	UPDATE wa.app_user u SET password_hash = wa.hash_password(new_password) WHERE u.id = person.id;
	PERFORM wa.end_sign_ins(person.id, current.id);
	-- Somebody else may have had the password, and nobody can tell which invitations are theirs.
	PERFORM wa.withdraw_invitations_by(person.id, NULL, wa.typeid('usr', person.id));
	PERFORM wa.note_person(person.id, 'user.password_changed', wa.typeid('usr', person.id));
END $$;
COMMENT ON FUNCTION wa.change_password(wa.secret, wa.password, wa.password) IS
	'changes the password of the person who is signed in, signs them out everywhere else, and at this sign-in too if somebody has it locked all the time, and withdraws the invitations that they have made. `28000`; `22023` '
	'(`oldPassword`, `newPassword`: at least 10 characters, not the email address); `53400`; `55P03`: the account is being changed';
