-- Tables of people.
--
-- A person belongs to no organization but can be a member of several.  So the keys of
-- app_user, sign_in and device begin with the person.  The keys of a person's data within an
-- organization begin with the organization, as everywhere.  The exceptions are the digest
-- indexes, which only the look-up in src/row_lookup.c reads, and the list of a person's
-- memberships.  No role has a grant on digests and password hashes, and only wa_admin has one
-- on anything here: all other changes and reads go through functions.

CREATE FUNCTION wa.is_email(email text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT char_length(email) <= 254 AND email ~ '^[^[:space:][:cntrl:]@]+@[^[:space:][:cntrl:]@]+$'
		AND email !~ E'[\\u00AD\\u061C\\u180E\\u200B-\\u200F\\u2028-\\u202E\\u2060-\\u2069\\uFEFF]'
$$;
COMMENT ON FUNCTION wa.is_email(text) IS
	'whether a text can be an email address: one @ between characters, no blanks and nothing invisible, at most 254 characters';

CREATE TABLE wa.app_user (
	id uuid NOT NULL DEFAULT wa.uuid7(),
	email text NOT NULL CHECK (wa.is_email(email)),
	name text NOT NULL CHECK (name = btrim(name) AND char_length(name) BETWEEN 1 AND 100),
	password_hash text NOT NULL CHECK (password_hash ~ '^\$2a\$[0-3][0-9]\$[./0-9A-Za-z]{53}$'),
	created_at timestamptz NOT NULL DEFAULT now(),
	disabled_at timestamptz,
	generation integer NOT NULL DEFAULT 0,
	PRIMARY KEY (id)
);
CREATE UNIQUE INDEX app_user_email ON wa.app_user (lower(email));
COMMENT ON TABLE wa.app_user IS 'people who can sign in. Nobody is granted the password hash';
COMMENT ON COLUMN wa.app_user.id IS 'UUIDv7; usr_… outside';
COMMENT ON COLUMN wa.app_user.email IS 'what they sign in with; unique in any case of letters';
COMMENT ON COLUMN wa.app_user.name IS 'what others call them';
COMMENT ON COLUMN wa.app_user.password_hash IS 'bcrypt of their password''s digest; granted to nobody';
COMMENT ON COLUMN wa.app_user.created_at IS 'when the account was made';
COMMENT ON COLUMN wa.app_user.disabled_at IS 'since when they can''t sign in; NULL: they can';
COMMENT ON COLUMN wa.app_user.generation IS
	'counts how often all their sign-ins were ended; sign-ins, browsers and invitations of an earlier generation are over';

CREATE TABLE wa.member (
	org_id uuid NOT NULL REFERENCES wa.org,
	user_id uuid NOT NULL REFERENCES wa.app_user,
	role text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, user_id)
);
CREATE INDEX member_of_user ON wa.member (user_id, org_id);
COMMENT ON TABLE wa.member IS 'who belongs to which organization';
COMMENT ON COLUMN wa.member.org_id IS 'the organization';
COMMENT ON COLUMN wa.member.user_id IS 'the person';
COMMENT ON COLUMN wa.member.role IS
	'owner and admin have all four permissions and manage keys and members, only an owner manages owners; member: read, send, events';
COMMENT ON COLUMN wa.member.created_at IS 'since when';

-- Sign-ins and tokens have no foreign key to the membership.  Inserting such a row would lock
-- the membership against its removal, and the person who is to be removed could hold that
-- lock.  Each use checks the membership instead.  It must have existed when the organization
-- was chosen, so a person who was removed and comes back has to choose again.  Ending all
-- sign-ins of a person does not need their rows either, which the person can keep locked: it
-- increases the generation that each use compares.
CREATE TABLE wa.sign_in (
	user_id uuid NOT NULL REFERENCES wa.app_user,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	active_org uuid,
	active_since timestamptz NOT NULL DEFAULT clock_timestamp(),
	created_at timestamptz NOT NULL DEFAULT now(),
	used_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL DEFAULT now() + interval '7 days' CHECK (isfinite(expires_at)),
	ended_at timestamptz,
	generation integer NOT NULL DEFAULT 0,
	address inet,
	user_agent text CHECK (char_length(user_agent) <= 400),
	PRIMARY KEY (user_id, id),
	CONSTRAINT sign_in_digest_key UNIQUE (digest)
);
CREATE INDEX sign_in_expiry ON wa.sign_in (expires_at);
COMMENT ON TABLE wa.sign_in IS
	'people at their browsers; a sign-in lasts 7 days at most and 12 hours without use. Part of no dump';
COMMENT ON COLUMN wa.sign_in.user_id IS 'who signed in';
COMMENT ON COLUMN wa.sign_in.id IS 'UUIDv7';
COMMENT ON COLUMN wa.sign_in.digest IS 'SHA-256 of the cookie';
COMMENT ON COLUMN wa.sign_in.active_org IS 'the organization that the person chose last, as long as they are a member of it; NULL: none is chosen';
COMMENT ON COLUMN wa.sign_in.active_since IS 'when it was chosen; a membership that is younger does not count';
COMMENT ON COLUMN wa.sign_in.created_at IS 'when';
COMMENT ON COLUMN wa.sign_in.used_at IS 'when the cookie was last used, to the minute';
COMMENT ON COLUMN wa.sign_in.expires_at IS 'from when on it is refused, however much it is used';
COMMENT ON COLUMN wa.sign_in.ended_at IS 'when the person signed out, or was signed out; NULL: neither';
COMMENT ON COLUMN wa.sign_in.generation IS 'that of the account when its password was checked; if it is another by now, the sign-in is over';
COMMENT ON COLUMN wa.sign_in.address IS 'network address that it came from';
COMMENT ON COLUMN wa.sign_in.user_agent IS 'what the browser calls itself';

CREATE TABLE wa.device (
	user_id uuid NOT NULL REFERENCES wa.app_user,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	created_at timestamptz NOT NULL DEFAULT now(),
	used_at timestamptz NOT NULL DEFAULT now(),
	generation integer NOT NULL DEFAULT 0,
	PRIMARY KEY (user_id, id),
	CONSTRAINT device_digest_key UNIQUE (digest)
);
COMMENT ON TABLE wa.device IS
	'browsers in which people have signed in before, whose attempts strangers cannot use up. Part of no dump';
COMMENT ON COLUMN wa.device.user_id IS 'who signed in there';
COMMENT ON COLUMN wa.device.id IS 'UUIDv7';
COMMENT ON COLUMN wa.device.digest IS 'SHA-256 of the cookie, which signs nobody in';
COMMENT ON COLUMN wa.device.created_at IS 'when they did for the first time';
COMMENT ON COLUMN wa.device.used_at IS 'when they did last';
COMMENT ON COLUMN wa.device.generation IS 'that of the account then; if it is another by now, the browser is not known any more';

CREATE TABLE wa.user_token (
	org_id uuid NOT NULL,
	user_id uuid NOT NULL,
	sign_in_id uuid NOT NULL,
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL DEFAULT now() + interval '15 minutes' CHECK (isfinite(expires_at)),
	PRIMARY KEY (org_id, user_id, sign_in_id, digest),
	CONSTRAINT user_token_digest_key UNIQUE (digest)
);
CREATE INDEX user_token_expiry ON wa.user_token (org_id, expires_at);
COMMENT ON TABLE wa.user_token IS
	'what dashboards present at the API; worth nothing once the sign-in or the membership has ended. Part of no dump';
COMMENT ON COLUMN wa.user_token.org_id IS 'the one organization that it opens';
COMMENT ON COLUMN wa.user_token.user_id IS 'the person';
COMMENT ON COLUMN wa.user_token.sign_in_id IS 'the sign-in that it was made from';
COMMENT ON COLUMN wa.user_token.digest IS 'SHA-256 of the token';
COMMENT ON COLUMN wa.user_token.created_at IS 'when it was made';
COMMENT ON COLUMN wa.user_token.expires_at IS 'from when on it is refused';

CREATE TABLE wa.invitation (
	org_id uuid NOT NULL REFERENCES wa.org,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	email text NOT NULL CHECK (wa.is_email(email)),
	role text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	created_at timestamptz NOT NULL DEFAULT now(),
	created_by uuid NOT NULL,
	generation integer NOT NULL DEFAULT 0,
	expires_at timestamptz NOT NULL DEFAULT now() + interval '7 days' CHECK (isfinite(expires_at)),
	accepted_at timestamptz,
	withdrawn_at timestamptz,
	PRIMARY KEY (org_id, id),
	CONSTRAINT invitation_digest_key UNIQUE (digest),
	CHECK (accepted_at IS NULL OR withdrawn_at IS NULL)
);
CREATE INDEX invitation_open ON wa.invitation (org_id, lower(email))
	WHERE accepted_at IS NULL AND withdrawn_at IS NULL;
COMMENT ON TABLE wa.invitation IS 'people who may become members; whoever has the secret can accept, for 7 days';
COMMENT ON COLUMN wa.invitation.org_id IS 'the organization that invites';
COMMENT ON COLUMN wa.invitation.id IS 'UUIDv7; inv_… outside';
COMMENT ON COLUMN wa.invitation.email IS 'whom; the account that is made, or that has to be theirs';
COMMENT ON COLUMN wa.invitation.role IS 'what they become';
COMMENT ON COLUMN wa.invitation.digest IS 'SHA-256 of the secret';
COMMENT ON COLUMN wa.invitation.created_at IS 'when';
COMMENT ON COLUMN wa.invitation.created_by IS 'the person who invites; if they lose the right to, it is withdrawn';
COMMENT ON COLUMN wa.invitation.generation IS 'that of the inviting person''s account then; if it is another by now, the invitation is over';
COMMENT ON COLUMN wa.invitation.expires_at IS 'from when on it is refused';
COMMENT ON COLUMN wa.invitation.accepted_at IS 'when it was accepted; NULL: it was not';
COMMENT ON COLUMN wa.invitation.withdrawn_at IS 'when it was withdrawn, or a newer one took its place; NULL: neither';

-- The tables that a user token depends on: every backend learns at once of a change that
-- takes something away.  The use of a sign-in takes nothing away.
SELECT wa.put_invalidation('wa.app_user', 'UPDATE OR DELETE', 'makes disabling an account take effect right away', 'person');
SELECT wa.put_invalidation('wa.member', 'UPDATE OR DELETE', 'makes removal and a change of role take effect right away',
	'org_id');
SELECT wa.put_invalidation('wa.sign_in',
	'UPDATE OF user_id, id, digest, expires_at, ended_at, generation OR DELETE',
	'makes signing out take effect right away', 'user_id');
SELECT wa.put_invalidation('wa.user_token', 'UPDATE OR DELETE', 'makes the removal of a token take effect right away');
SELECT wa.put_durability('wa.invitation', 'UPDATE OF accepted_at, withdrawn_at OR DELETE', 'makes the end of an invitation survive a crash');

-- Tables whose rows pg_dump includes.  Sign-ins, devices and tokens are not among them: a
-- restored database should not contain who was signed in when the dump was made.
SELECT pg_catalog.pg_extension_config_dump('wa.app_user', '');
SELECT pg_catalog.pg_extension_config_dump('wa.member', '');
SELECT pg_catalog.pg_extension_config_dump('wa.invitation', '');
