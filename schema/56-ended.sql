-- Ends of an access that wait for nobody.
--
-- Ending an access changes the row that it depends on.  The person who is to lose it can keep
-- that row locked, with one connection after another.  So an end that finds the row locked
-- adds a row here instead, which counts as much.  Nothing here is unique or changed, so that
-- no end waits for another one either.  A row is deleted when the access is given again, by
-- the transaction that has the access's own row locked.

CREATE TABLE wa.ended (
	org_id uuid NOT NULL REFERENCES wa.org,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	subject uuid NOT NULL,
	kind text COLLATE "C" NOT NULL CHECK (kind IN ('key', 'disabled', 'member', 'rank', 'invitation')),
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	actor text NOT NULL,
	reason text CHECK (char_length(reason) BETWEEN 1 AND 200),
	is_told boolean NOT NULL DEFAULT true,
	PRIMARY KEY (org_id, id)
);
CREATE INDEX ended_subject ON wa.ended (org_id, subject, kind);
-- What housekeeping looks for.
CREATE INDEX ended_untold ON wa.ended (org_id, id) WHERE NOT is_told;
COMMENT ON TABLE wa.ended IS 'ends of keys, memberships and invitations whose rows somebody else had locked';
COMMENT ON COLUMN wa.ended.org_id IS 'the organization that it was an access to';
COMMENT ON COLUMN wa.ended.id IS 'UUIDv7';
COMMENT ON COLUMN wa.ended.subject IS 'the id of the key or invitation, or the member''s';
COMMENT ON COLUMN wa.ended.kind IS
	'what has ended: key, disabled (a key is switched off), invitation, member (the membership) or rank (whatever of it is above the role member)';
COMMENT ON COLUMN wa.ended.at IS 'when';
COMMENT ON COLUMN wa.ended.actor IS 'who ended it: usr_…, or a database role';
COMMENT ON COLUMN wa.ended.reason IS 'why a key was revoked; NULL: no reason was given';
COMMENT ON COLUMN wa.ended.is_told IS 'whether its event is written; false: housekeeping writes it';

CREATE TABLE wa.ended_sign_in (
	user_id uuid NOT NULL,
	sign_in_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (user_id, sign_in_id, id)
);
CREATE INDEX ended_sign_in_age ON wa.ended_sign_in (at);
COMMENT ON TABLE wa.ended_sign_in IS 'the same of sign-ins, which lead with the person';
COMMENT ON COLUMN wa.ended_sign_in.user_id IS 'who signed out';
COMMENT ON COLUMN wa.ended_sign_in.sign_in_id IS 'the sign-in';
COMMENT ON COLUMN wa.ended_sign_in.id IS 'UUIDv7';
COMMENT ON COLUMN wa.ended_sign_in.at IS 'when';

-- Every backend learns of them at once, as it does of a change of the rows that they end.
SELECT wa.put_invalidation('wa.ended', 'INSERT OR UPDATE OR DELETE', 'makes an end take effect right away', 'org_id');
SELECT wa.put_invalidation('wa.ended_sign_in', 'INSERT OR UPDATE OR DELETE', 'makes signing out take effect right away',
	'user_id');

SELECT wa.put_owner_policies('wa.current_org() IS NULL OR org_id = wa.current_org()', 'wa.ended');
SELECT wa.put_owner_policies('wa.current_org() IS NULL', 'wa.ended_sign_in');
CREATE POLICY wa_admin_read ON wa.ended FOR SELECT TO wa_admin USING (true);

-- The ends of sign-ins, like the sign-ins themselves, are in no dump.
SELECT pg_catalog.pg_extension_config_dump('wa.ended', '');

CREATE FUNCTION wa.ended_at(org uuid, subject uuid, kind text) RETURNS timestamptz
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
AS $$
	SELECT min(e.at) FROM wa.ended e
	WHERE e.org_id = org AND e.subject = ended_at.subject AND e.kind = ended_at.kind
$$;
COMMENT ON FUNCTION wa.ended_at(uuid, uuid, text) IS
	'for function bodies: since when a key, a membership, its rank or an invitation is over by wa.ended, or a key is switched off; NULL: it is not';

-- A transaction with an older snapshot does not see an end that was added since.  A change
-- asks this function as well, because the row that it locks has not changed.
CREATE FUNCTION wa.has_ended(org uuid, subject uuid, kind text) RETURNS boolean
	LANGUAGE c STRICT
	AS 'MODULE_PATHNAME', 'wa_has_ended_now';
COMMENT ON FUNCTION wa.has_ended(uuid, uuid, text) IS
	'for function bodies: whether a key, a membership, its rank or an invitation is over by `wa.ended`, or a key is switched off, as committed at this moment, whatever the snapshot of this transaction';

-- Functions that read memberships read them here.
CREATE VIEW wa.live_member WITH (security_invoker = true, security_barrier = true) AS
	SELECT m.org_id, m.user_id,
		CASE WHEN EXISTS (
			SELECT FROM wa.ended e WHERE e.org_id = m.org_id AND e.subject = m.user_id AND e.kind = 'rank')
		THEN 'member' ELSE m.role END AS role,
		m.created_at
	FROM wa.member m
	WHERE NOT EXISTS (
		SELECT FROM wa.ended e WHERE e.org_id = m.org_id AND e.subject = m.user_id AND e.kind = 'member');
COMMENT ON VIEW wa.live_member IS 'view: memberships as far as nothing has ended them: wa.member without what wa.ended takes away; with the rights of whoever reads it';
COMMENT ON COLUMN wa.live_member.org_id IS 'the organization';
COMMENT ON COLUMN wa.live_member.user_id IS 'the person';
COMMENT ON COLUMN wa.live_member.role IS 'what is left of the role';
COMMENT ON COLUMN wa.live_member.created_at IS 'since when';
