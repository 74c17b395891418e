-- Tables.  Every primary key, unique constraint, foreign key and index of a
-- tenant table leads with org_id, so that nothing that a query can measure or
-- collide with reaches into another organization (threats P03, P17, P18).  The
-- one exception is the digest index of the key table, which only the lookup in
-- src/key_lookup.c reads.

-- What a person may type as a name: not empty, not blank, not endless.
CREATE FUNCTION wa.is_name(name text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT name = btrim(name) AND name <> '' AND char_length(name) <= 100 AND name !~ '[[:cntrl:]]' $$;
COMMENT ON FUNCTION wa.is_name(text) IS
	'whether a text can be a name: 1 to 100 characters, none of them control characters, no blanks around';

CREATE TABLE wa.org (
	id uuid NOT NULL DEFAULT wa.uuid7(),
	name text NOT NULL CHECK (wa.is_name(name)),
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (id)
);
COMMENT ON TABLE wa.org IS 'organizations: the tenants';
COMMENT ON COLUMN wa.org.id IS 'UUIDv7; org_… outside';
COMMENT ON COLUMN wa.org.name IS 'what people call it; need not be unique';
COMMENT ON COLUMN wa.org.created_at IS 'when it was made';

CREATE TABLE wa.api_key (
	org_id uuid NOT NULL REFERENCES wa.org,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	name text NOT NULL CHECK (wa.is_name(name)),
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	prefix text NOT NULL CHECK (char_length(prefix) BETWEEN 1 AND 8),
	permissions wa.permissions NOT NULL CHECK (permissions OPERATOR(wa.<>) '{}'::wa.permissions),
	created_at timestamptz NOT NULL DEFAULT now(),
	created_by text NOT NULL,
	expires_at timestamptz CHECK (isfinite(expires_at)),
	superseded_by uuid,
	revoked_at timestamptz,
	revoked_by text,
	PRIMARY KEY (org_id, id),
	CONSTRAINT api_key_digest_key UNIQUE (digest),
	FOREIGN KEY (org_id, superseded_by) REFERENCES wa.api_key (org_id, id),
	CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE UNIQUE INDEX api_key_live_name ON wa.api_key (org_id, lower(name))
	WHERE revoked_at IS NULL AND superseded_by IS NULL;
COMMENT ON TABLE wa.api_key IS
	'API keys; no role has a grant on the digests, changes go through wa.create_key and its siblings';
COMMENT ON COLUMN wa.api_key.org_id IS 'the one organization that the key opens';
COMMENT ON COLUMN wa.api_key.id IS 'UUIDv7; key_… outside';
COMMENT ON COLUMN wa.api_key.name IS
	'how people find the key to revoke it; unique, in any case of letters, among the live keys of an organization';
COMMENT ON COLUMN wa.api_key.digest IS 'SHA-256 of the key';
COMMENT ON COLUMN wa.api_key.prefix IS 'its first characters, for display';
COMMENT ON COLUMN wa.api_key.permissions IS 'what it may do; never empty';
COMMENT ON COLUMN wa.api_key.created_at IS 'when it was made';
COMMENT ON COLUMN wa.api_key.created_by IS 'who made it: a person''s id, or a database role';
COMMENT ON COLUMN wa.api_key.expires_at IS 'from when on it is refused; NULL: never';
COMMENT ON COLUMN wa.api_key.superseded_by IS
	'the key that it was rotated to; it then lives until expires_at and no longer holds its name';
COMMENT ON COLUMN wa.api_key.revoked_at IS 'when it was revoked; NULL: it was not';
COMMENT ON COLUMN wa.api_key.revoked_by IS 'who revoked it';

-- Whatever changes a key, and however, every backend hears of it when the
-- change commits.  By row, because the workers of logical replication fire row
-- triggers only, and ALWAYS, because they fire no others.
CREATE TRIGGER api_key_invalidate AFTER UPDATE OR DELETE ON wa.api_key
	FOR EACH ROW EXECUTE FUNCTION wa.invalidate();
ALTER TABLE wa.api_key ENABLE ALWAYS TRIGGER api_key_invalidate;
COMMENT ON TRIGGER api_key_invalidate ON wa.api_key IS 'makes revocation take effect right away';
CREATE TRIGGER api_key_invalidate_all AFTER TRUNCATE ON wa.api_key
	FOR EACH STATEMENT EXECUTE FUNCTION wa.invalidate();
ALTER TABLE wa.api_key ENABLE ALWAYS TRIGGER api_key_invalidate_all;
COMMENT ON TRIGGER api_key_invalidate_all ON wa.api_key IS 'the same for TRUNCATE';

CREATE TABLE wa.audit (
	org_id uuid NOT NULL REFERENCES wa.org,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	actor text NOT NULL,
	action text NOT NULL,
	subject uuid,
	detail jsonb NOT NULL DEFAULT '{}',
	PRIMARY KEY (org_id, id)
);
COMMENT ON TABLE wa.audit IS 'who did what to keys and organizations; rows can be added, never changed or removed';
COMMENT ON COLUMN wa.audit.org_id IS 'the organization it happened in';
COMMENT ON COLUMN wa.audit.id IS 'UUIDv7, so that the order of ids is the order in time';
COMMENT ON COLUMN wa.audit.at IS 'when it happened';
COMMENT ON COLUMN wa.audit.actor IS 'who did it: usr_… or key_…, or a database role';
COMMENT ON COLUMN wa.audit.action IS 'what was done, as noun.verb: key.created, key.revoked, …';
COMMENT ON COLUMN wa.audit.subject IS 'the id of what it was done to';
COMMENT ON COLUMN wa.audit.detail IS 'more about it; never a secret';

CREATE FUNCTION wa.refuse_change() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'rows of %.% cannot be changed or removed', TG_TABLE_SCHEMA, TG_TABLE_NAME
		USING ERRCODE = 'insufficient_privilege';
END $$;
REVOKE ALL ON FUNCTION wa.refuse_change() FROM PUBLIC;
COMMENT ON FUNCTION wa.refuse_change() IS 'trigger: keeps a table append-only';
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON wa.audit
	FOR EACH ROW EXECUTE FUNCTION wa.refuse_change();
ALTER TABLE wa.audit ENABLE ALWAYS TRIGGER audit_append_only;
COMMENT ON TRIGGER audit_append_only ON wa.audit IS 'not even the owner rewrites the log';
CREATE TRIGGER audit_append_only_all BEFORE TRUNCATE ON wa.audit
	FOR EACH STATEMENT EXECUTE FUNCTION wa.refuse_change();
ALTER TABLE wa.audit ENABLE ALWAYS TRIGGER audit_append_only_all;
COMMENT ON TRIGGER audit_append_only_all ON wa.audit IS 'the same for TRUNCATE';

CREATE TABLE wa.session (
	org_id uuid NOT NULL REFERENCES wa.org,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	label text CHECK (wa.is_name(label)),
	status text NOT NULL DEFAULT 'stopped'
		CHECK (status IN ('starting', 'scan_qr_code', 'working', 'stopped', 'failed', 'logged_out')),
	connector text NOT NULL DEFAULT 'sandbox' CHECK (connector ~ '^[a-z][a-z0-9_-]{0,30}$'),
	phone_number text,
	wa_jid text,
	auto_read boolean NOT NULL DEFAULT false,
	presence_typing boolean NOT NULL DEFAULT false,
	rate_per_min integer NOT NULL DEFAULT 20 CHECK (rate_per_min BETWEEN 0 AND 100000),
	rate_per_hour integer NOT NULL DEFAULT 200 CHECK (rate_per_hour BETWEEN 0 AND 1000000),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	last_connected_at timestamptz,
	lease_owner text,
	lease_until timestamptz,
	PRIMARY KEY (org_id, id),
	CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
COMMENT ON TABLE wa.session IS 'WhatsApp accounts that the gateway speaks for';
COMMENT ON COLUMN wa.session.org_id IS 'the organization it belongs to';
COMMENT ON COLUMN wa.session.id IS 'UUIDv7; sess_… outside';
COMMENT ON COLUMN wa.session.label IS 'what people call it';
COMMENT ON COLUMN wa.session.status IS 'where its connection stands';
COMMENT ON COLUMN wa.session.connector IS 'which kind of connector runs it';
COMMENT ON COLUMN wa.session.phone_number IS 'E.164 digits, once it is paired';
COMMENT ON COLUMN wa.session.wa_jid IS 'its WhatsApp address, once it is paired';
COMMENT ON COLUMN wa.session.auto_read IS 'whether received messages are marked as read at once';
COMMENT ON COLUMN wa.session.presence_typing IS 'whether "typing" is shown before a message is sent';
COMMENT ON COLUMN wa.session.rate_per_min IS 'messages that it accepts in a minute; 0: no limit';
COMMENT ON COLUMN wa.session.rate_per_hour IS 'messages that it accepts in an hour; 0: no limit';
COMMENT ON COLUMN wa.session.created_at IS 'when it was made';
COMMENT ON COLUMN wa.session.updated_at IS 'when anything of it last changed';
COMMENT ON COLUMN wa.session.last_connected_at IS 'when it last became working';
COMMENT ON COLUMN wa.session.lease_owner IS 'the connector process that runs it now';
COMMENT ON COLUMN wa.session.lease_until IS 'until when, unless that process renews it';

CREATE TABLE wa.session_pairing (
	org_id uuid NOT NULL,
	session_id uuid NOT NULL,
	qr_code text,
	qr_expires_at timestamptz,
	phone text,
	code text,
	PRIMARY KEY (org_id, session_id),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE
);
COMMENT ON TABLE wa.session_pairing IS
	'what pairs a phone with a session; whoever reads it can take the session over, so it needs manage';
COMMENT ON COLUMN wa.session_pairing.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.session_pairing.session_id IS 'the session that waits to be paired';
COMMENT ON COLUMN wa.session_pairing.qr_code IS 'text of the QR code';
COMMENT ON COLUMN wa.session_pairing.qr_expires_at IS 'until when it can be scanned';
COMMENT ON COLUMN wa.session_pairing.phone IS 'E.164 digits of the phone that asks to be paired by code';
COMMENT ON COLUMN wa.session_pairing.code IS
	'the code to type into that phone; made here, and told to WhatsApp by the connector';

CREATE TABLE wa.chat (
	org_id uuid NOT NULL,
	session_id uuid NOT NULL,
	jid text NOT NULL,
	type text NOT NULL CHECK (type IN ('dm', 'group', 'newsletter', 'broadcast', 'status')),
	name text,
	active_at timestamptz NOT NULL DEFAULT now(),
	last_message_at timestamptz,
	unread_count integer NOT NULL DEFAULT 0 CHECK (unread_count >= 0),
	archived boolean NOT NULL DEFAULT false,
	pinned boolean NOT NULL DEFAULT false,
	muted_until timestamptz,
	PRIMARY KEY (org_id, session_id, jid),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE
);
CREATE INDEX chat_recent ON wa.chat (org_id, session_id, active_at DESC, jid);
COMMENT ON TABLE wa.chat IS 'conversations of a session';
COMMENT ON COLUMN wa.chat.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.chat.session_id IS 'the session whose conversation it is';
COMMENT ON COLUMN wa.chat.jid IS 'WhatsApp address of the other side';
COMMENT ON COLUMN wa.chat.type IS 'what kind of address that is';
COMMENT ON COLUMN wa.chat.name IS 'what WhatsApp calls it';
COMMENT ON COLUMN wa.chat.active_at IS 'what lists are ordered by: the last message, or when the chat appeared';
COMMENT ON COLUMN wa.chat.last_message_at IS 'time of the last message';
COMMENT ON COLUMN wa.chat.unread_count IS 'received messages that nobody has read';
COMMENT ON COLUMN wa.chat.archived IS 'whether it is archived';
COMMENT ON COLUMN wa.chat.pinned IS 'whether it is pinned';
COMMENT ON COLUMN wa.chat.muted_until IS 'until when it makes no sound';

CREATE TABLE wa.contact (
	org_id uuid NOT NULL,
	session_id uuid NOT NULL,
	jid text NOT NULL,
	phone_number text,
	name text,
	business_name text,
	first_seen_at timestamptz NOT NULL DEFAULT now(),
	last_seen_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, session_id, jid),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE
);
COMMENT ON TABLE wa.contact IS 'people whom a session has met';
COMMENT ON COLUMN wa.contact.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.contact.session_id IS 'the session that met them';
COMMENT ON COLUMN wa.contact.jid IS 'WhatsApp address';
COMMENT ON COLUMN wa.contact.phone_number IS 'E.164 digits, if the address tells them';
COMMENT ON COLUMN wa.contact.name IS 'the name that the person chose';
COMMENT ON COLUMN wa.contact.business_name IS 'the verified name of a business';
COMMENT ON COLUMN wa.contact.first_seen_at IS 'when the session first met them';
COMMENT ON COLUMN wa.contact.last_seen_at IS 'when it last heard from them';

CREATE TABLE wa.message (
	org_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	session_id uuid NOT NULL,
	chat_jid text NOT NULL,
	wa_message_id text,
	direction text NOT NULL CHECK (direction IN ('in', 'out')),
	sender_jid text,
	sender_name text,
	type text NOT NULL CHECK (type IN ('text', 'image', 'video', 'audio', 'document', 'sticker',
									   'location', 'contact', 'poll')),
	body text,
	content jsonb,
	quoted_message_id uuid,
	mentions text[],
	media jsonb,
	media_data bytea,
	status text NOT NULL
		CHECK (status IN ('queued', 'sending', 'sent', 'delivered', 'read', 'played', 'failed')),
	error text,
	edited boolean NOT NULL DEFAULT false,
	revoked boolean NOT NULL DEFAULT false,
	forwarded boolean NOT NULL DEFAULT false,
	reactions jsonb,
	sent_at timestamptz NOT NULL DEFAULT now(),
	created_at timestamptz NOT NULL DEFAULT now(),
	attempts integer NOT NULL DEFAULT 0,
	lease_owner text,
	lease_until timestamptz,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE,
	FOREIGN KEY (org_id, session_id, chat_jid) REFERENCES wa.chat ON DELETE CASCADE,
	CHECK (direction = 'out' OR status IN ('delivered', 'read', 'played'))
);
CREATE INDEX message_in_chat ON wa.message (org_id, session_id, chat_jid, id DESC);
CREATE UNIQUE INDEX message_wa_id ON wa.message (org_id, session_id, wa_message_id)
	WHERE wa_message_id IS NOT NULL;
CREATE INDEX message_unread ON wa.message (org_id, session_id, chat_jid)
	WHERE direction = 'in' AND status = 'delivered';
CREATE INDEX message_queue ON wa.message (org_id, session_id, id)
	WHERE status IN ('queued', 'sending');
COMMENT ON TABLE wa.message IS
	'messages, received and to be sent; a message to send is its own queue entry';
COMMENT ON COLUMN wa.message.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.message.id IS 'UUIDv7; msg_… outside';
COMMENT ON COLUMN wa.message.session_id IS 'the session that sent or received it';
COMMENT ON COLUMN wa.message.chat_jid IS 'the chat it is in';
COMMENT ON COLUMN wa.message.wa_message_id IS 'WhatsApp''s own id, once it has one';
COMMENT ON COLUMN wa.message.direction IS 'in: received; out: sent by the session';
COMMENT ON COLUMN wa.message.sender_jid IS 'who sent a received message';
COMMENT ON COLUMN wa.message.sender_name IS 'the name that the sender chose';
COMMENT ON COLUMN wa.message.type IS 'what it carries';
COMMENT ON COLUMN wa.message.body IS 'its text, or the caption of its attachment';
COMMENT ON COLUMN wa.message.content IS 'what else its type carries, as the send request named it';
COMMENT ON COLUMN wa.message.quoted_message_id IS 'the message that it answers, if that one is known';
COMMENT ON COLUMN wa.message.mentions IS 'addresses that it mentions';
COMMENT ON COLUMN wa.message.media IS 'about its attachment: url, mimetype, filename, size';
COMMENT ON COLUMN wa.message.media_data IS 'the attachment itself, if it came with the request';
COMMENT ON COLUMN wa.message.status IS
	'how far it got; sending: a connector has it, and may have handed it to WhatsApp';
COMMENT ON COLUMN wa.message.error IS 'why it failed';
COMMENT ON COLUMN wa.message.edited IS 'whether its text was changed after it was sent';
COMMENT ON COLUMN wa.message.revoked IS 'whether it was deleted for everyone';
COMMENT ON COLUMN wa.message.forwarded IS 'whether it is the copy of another message';
COMMENT ON COLUMN wa.message.reactions IS 'who reacted with what: address to emoji; me is the session itself';
COMMENT ON COLUMN wa.message.sent_at IS 'when it was sent, by WhatsApp''s clock once that is known';
COMMENT ON COLUMN wa.message.created_at IS 'when this row was made';
COMMENT ON COLUMN wa.message.attempts IS 'how often a connector has taken it';
COMMENT ON COLUMN wa.message.lease_owner IS 'the connector process that has it';
COMMENT ON COLUMN wa.message.lease_until IS
	'until when, if it is sending; if it is queued: not before then';

CREATE TABLE wa.message_action (
	org_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	session_id uuid NOT NULL,
	message_id uuid NOT NULL,
	type text NOT NULL CHECK (type IN ('react', 'edit', 'revoke', 'forward')),
	payload jsonb NOT NULL DEFAULT '{}',
	status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sending', 'done', 'failed')),
	error text,
	created_at timestamptz NOT NULL DEFAULT now(),
	attempts integer NOT NULL DEFAULT 0,
	lease_owner text,
	lease_until timestamptz,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE,
	FOREIGN KEY (org_id, message_id) REFERENCES wa.message ON DELETE CASCADE
);
CREATE INDEX message_action_of_message ON wa.message_action (org_id, message_id);
CREATE INDEX message_action_queue ON wa.message_action (org_id, session_id, id)
	WHERE status IN ('queued', 'sending');
COMMENT ON TABLE wa.message_action IS 'reactions, edits, revocations and forwards on their way to WhatsApp';
COMMENT ON COLUMN wa.message_action.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.message_action.id IS 'UUIDv7; act_… outside';
COMMENT ON COLUMN wa.message_action.session_id IS 'the session that carries it out';
COMMENT ON COLUMN wa.message_action.message_id IS 'the message that it is about';
COMMENT ON COLUMN wa.message_action.type IS 'what is done to the message';
COMMENT ON COLUMN wa.message_action.payload IS 'the emoji, the new text, or whom to forward to';
COMMENT ON COLUMN wa.message_action.status IS 'how far it got';
COMMENT ON COLUMN wa.message_action.error IS 'why it failed';
COMMENT ON COLUMN wa.message_action.created_at IS 'when it was asked for';
COMMENT ON COLUMN wa.message_action.attempts IS 'how often a connector has taken it';
COMMENT ON COLUMN wa.message_action.lease_owner IS 'the connector process that has it';
COMMENT ON COLUMN wa.message_action.lease_until IS 'until when that process has it';

-- How many messages a session has accepted in the running minute and hour.
CREATE TABLE wa.session_rate (
	org_id uuid NOT NULL,
	session_id uuid NOT NULL,
	minute_start timestamptz NOT NULL DEFAULT '-infinity',
	minute_count integer NOT NULL DEFAULT 0,
	hour_start timestamptz NOT NULL DEFAULT '-infinity',
	hour_count integer NOT NULL DEFAULT 0,
	PRIMARY KEY (org_id, session_id),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE
);
COMMENT ON TABLE wa.session_rate IS
	'send limits: messages accepted in the minute and the hour that began with their first one';
COMMENT ON COLUMN wa.session_rate.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.session_rate.session_id IS 'the session that is counted';
COMMENT ON COLUMN wa.session_rate.minute_start IS 'when the running minute began';
COMMENT ON COLUMN wa.session_rate.minute_count IS 'messages accepted in it';
COMMENT ON COLUMN wa.session_rate.hour_start IS 'when the running hour began';
COMMENT ON COLUMN wa.session_rate.hour_count IS 'messages accepted in it';

CREATE TABLE wa.idempotency (
	org_id uuid NOT NULL REFERENCES wa.org,
	key text NOT NULL CHECK (key ~ '^[\x20-\x7e]{1,255}$'),
	request_digest bytea NOT NULL CHECK (octet_length(request_digest) = 32),
	message_id uuid NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, key)
);
CREATE INDEX idempotency_age ON wa.idempotency (org_id, created_at);
COMMENT ON TABLE wa.idempotency IS
	'send requests that carried an Idempotency-Key, for 24 hours';
COMMENT ON COLUMN wa.idempotency.org_id IS 'the organization that sent it';
COMMENT ON COLUMN wa.idempotency.key IS 'the caller''s key';
COMMENT ON COLUMN wa.idempotency.request_digest IS 'SHA-256 of what was asked for';
COMMENT ON COLUMN wa.idempotency.message_id IS 'the message that was made; it may be gone by now';
COMMENT ON COLUMN wa.idempotency.created_at IS 'when the first of these requests came';

CREATE TABLE wa.webhook (
	org_id uuid NOT NULL REFERENCES wa.org,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	session_id uuid,
	url text NOT NULL,
	events text[] NOT NULL DEFAULT '{*}',
	custom_headers jsonb,
	retry_policy text NOT NULL DEFAULT 'exponential' CHECK (retry_policy IN ('exponential', 'linear', 'constant')),
	retry_delay_seconds integer NOT NULL DEFAULT 2 CHECK (retry_delay_seconds BETWEEN 1 AND 3600),
	retry_attempts integer NOT NULL DEFAULT 15 CHECK (retry_attempts BETWEEN 1 AND 50),
	active boolean NOT NULL DEFAULT true,
	secret text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE
);
CREATE INDEX webhook_of_session ON wa.webhook (org_id, session_id);
COMMENT ON TABLE wa.webhook IS 'where events are delivered to';
COMMENT ON COLUMN wa.webhook.org_id IS 'the organization whose events it gets';
COMMENT ON COLUMN wa.webhook.id IS 'UUIDv7; wh_… outside';
COMMENT ON COLUMN wa.webhook.session_id IS 'the one session whose events it gets; NULL: all of them';
COMMENT ON COLUMN wa.webhook.url IS 'the receiver';
COMMENT ON COLUMN wa.webhook.events IS 'event types; * stands for all, an empty list for none';
COMMENT ON COLUMN wa.webhook.custom_headers IS 'header fields that the receiver wants, name to value';
COMMENT ON COLUMN wa.webhook.retry_policy IS 'how the pauses between attempts grow';
COMMENT ON COLUMN wa.webhook.retry_delay_seconds IS 'the first pause';
COMMENT ON COLUMN wa.webhook.retry_attempts IS 'attempts before a delivery is given up';
COMMENT ON COLUMN wa.webhook.active IS 'whether deliveries are made';
COMMENT ON COLUMN wa.webhook.secret IS 'what signatures are made with; granted to nobody';
COMMENT ON COLUMN wa.webhook.created_at IS 'when it was made';
COMMENT ON COLUMN wa.webhook.updated_at IS 'when it was last changed';

CREATE TABLE wa.statement (
	role_name name NOT NULL,
	name text NOT NULL,
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	source text NOT NULL,
	PRIMARY KEY (role_name, name),
	UNIQUE (role_name, digest)
);
CREATE TRIGGER statement_invalidate AFTER INSERT OR UPDATE OR DELETE ON wa.statement
	FOR EACH ROW EXECUTE FUNCTION wa.invalidate();
ALTER TABLE wa.statement ENABLE ALWAYS TRIGGER statement_invalidate;
CREATE TRIGGER statement_invalidate_all AFTER TRUNCATE ON wa.statement
	FOR EACH STATEMENT EXECUTE FUNCTION wa.invalidate();
ALTER TABLE wa.statement ENABLE ALWAYS TRIGGER statement_invalidate_all;
COMMENT ON TRIGGER statement_invalidate_all ON wa.statement IS 'the same for TRUNCATE';
COMMENT ON TABLE wa.statement IS
	'the statements that sealed roles may run; written by the install and update scripts only, part of no dump';
COMMENT ON COLUMN wa.statement.role_name IS 'the sealed role';
COMMENT ON COLUMN wa.statement.name IS 'name of the statement, as of its file in gateway/statements';
COMMENT ON COLUMN wa.statement.digest IS 'SHA-256 of its text: what the seal compares';
COMMENT ON COLUMN wa.statement.source IS 'its text, for people';
COMMENT ON TRIGGER statement_invalidate ON wa.statement IS 'makes every backend read the list again';

-- What pg_dump has to carry: everything but the statements, which belong to
-- the release and come with CREATE EXTENSION.
SELECT pg_catalog.pg_extension_config_dump('wa.org', '');
SELECT pg_catalog.pg_extension_config_dump('wa.api_key', '');
SELECT pg_catalog.pg_extension_config_dump('wa.audit', '');
SELECT pg_catalog.pg_extension_config_dump('wa.session', '');
SELECT pg_catalog.pg_extension_config_dump('wa.session_pairing', '');
SELECT pg_catalog.pg_extension_config_dump('wa.chat', '');
SELECT pg_catalog.pg_extension_config_dump('wa.contact', '');
SELECT pg_catalog.pg_extension_config_dump('wa.message', '');
SELECT pg_catalog.pg_extension_config_dump('wa.message_action', '');
SELECT pg_catalog.pg_extension_config_dump('wa.session_rate', '');
SELECT pg_catalog.pg_extension_config_dump('wa.idempotency', '');
SELECT pg_catalog.pg_extension_config_dump('wa.webhook', '');
