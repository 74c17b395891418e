-- Sessions, and what belongs to them: chats and contacts.

CREATE TABLE wa.session (
	org_id uuid NOT NULL REFERENCES wa.org,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	label text CHECK (label = btrim(label) AND char_length(label) BETWEEN 1 AND 100),
	status text NOT NULL DEFAULT 'stopped'
		CHECK (status IN ('starting', 'scan_qr_code', 'working', 'stopped', 'failed', 'logged_out')),
	status_reason text CHECK (char_length(status_reason) BETWEEN 1 AND 500),
	connector text NOT NULL DEFAULT 'sandbox' CHECK (connector ~ '^[a-z][a-z0-9_-]{0,30}$'),
	phone_number text,
	wa_jid text,
	pairing integer NOT NULL DEFAULT 1,
	queue_error text,
	auto_read boolean NOT NULL DEFAULT false,
	presence_typing boolean NOT NULL DEFAULT false,
	rate_per_min integer NOT NULL DEFAULT 20 CHECK (rate_per_min BETWEEN 0 AND 100000),
	rate_per_hour integer NOT NULL DEFAULT 200 CHECK (rate_per_hour BETWEEN 0 AND 1000000),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	last_connected_at timestamptz,
	lease_owner text,
	lease_until timestamptz,
	deleted_at timestamptz,
	PRIMARY KEY (org_id, id),
	CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
CREATE INDEX session_queue_error ON wa.session (org_id, id) WHERE queue_error IS NOT NULL;
COMMENT ON TABLE wa.session IS 'WhatsApp accounts that the gateway speaks for. Needs `read`';
COMMENT ON COLUMN wa.session.org_id IS 'the organization it belongs to';
COMMENT ON COLUMN wa.session.id IS 'UUIDv7; sess_… outside';
COMMENT ON COLUMN wa.session.label IS 'what people call it';
COMMENT ON COLUMN wa.session.status IS 'where its connection stands';
COMMENT ON COLUMN wa.session.status_reason IS 'why, in words for people, as its connector last reported it; NULL: there is nothing to say';
COMMENT ON COLUMN wa.session.connector IS 'which kind of connector runs it';
COMMENT ON COLUMN wa.session.phone_number IS 'E.164 digits, once it is paired';
COMMENT ON COLUMN wa.session.wa_jid IS 'its WhatsApp address, once it is paired';
COMMENT ON COLUMN wa.session.pairing IS
	'counts up when it is logged out or gets another phone number; what was queued in an earlier pairing is not sent any more';
COMMENT ON COLUMN wa.session.queue_error IS
	'why what is left in the queue from earlier pairings fails; NULL: nothing is left';
COMMENT ON COLUMN wa.session.auto_read IS 'whether received messages are marked as read at once';
COMMENT ON COLUMN wa.session.presence_typing IS
	'whether "typing" is shown before a message is sent; told to connectors, and `wa-sandbox` does not do it';
COMMENT ON COLUMN wa.session.rate_per_min IS 'messages that it accepts in a minute; 0: no limit';
COMMENT ON COLUMN wa.session.rate_per_hour IS 'messages that it accepts in an hour; 0: no limit';
COMMENT ON COLUMN wa.session.created_at IS 'when it was made';
COMMENT ON COLUMN wa.session.updated_at IS 'when anything of it last changed';
COMMENT ON COLUMN wa.session.last_connected_at IS 'when it last became working';
COMMENT ON COLUMN wa.session.lease_owner IS 'the connector process that runs it now';
COMMENT ON COLUMN wa.session.lease_until IS 'until when, unless that process renews it';
COMMENT ON COLUMN wa.session.deleted_at IS 'when it was deleted: from then on nobody sees it or anything of it; NULL: it was not';
SELECT wa.put_durability('wa.session', 'UPDATE OF status, pairing, deleted_at', 'makes stop, logout and deletion survive a crash');

-- A session can have a million messages, which no request can delete.  Deleting a session
-- hides it and everything that belongs to it (53-policies-deleted.sql).  Housekeeping then
-- removes the rows, a few at a time.
CREATE TABLE wa.deleted_session (
	org_id uuid NOT NULL,
	id uuid NOT NULL,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, id) REFERENCES wa.session ON DELETE CASCADE
);
COMMENT ON TABLE wa.deleted_session IS
	'sessions that were deleted and have rows left. The policies `wa_not_deleted` hide these rows from everybody '
	'until `wa.housekeep(''deleted_sessions'')` has removed them';
COMMENT ON COLUMN wa.deleted_session.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.deleted_session.id IS 'the session';

-- Connectors look for work in all organizations, by an index that does not begin with the
-- organization.  Such an index on wa.session would let applications measure how many sessions
-- others have.  So this table has a copy that only wa_claim may read.  Dumps do not include
-- it: the trigger that maintains it (65-connectors.sql) fills it while sessions are restored.
CREATE TABLE wa.session_wanted (
	org_id uuid NOT NULL,
	session_id uuid NOT NULL,
	connector text NOT NULL,
	is_wanted boolean NOT NULL,
	lease_owner text,
	lease_until timestamptz,
	PRIMARY KEY (org_id, session_id),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE
);
COMMENT ON TABLE wa.session_wanted IS 'sessions that want to run, or that a connector holds, as connectors look for them';
COMMENT ON COLUMN wa.session_wanted.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.session_wanted.session_id IS 'the session';
COMMENT ON COLUMN wa.session_wanted.connector IS 'which kind of connector runs it';
COMMENT ON COLUMN wa.session_wanted.is_wanted IS 'whether its status says that it wants to run';
COMMENT ON COLUMN wa.session_wanted.lease_owner IS 'the connector process that runs it now';
COMMENT ON COLUMN wa.session_wanted.lease_until IS 'until when, unless that process renews it';

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
	'what pairs a phone with a session; whoever reads it can take the session over. Needs `manage`';
COMMENT ON COLUMN wa.session_pairing.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.session_pairing.session_id IS 'the session that waits to be paired';
COMMENT ON COLUMN wa.session_pairing.qr_code IS 'text of the QR code';
COMMENT ON COLUMN wa.session_pairing.qr_expires_at IS 'until when it can be scanned';
COMMENT ON COLUMN wa.session_pairing.phone IS 'E.164 digits of the phone that asks to be paired by code';
COMMENT ON COLUMN wa.session_pairing.code IS
	'the code to type into that phone; made here, and told to WhatsApp by the connector';

-- What a connector needs to connect a session, such as an access token.  The secret part is
-- sealed by the gateway, and only the connector can open it.  Nobody is granted the table:
-- function bodies read it.
CREATE TABLE wa.session_credentials (
	org_id uuid NOT NULL,
	session_id uuid NOT NULL,
	phone_number_id text NOT NULL CHECK (phone_number_id ~ '^[0-9]{1,20}$'),
	waba_id text NOT NULL CHECK (waba_id ~ '^[0-9]{1,20}$'),
	app_id text NOT NULL CHECK (app_id ~ '^[0-9]{1,20}$'),
	key_id uuid NOT NULL,
	sealed bytea NOT NULL CHECK (octet_length(sealed) BETWEEN 49 AND 8192),
	has_number boolean NOT NULL DEFAULT false,
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (org_id, session_id),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE
);
COMMENT ON TABLE wa.session_credentials IS
	'the credentials of a session''s connector, of which the database can read the ids only. Function bodies only';
COMMENT ON COLUMN wa.session_credentials.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.session_credentials.session_id IS 'the session that is connected with them';
COMMENT ON COLUMN wa.session_credentials.phone_number_id IS 'id of the phone number at WhatsApp';
COMMENT ON COLUMN wa.session_credentials.waba_id IS 'id of the WhatsApp business account';
COMMENT ON COLUMN wa.session_credentials.app_id IS 'id of the app whose token and secret they are';
COMMENT ON COLUMN wa.session_credentials.key_id IS 'the `wa.connector_key` that they are sealed to';
COMMENT ON COLUMN wa.session_credentials.sealed IS 'all of them, in a sealed box of libsodium that only the connector can open';
COMMENT ON COLUMN wa.session_credentials.has_number IS
	'whether the session has the phone number: WhatsApp has accepted these credentials, and the session has not ended since';
COMMENT ON COLUMN wa.session_credentials.updated_at IS 'when they were given; each time later than before';

-- How many messages a session with rates has accepted in the current minute and hour.  A
-- session with high rates has several rows, each for its share of the rates, so that its
-- senders do not all wait for one row.
CREATE TABLE wa.session_rate (
	org_id uuid NOT NULL,
	session_id uuid NOT NULL,
	minute_start timestamptz NOT NULL DEFAULT '-infinity',
	minute_count integer NOT NULL DEFAULT 0,
	hour_start timestamptz NOT NULL DEFAULT '-infinity',
	hour_count integer NOT NULL DEFAULT 0,
	stripe smallint NOT NULL DEFAULT 0,
	PRIMARY KEY (org_id, session_id, stripe),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE
);
COMMENT ON TABLE wa.session_rate IS
	'send limits: messages accepted in the minute and the hour that began with their first one, while the session had a limit. Function bodies only';
COMMENT ON COLUMN wa.session_rate.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.session_rate.session_id IS 'the session that is counted';
COMMENT ON COLUMN wa.session_rate.minute_start IS 'when the running minute began';
COMMENT ON COLUMN wa.session_rate.minute_count IS 'messages accepted in it';
COMMENT ON COLUMN wa.session_rate.hour_start IS 'when the running hour began';
COMMENT ON COLUMN wa.session_rate.hour_count IS 'messages accepted in it';
COMMENT ON COLUMN wa.session_rate.stripe IS 'which share of the rates is counted here; 0 if there is one only';

-- One constraint in C (src/message_state.c), as for messages.
CREATE FUNCTION wa.is_chat_state(type text, unread_count integer) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_is_chat_state';
COMMENT ON FUNCTION wa.is_chat_state(text, integer) IS
	'whether a chat can be like this: dm, group, newsletter, broadcast or status, and no less than 0 messages unread';

CREATE TABLE wa.chat (
	org_id uuid NOT NULL,
	session_id uuid NOT NULL,
	jid text NOT NULL,
	type text NOT NULL,
	name text,
	active_at timestamptz NOT NULL DEFAULT now(),
	last_message_at timestamptz,
	unread_count integer NOT NULL DEFAULT 0,
	archived boolean NOT NULL DEFAULT false,
	pinned boolean NOT NULL DEFAULT false,
	muted_until timestamptz,
	read_to uuid,
	PRIMARY KEY (org_id, session_id, jid),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE,
	CHECK (wa.is_chat_state(type, unread_count))
);
CREATE INDEX chat_recent ON wa.chat (org_id, session_id, active_at DESC, jid);
CREATE INDEX chat_being_read ON wa.chat (org_id, session_id, jid) WHERE read_to IS NOT NULL;
COMMENT ON TABLE wa.chat IS 'conversations of a session. Needs `read`';
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
COMMENT ON COLUMN wa.chat.read_to IS
	'received messages up to this one are read, whatever their status says: they were too many to be marked at once; NULL: all are marked';

CREATE TABLE wa.contact (
	org_id uuid NOT NULL,
	session_id uuid NOT NULL,
	jid text NOT NULL,
	phone_number text,
	name text,
	business_name text,
	first_seen_at timestamptz NOT NULL DEFAULT now(),
	last_seen_at timestamptz NOT NULL DEFAULT now(),
	user_id text,
	username text,
	PRIMARY KEY (org_id, session_id, jid),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE
);
CREATE UNIQUE INDEX contact_user_id ON wa.contact (org_id, session_id, user_id) WHERE user_id IS NOT NULL;
COMMENT ON TABLE wa.contact IS 'people whom a session has met. Needs `read`';
COMMENT ON COLUMN wa.contact.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.contact.session_id IS 'the session that met them';
COMMENT ON COLUMN wa.contact.jid IS 'WhatsApp address';
COMMENT ON COLUMN wa.contact.phone_number IS 'E.164 digits, if the address or WhatsApp tells them';
COMMENT ON COLUMN wa.contact.name IS 'the name that the person chose';
COMMENT ON COLUMN wa.contact.business_name IS 'the verified name of a business';
COMMENT ON COLUMN wa.contact.first_seen_at IS 'when the session first met them';
COMMENT ON COLUMN wa.contact.last_seen_at IS 'when it last heard from them';
COMMENT ON COLUMN wa.contact.user_id IS 'the id by which WhatsApp knows the person for this business, if it has told it: then it is the same person by whichever number or id';
COMMENT ON COLUMN wa.contact.username IS 'the name by which others find the person on WhatsApp, if it has chosen one';

-- What connectors of a kind can do.  It is the same for all organizations, and only function
-- bodies and administrators read it (88-connector-kinds.sql).  What is built in and what
-- administrators say are rows of their own, so that a dump has only the latter.
CREATE FUNCTION wa.capabilities() RETURNS text[]
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT '{text,image,video,audio,document,sticker,location,contact,poll,reply,mentions,reaction,edit,revoke,forward,qr,pairing_code}'::text[]
$$;
COMMENT ON FUNCTION wa.capabilities() IS
	'what a connector may be able to do: each type of message, what a message can have (`reply`, `mentions`), actions on messages, and ways to pair';

CREATE TABLE wa.connector_capability (
	connector text NOT NULL CHECK (connector ~ '^[a-z][a-z0-9_-]{0,30}$'),
	capability text NOT NULL CHECK (capability = ANY (wa.capabilities())),
	built_in boolean NOT NULL,
	is_supported boolean NOT NULL,
	set_by text,
	PRIMARY KEY (connector, capability, built_in),
	CHECK (built_in = (set_by IS NULL))
);
COMMENT ON TABLE wa.connector_capability IS
	'what connectors of a kind can do, as it is built in and as administrators have said it (`wa.set_connector_capability()`)';
COMMENT ON COLUMN wa.connector_capability.connector IS 'the kind of connector';
COMMENT ON COLUMN wa.connector_capability.capability IS 'one of `wa.capabilities()`';
COMMENT ON COLUMN wa.connector_capability.built_in IS 'whether it comes with this release; what administrators say counts more';
COMMENT ON COLUMN wa.connector_capability.is_supported IS 'whether such a connector can do it';
COMMENT ON COLUMN wa.connector_capability.set_by IS 'the administrator who said it; NULL: it is built in';
ALTER TABLE wa.connector_capability ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.connector_capability TO wa_owner USING (true);

-- The keys of connectors, to which gateways seal credentials.  The secret halves are in files
-- of the connectors.  The table is the same for all organizations, and only function bodies
-- and administrators read it (88-connector-kinds.sql).
CREATE TABLE wa.connector_key (
	id uuid PRIMARY KEY DEFAULT wa.uuid7(),
	connector text NOT NULL CHECK (connector ~ '^[a-z][a-z0-9_-]{0,30}$'),
	public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
	added_at timestamptz NOT NULL DEFAULT now(),
	added_by text NOT NULL,
	UNIQUE (connector, public_key)
);
COMMENT ON TABLE wa.connector_key IS
	'the public keys to which the credentials of a connector''s sessions are sealed: the newest of a connector (`wa.add_connector_key()`)';
COMMENT ON COLUMN wa.connector_key.id IS 'id; the greatest is the newest';
COMMENT ON COLUMN wa.connector_key.connector IS 'the kind of connector';
COMMENT ON COLUMN wa.connector_key.public_key IS 'X25519, for libsodium''s sealed boxes';
COMMENT ON COLUMN wa.connector_key.added_at IS 'when it was added';
COMMENT ON COLUMN wa.connector_key.added_by IS 'the administrator who added it';
ALTER TABLE wa.connector_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.connector_key TO wa_owner USING (true);

-- Tables whose rows pg_dump includes.
SELECT pg_catalog.pg_extension_config_dump('wa.session', '');
SELECT pg_catalog.pg_extension_config_dump('wa.deleted_session', '');
SELECT pg_catalog.pg_extension_config_dump('wa.session_pairing', '');
SELECT pg_catalog.pg_extension_config_dump('wa.session_credentials', '');
SELECT pg_catalog.pg_extension_config_dump('wa.session_rate', '');
SELECT pg_catalog.pg_extension_config_dump('wa.chat', '');
SELECT pg_catalog.pg_extension_config_dump('wa.contact', '');
SELECT pg_catalog.pg_extension_config_dump('wa.connector_capability', 'WHERE NOT built_in');
SELECT pg_catalog.pg_extension_config_dump('wa.connector_key', '');
