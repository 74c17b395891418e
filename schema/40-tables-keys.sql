-- Tables.  Every primary key, unique constraint, foreign key and index of a tenant table
-- begins with org_id.  So nothing that a query can measure or collide with reaches into
-- another organization (threats P03, P17, P18).  The only exception is the digest index of
-- the key table, which only the look-up in src/row_lookup.c reads.

-- What a person may type as a name (src/name.c).  The tables check only what is the same in
-- every release of Unicode, so that a dump can be restored into any database.
CREATE FUNCTION wa.clean_name(name text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_clean_name';
COMMENT ON FUNCTION wa.clean_name(text) IS
	'a name as it is stored: in Unicode''s form NFC, with single spaces between words and none around; NULL for what '
	'is no name';

CREATE FUNCTION wa.name_problem(name text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_name_problem';
COMMENT ON FUNCTION wa.name_problem(text) IS
	'what keeps a text from being a name: its length, or a character that cannot be seen or is none (`must not '
	'contain U+200B, which cannot be seen here`); NULL if nothing does';

CREATE FUNCTION wa.name_skeleton(name text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_name_skeleton';
COMMENT ON FUNCTION wa.name_skeleton(text) IS
	'equal for names that look alike in any case of letters (the skeleton of Unicode''s UTS #39); depends on the release of Unicode, so that it is not to be stored; NULL for what is no name';

CREATE FUNCTION wa.clean_email(email text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_clean_email';
COMMENT ON FUNCTION wa.clean_email(text) IS
	'the same as `wa.clean_name()` for an email address of at most 254 characters, of which it looks at no syntax';

CREATE FUNCTION wa.is_name(name text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT COALESCE(wa.clean_name(name) = name, false)
$$;
COMMENT ON FUNCTION wa.is_name(text) IS
	'whether a text is a name as it is stored: 1 to 100 characters that can be seen, in form NFC, no blanks but single spaces between words';

CREATE TABLE wa.org (
	id uuid NOT NULL DEFAULT wa.uuid7(),
	name text NOT NULL CHECK (name = btrim(name) AND char_length(name) BETWEEN 1 AND 100),
	created_at timestamptz NOT NULL DEFAULT now(),
	event_days integer NOT NULL DEFAULT 7 CHECK (event_days BETWEEN 1 AND 365),
	media_days integer CHECK (media_days BETWEEN 1 AND 3650),
	expired_epoch integer NOT NULL DEFAULT 0,
	expired_ordinal bigint NOT NULL DEFAULT 0,
	expired_event uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	PRIMARY KEY (id)
);
COMMENT ON TABLE wa.org IS 'organizations: the tenants';
COMMENT ON COLUMN wa.org.id IS 'UUIDv7; org_… outside';
COMMENT ON COLUMN wa.org.name IS 'what people call it; need not be unique';
COMMENT ON COLUMN wa.org.created_at IS 'when it was made';
COMMENT ON COLUMN wa.org.event_days IS 'how many days its events and deliveries are kept';
COMMENT ON COLUMN wa.org.media_days IS 'how many days its files are kept; NULL: as long as the messages that carry them';
COMMENT ON COLUMN wa.org.expired_epoch IS 'the place of the newest event that has expired, with the two that follow';
COMMENT ON COLUMN wa.org.expired_ordinal IS 'the ordinal of the transaction that wrote it';
COMMENT ON COLUMN wa.org.expired_event IS 'the event';
SELECT wa.put_durability('wa.org', 'UPDATE OF event_days, media_days', 'makes a shorter time of storage survive a crash');

CREATE TABLE wa.api_key (
	org_id uuid NOT NULL REFERENCES wa.org,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	name text NOT NULL CHECK (name = btrim(name) AND char_length(name) BETWEEN 1 AND 100),
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	prefix text NOT NULL CHECK (char_length(prefix) BETWEEN 1 AND 13),
	permissions wa.permissions NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	created_by text NOT NULL,
	expires_at timestamptz CHECK (isfinite(expires_at)),
	superseded_by uuid,
	holds_name boolean NOT NULL DEFAULT true,
	disabled_at timestamptz,
	disabled_by text,
	revoked_at timestamptz,
	revoked_by text,
	revoked_reason text CHECK (char_length(revoked_reason) BETWEEN 1 AND 200),
	sessions uuid[] CHECK (cardinality(sessions) >= 1 AND cardinality(sessions) <= 32 AND array_ndims(sessions) = 1
		AND array_position(sessions, NULL) IS NULL),
	addresses cidr[] CHECK (array_ndims(addresses) = 1 AND cardinality(addresses) BETWEEN 1 AND 32
		AND array_position(addresses, NULL) IS NULL),
	per_minute integer CHECK (per_minute BETWEEN 1 AND 1000000),
	burst integer CHECK (burst BETWEEN 1 AND 1000000),
	generation integer NOT NULL DEFAULT 0,
	own_permissions bigint NOT NULL DEFAULT 0 CHECK (own_permissions BETWEEN 0 AND (1::bigint << 60) - 1),
	is_test boolean NOT NULL DEFAULT false,
	PRIMARY KEY (org_id, id),
	CONSTRAINT api_key_digest_key UNIQUE (digest),
	FOREIGN KEY (org_id, superseded_by) REFERENCES wa.api_key (org_id, id),
	CHECK (permissions OPERATOR(wa.<>) '{}'::wa.permissions OR own_permissions <> 0),
	CHECK ((per_minute IS NULL) = (burst IS NULL)),
	CHECK ((disabled_at IS NULL) = (disabled_by IS NULL)),
	CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
	CHECK (revoked_reason IS NULL OR revoked_at IS NOT NULL)
);
-- The look-up in src/key_lookup.c reads the row itself and nothing beside it.
ALTER TABLE wa.api_key ALTER COLUMN addresses SET STORAGE PLAIN;
CREATE UNIQUE INDEX api_key_live_name ON wa.api_key (org_id, lower(name))
	WHERE revoked_at IS NULL AND holds_name;
COMMENT ON TABLE wa.api_key IS
	'API keys. Changes go through `wa.create_key()` and its siblings; nobody is granted the digest';
COMMENT ON COLUMN wa.api_key.org_id IS 'the one organization that the key opens';
COMMENT ON COLUMN wa.api_key.id IS 'UUIDv7; key_… outside';
COMMENT ON COLUMN wa.api_key.name IS
	'how people find the key to revoke it; unique, in any case of letters, among the live keys of an organization';
COMMENT ON COLUMN wa.api_key.digest IS 'SHA-256 of the key';
COMMENT ON COLUMN wa.api_key.prefix IS 'its first characters, for display';
COMMENT ON COLUMN wa.api_key.permissions IS 'what it may do, of the four; not empty without own_permissions';
COMMENT ON COLUMN wa.api_key.created_at IS 'when it was made';
COMMENT ON COLUMN wa.api_key.created_by IS 'who made it: a person''s id, or a database role';
COMMENT ON COLUMN wa.api_key.expires_at IS 'from when on it is refused; NULL: never';
COMMENT ON COLUMN wa.api_key.superseded_by IS
	'the key that it was rotated to; it then lives until expires_at and no longer holds its name';
COMMENT ON COLUMN wa.api_key.holds_name IS
	'whether other keys are kept from its name; false once it was rotated, or had expired when another key took the name';
COMMENT ON COLUMN wa.api_key.disabled_at IS 'since when it is switched off; NULL: it is not';
COMMENT ON COLUMN wa.api_key.disabled_by IS 'who switched it off';
COMMENT ON COLUMN wa.api_key.revoked_at IS 'when it was revoked; NULL: it was not';
COMMENT ON COLUMN wa.api_key.revoked_by IS 'who revoked it';
COMMENT ON COLUMN wa.api_key.revoked_reason IS 'why, in the words of whoever did; NULL: they gave no reason';
COMMENT ON COLUMN wa.api_key.sessions IS
	'the only sessions that it reaches, some of which may be gone by now; NULL: it reaches all of its organization';
COMMENT ON COLUMN wa.api_key.addresses IS 'the networks of the clients that it is accepted from; NULL: all';
COMMENT ON COLUMN wa.api_key.per_minute IS 'how many requests a minute it may make; NULL: any number';
COMMENT ON COLUMN wa.api_key.burst IS 'how many of them at once';
COMMENT ON COLUMN wa.api_key.generation IS
	'counts how often it got other addresses; realtime sockets of an earlier generation are over';
COMMENT ON COLUMN wa.api_key.own_permissions IS 'what it may do besides: bit n stands for number n of `wa.own_permission`';
COMMENT ON COLUMN wa.api_key.is_test IS 'whether it is a test key, which reaches sessions of the sandbox only; it stays what it is';

SELECT wa.put_invalidation('wa.api_key', 'UPDATE OR DELETE', 'makes revocation take effect right away', 'org_id');

CREATE TABLE wa.audit (
	org_id uuid NOT NULL REFERENCES wa.org,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	at timestamptz(3) NOT NULL DEFAULT clock_timestamp() CHECK (isfinite(at)),
	actor text NOT NULL,
	actor_name text CHECK (actor_name <> ''),
	action text NOT NULL,
	subject uuid,
	detail jsonb NOT NULL DEFAULT '{}',
	sequence bigint CHECK (sequence > 0),
	hash bytea CHECK (octet_length(hash) = 32),
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, sequence),
	CHECK ((sequence IS NULL) = (hash IS NULL))
);
CREATE INDEX audit_unlinked ON wa.audit (org_id, id) WHERE sequence IS NULL;
CREATE INDEX audit_action ON wa.audit (org_id, action, id);
CREATE INDEX audit_actor ON wa.audit (org_id, actor, id);
CREATE INDEX audit_subject ON wa.audit (org_id, subject, id);
COMMENT ON TABLE wa.audit IS
	'who did what to sessions, webhooks, keys, people and organizations. Rows are added, and get their place in the chain once; beyond that none is changed or removed, not even by the owner';
COMMENT ON COLUMN wa.audit.org_id IS 'the organization it happened in';
COMMENT ON COLUMN wa.audit.id IS 'UUIDv7, so that the order of ids is the order in which rows were written';
COMMENT ON COLUMN wa.audit.at IS 'when it happened, to the millisecond, which for key.used_first, key.denied and user.sign_in_failed is somewhat before it is written';
COMMENT ON COLUMN wa.audit.actor IS 'who did it: usr_… or key_…, or a database role; anonymous for user.sign_in_failed';
COMMENT ON COLUMN wa.audit.actor_name IS 'what a person or key that did it was called then; NULL for database roles';
COMMENT ON COLUMN wa.audit.action IS 'what was done, as noun.verb: key.created, key.revoked, …';
COMMENT ON COLUMN wa.audit.subject IS 'the id of what it was done to';
COMMENT ON COLUMN wa.audit.detail IS 'more about it; never a secret';
COMMENT ON COLUMN wa.audit.sequence IS 'its place in the organization''s chain, from 1 on without a gap; NULL: wa.housekeep() has not given it one yet';
COMMENT ON COLUMN wa.audit.hash IS 'SHA-256 of the entry and of the hash before it (wa.audit_hash())';

-- The images of the two rows are compared, because equal numbers in jsonb can be written
-- differently.
CREATE FUNCTION wa.refuse_change() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND OLD.sequence IS NULL AND NEW.sequence IS NOT NULL THEN
		OLD.sequence := NEW.sequence;
		OLD.hash := NEW.hash;
		IF OLD *= NEW THEN
			RETURN NEW;
		END IF;
	END IF;
	RAISE EXCEPTION 'rows of %.% cannot be changed or removed', TG_TABLE_SCHEMA, TG_TABLE_NAME
		USING ERRCODE = 'insufficient_privilege';
END $$;
COMMENT ON FUNCTION wa.refuse_change() IS 'trigger: keeps the audit log append-only; an entry without a place in the chain may get one';
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON wa.audit
	FOR EACH ROW EXECUTE FUNCTION wa.refuse_change();
ALTER TABLE wa.audit ENABLE ALWAYS TRIGGER audit_append_only;
COMMENT ON TRIGGER audit_append_only ON wa.audit IS 'not even the owner rewrites the log';
CREATE TRIGGER audit_append_only_all BEFORE TRUNCATE ON wa.audit
	FOR EACH STATEMENT EXECUTE FUNCTION wa.refuse_change();
ALTER TABLE wa.audit ENABLE ALWAYS TRIGGER audit_append_only_all;
COMMENT ON TRIGGER audit_append_only_all ON wa.audit IS 'the same for TRUNCATE';

CREATE TABLE wa.org_limits (
	org_id uuid NOT NULL REFERENCES wa.org,
	name text NOT NULL CHECK (name IN ('sessions', 'webhooks', 'keys', 'members', 'queued_messages', 'webhook_tests', 'sockets', 'media_mebibytes', 'received_mebibytes')),
	value integer NOT NULL CHECK (value >= 0),
	PRIMARY KEY (org_id, name)
);
COMMENT ON TABLE wa.org_limits IS 'how much of what an organization may have, where that is not the default of `wa.default_limits()`';
COMMENT ON COLUMN wa.org_limits.org_id IS 'the organization';
COMMENT ON COLUMN wa.org_limits.name IS 'of what: sessions, webhooks, keys, members, webhook_tests on their way, queued_messages of one session, sockets of one process of a gateway, media_mebibytes of files that were uploaded, or received_mebibytes of others';
COMMENT ON COLUMN wa.org_limits.value IS 'how many';
SELECT wa.put_durability('wa.org_limits', 'INSERT OR UPDATE OR DELETE', 'makes a lower limit survive a crash');

CREATE TABLE wa.key_policy (
	org_id uuid NOT NULL REFERENCES wa.org,
	default_days integer CHECK (default_days BETWEEN 1 AND 3650),
	max_days integer CHECK (max_days BETWEEN 1 AND 3650),
	PRIMARY KEY (org_id),
	CHECK (default_days <= max_days)
);
COMMENT ON TABLE wa.key_policy IS 'how long the API keys of an organization live; without a row they may live for ever';
COMMENT ON COLUMN wa.key_policy.org_id IS 'the organization';
COMMENT ON COLUMN wa.key_policy.default_days IS
	'after how many days a key expires for which no time is given; NULL: after max_days, or never if that is NULL too';
COMMENT ON COLUMN wa.key_policy.max_days IS 'the most days from when a key is made to when it expires; NULL: it may live for ever';
SELECT wa.put_durability('wa.key_policy', 'INSERT OR UPDATE OR DELETE', 'makes a stricter policy survive a crash');

CREATE TABLE wa.key_warning (
	org_id uuid NOT NULL,
	key_id uuid NOT NULL,
	days integer NOT NULL CHECK (days IN (1, 7)),
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (org_id, key_id, days),
	FOREIGN KEY (org_id, key_id) REFERENCES wa.api_key (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE wa.key_warning IS 'the events key.expiring that were written. A new expiry takes the rows away';
COMMENT ON COLUMN wa.key_warning.org_id IS 'the organization of the key';
COMMENT ON COLUMN wa.key_warning.key_id IS 'the key';
COMMENT ON COLUMN wa.key_warning.days IS 'how many days it had left at most';
COMMENT ON COLUMN wa.key_warning.at IS 'when the event was written';

-- What housekeeping looks for.
CREATE INDEX api_key_expiry ON wa.api_key (org_id, expires_at) WHERE revoked_at IS NULL AND superseded_by IS NULL;

-- Whose reports of secrets in public count (schema/81-secret-scanning.sql).
CREATE TABLE wa.scanner_key (
	scanner text NOT NULL CHECK (char_length(scanner) BETWEEN 1 AND 40),
	identifier text NOT NULL CHECK (char_length(identifier) BETWEEN 1 AND 200),
	public_key bytea NOT NULL,
	added_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (scanner, identifier)
);
COMMENT ON TABLE wa.scanner_key IS 'public keys of services that report secrets which they find in public code';
COMMENT ON COLUMN wa.scanner_key.scanner IS 'what the service is called, such as `github`';
COMMENT ON COLUMN wa.scanner_key.identifier IS 'what the service calls the key';
COMMENT ON COLUMN wa.scanner_key.public_key IS 'the key in DER';
COMMENT ON COLUMN wa.scanner_key.added_at IS 'when an administrator set it';
ALTER TABLE wa.scanner_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.scanner_key TO wa_owner USING (true);
SELECT wa.put_durability('wa.scanner_key', 'UPDATE OR DELETE', 'makes the removal of a key survive a crash');

-- Permissions that administrators define for tables of their own
-- (schema/33-own-permissions.sql).  They belong to no organization, and nobody but
-- administrators, the library and function bodies reads them.
CREATE TABLE wa.own_permission (
	number smallint NOT NULL CHECK (number BETWEEN 0 AND 59),
	name text COLLATE "C" NOT NULL CHECK (octet_length(name) >= 3 AND octet_length(name) <= 63 AND name LIKE '_%:_%'),
	description text NOT NULL CHECK (char_length(description) BETWEEN 1 AND 200),
	grantable boolean NOT NULL,
	defined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	defined_by text NOT NULL,
	dropped_at timestamptz,
	dropped_by text,
	PRIMARY KEY (number),
	CHECK ((dropped_at IS NULL) = (dropped_by IS NULL))
);
CREATE UNIQUE INDEX own_permission_name ON wa.own_permission (name) WHERE dropped_at IS NULL;
COMMENT ON TABLE wa.own_permission IS
	'permissions that administrators have defined beside the four; a number is never used again';
COMMENT ON COLUMN wa.own_permission.number IS 'what keys store, from 0';
COMMENT ON COLUMN wa.own_permission.name IS 'what policies and callers use; unique among those that are not dropped';
COMMENT ON COLUMN wa.own_permission.description IS 'what it allows, for whoever makes a key';
COMMENT ON COLUMN wa.own_permission.grantable IS 'whether owners and admins may give it to keys of their organizations';
COMMENT ON COLUMN wa.own_permission.defined_at IS 'when it was defined';
COMMENT ON COLUMN wa.own_permission.defined_by IS 'who defined it';
COMMENT ON COLUMN wa.own_permission.dropped_at IS 'when it was dropped; NULL: it was not';
COMMENT ON COLUMN wa.own_permission.dropped_by IS 'who dropped it';
ALTER TABLE wa.own_permission ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.own_permission TO wa_owner USING (true);
SELECT wa.put_invalidation('wa.own_permission', 'UPDATE OR DELETE', 'makes every backend forget the names');

-- Tables whose rows pg_dump includes.
SELECT pg_catalog.pg_extension_config_dump('wa.org', '');
SELECT pg_catalog.pg_extension_config_dump('wa.org_limits', '');
SELECT pg_catalog.pg_extension_config_dump('wa.own_permission', '');
SELECT pg_catalog.pg_extension_config_dump('wa.api_key', '');
SELECT pg_catalog.pg_extension_config_dump('wa.key_policy', '');
SELECT pg_catalog.pg_extension_config_dump('wa.key_warning', '');
SELECT pg_catalog.pg_extension_config_dump('wa.audit', '');
SELECT pg_catalog.pg_extension_config_dump('wa.scanner_key', '');
