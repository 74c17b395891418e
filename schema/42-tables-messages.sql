-- Files, messages, the actions on them, and requests that may be sent twice.

-- A file is "stored" when its bytes are durable in the store of the gateway
-- (gateway/media/store.h), and only then the row has a digest and a size.  So no row promises
-- a file that is not there, whenever a program or the machine stops.  The row of a file that is
-- uploaded is made stored.  That of a received one, and of one that a sender has given the URL
-- of, is made pending with its message, and a connector fetches the bytes after that
-- (wa.media_fetch).
CREATE TABLE wa.media (
	org_id uuid NOT NULL REFERENCES wa.org,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	state text NOT NULL DEFAULT 'stored' CHECK (state IN ('pending', 'stored', 'failed', 'expired')),
	sha256 bytea CHECK (octet_length(sha256) = 32),
	size bigint CHECK (size > 0),
	mimetype text,
	filename text,
	error text,
	key_id uuid,
	user_id uuid,
	created_at timestamptz NOT NULL DEFAULT now(),
	kept_from timestamptz NOT NULL DEFAULT now(),
	unused_at timestamptz DEFAULT now() + interval '7 days',
	PRIMARY KEY (org_id, id),
	CONSTRAINT media_stored_check CHECK (CASE state WHEN 'stored' THEN num_nulls(sha256, size, mimetype) = 0
		ELSE num_nonnulls(sha256, size) = 0 END)
);
CREATE INDEX media_unused ON wa.media (org_id, unused_at) WHERE unused_at IS NOT NULL;
CREATE INDEX media_age ON wa.media (org_id, state, kept_from) WHERE state IN ('pending', 'stored');
COMMENT ON TABLE wa.media IS
	'files that were uploaded, received, or sent by their URL; their bytes are in the store of the gateway, under the organization and the digest. Needs `read`';
COMMENT ON COLUMN wa.media.org_id IS 'the organization whose file it is';
COMMENT ON COLUMN wa.media.id IS 'UUIDv7; med_… outside';
COMMENT ON COLUMN wa.media.state IS
	'pending: a connector has yet to fetch it; stored; failed: it could not be fetched; expired: WhatsApp has it no longer, or wa.org.media_days are over';
COMMENT ON COLUMN wa.media.sha256 IS
	'SHA-256 of the bytes, once they are stored; files of an organization with the same bytes share them in the store';
COMMENT ON COLUMN wa.media.size IS 'how many bytes it has, once they are stored';
COMMENT ON COLUMN wa.media.mimetype IS 'its media type, in the form of wa.read_media_type(); may be NULL until it is stored';
COMMENT ON COLUMN wa.media.filename IS 'the name that the uploader or sender gave it; never a path, and not its name in the store';
COMMENT ON COLUMN wa.media.error IS 'why it failed or expired';
COMMENT ON COLUMN wa.media.key_id IS 'the API key that it was uploaded with, or its URL sent';
COMMENT ON COLUMN wa.media.user_id IS 'the person who uploaded it, or sent its URL';
COMMENT ON COLUMN wa.media.created_at IS 'when it was uploaded or received, or its URL sent';
COMMENT ON COLUMN wa.media.kept_from IS
	'from when the days are counted that it is kept or fetched; later than created_at if it was still in use when they were over';
COMMENT ON COLUMN wa.media.unused_at IS 'when it is removed if no message carries it then; NULL: one does';

-- Files of an organization with the same bytes are one in the store.  A row stays when the last
-- of them is gone, until a worker has removed the bytes (92-media-removal.sql).
CREATE TABLE wa.media_bytes (
	org_id uuid NOT NULL REFERENCES wa.org,
	sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
	size bigint CHECK (size > 0),
	files integer NOT NULL,
	uploads integer NOT NULL,
	unused_at timestamptz,
	removal uuid,
	removing_at timestamptz,
	removed_at timestamptz,
	PRIMARY KEY (org_id, sha256),
	CHECK (uploads BETWEEN 0 AND files),
	CHECK (files = 0 OR size IS NOT NULL),
	CHECK (files = 0 OR unused_at IS NULL),
	CHECK (num_nonnulls(removal, removing_at) = 0 OR num_nulls(removal, removing_at, unused_at) = 0)
);
CREATE INDEX media_bytes_unused ON wa.media_bytes (org_id, unused_at) WHERE unused_at IS NOT NULL;
CREATE INDEX media_bytes_removed ON wa.media_bytes (org_id, removed_at) WHERE files = 0 AND unused_at IS NULL;
COMMENT ON TABLE wa.media_bytes IS 'the bytes that have been stored, and how many files share them. Function bodies only';
COMMENT ON COLUMN wa.media_bytes.org_id IS 'the organization whose bytes they are';
COMMENT ON COLUMN wa.media_bytes.sha256 IS 'SHA-256 of the bytes, and with the organization their name in the store';
COMMENT ON COLUMN wa.media_bytes.size IS 'how many they are; NULL: no file was ever of them';
COMMENT ON COLUMN wa.media_bytes.files IS 'how many rows of wa.media are of these bytes';
COMMENT ON COLUMN wa.media_bytes.uploads IS 'how many of them people and keys have uploaded';
COMMENT ON COLUMN wa.media_bytes.unused_at IS 'since when no file is of them; NULL: one is, or they are removed';
COMMENT ON COLUMN wa.media_bytes.removal IS 'names the removal that is under way; NULL: none is';
COMMENT ON COLUMN wa.media_bytes.removing_at IS 'when a worker took them to remove them from the store';
COMMENT ON COLUMN wa.media_bytes.removed_at IS 'when they were last removed from the store';
SELECT wa.put_durability('wa.media_bytes', 'UPDATE OF removal', 'makes the begin of a removal survive a crash: bytes that are gone must not become a file');

-- In 16 rows, so that few uploads of an organization wait for each other.
CREATE TABLE wa.media_room (
	org_id uuid NOT NULL REFERENCES wa.org,
	slot integer NOT NULL CHECK (slot BETWEEN 0 AND 15),
	uploaded bigint NOT NULL CHECK (uploaded >= 0),
	received bigint NOT NULL CHECK (received >= 0),
	PRIMARY KEY (org_id, slot)
);
COMMENT ON TABLE wa.media_room IS 'how many bytes the files of an organization take in the store, in parts. Function bodies only';
COMMENT ON COLUMN wa.media_room.org_id IS 'the organization';
COMMENT ON COLUMN wa.media_room.slot IS 'which part: the last four bits of the first byte of the digest';
COMMENT ON COLUMN wa.media_room.uploaded IS 'the bytes that people and keys have uploaded';
COMMENT ON COLUMN wa.media_room.received IS 'the bytes that were only received';

-- How far a worker has come that compares the store with the rows (93-media-scan.sql).
CREATE TABLE wa.media_scan (
	one boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (one),
	behind text NOT NULL DEFAULT '' CHECK (octet_length(behind) <= 1024),
	lease_owner text,
	lease_until timestamptz,
	ended_at timestamptz,
	checked_org_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	checked_sha256 bytea NOT NULL DEFAULT '',
	checked_at timestamptz,
	removes_unknown boolean NOT NULL DEFAULT false,
	CHECK (num_nonnulls(lease_owner, lease_until) IN (0, 2))
);
COMMENT ON TABLE wa.media_scan IS 'how far the store was compared with the rows of its files. One row. Part of no dump';
COMMENT ON COLUMN wa.media_scan.one IS 'there is one row';
COMMENT ON COLUMN wa.media_scan.behind IS 'the last name in the store that was looked at; empty: none was';
COMMENT ON COLUMN wa.media_scan.lease_owner IS 'the worker that lists the names';
COMMENT ON COLUMN wa.media_scan.lease_until IS 'until when it has to report';
COMMENT ON COLUMN wa.media_scan.ended_at IS 'when all names were last listed';
COMMENT ON COLUMN wa.media_scan.checked_org_id IS 'the organization of the last row whose bytes were looked for; it may be gone by now';
COMMENT ON COLUMN wa.media_scan.checked_sha256 IS 'the digest of that row';
COMMENT ON COLUMN wa.media_scan.checked_at IS 'when the bytes of all rows were last looked for; NULL: they are at present';
COMMENT ON COLUMN wa.media_scan.removes_unknown IS 'whether bytes that no row knows become unused, or are only counted';
INSERT INTO wa.media_scan DEFAULT VALUES;
ALTER TABLE wa.media_scan ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.media_scan TO wa_owner USING (true);

-- A row exists while its file is pending.
CREATE TABLE wa.media_fetch (
	org_id uuid NOT NULL,
	media_id uuid NOT NULL,
	session_id uuid NOT NULL,
	reference text,
	url text,
	sha256 bytea CHECK (octet_length(sha256) = 32),
	size bigint CHECK (size > 0),
	error text,
	attempts integer NOT NULL DEFAULT 0,
	lease_owner text,
	lease_until timestamptz,
	taken_at timestamptz,
	PRIMARY KEY (org_id, media_id),
	CHECK (num_nonnulls(reference, url) = 1),
	FOREIGN KEY (org_id, media_id) REFERENCES wa.media ON DELETE CASCADE,
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE
);
CREATE INDEX media_fetch_queue ON wa.media_fetch (org_id, session_id, (url IS NOT NULL), lease_until NULLS FIRST, media_id);
CREATE INDEX media_fetch_held ON wa.media_fetch (org_id, session_id, lease_until) WHERE lease_owner IS NOT NULL;
COMMENT ON TABLE wa.media_fetch IS 'files that connectors have yet to fetch: received ones, and those that senders have given the URL of. Function bodies only';
COMMENT ON COLUMN wa.media_fetch.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.media_fetch.media_id IS 'the file';
COMMENT ON COLUMN wa.media_fetch.session_id IS 'the session that received it, or sends it, whose connector fetches it';
COMMENT ON COLUMN wa.media_fetch.reference IS 'what the connector calls a received file; may be a secret, so nobody else reads it';
COMMENT ON COLUMN wa.media_fetch.url IS 'where it is, if a sender has given its URL';
COMMENT ON COLUMN wa.media_fetch.sha256 IS 'SHA-256 that WhatsApp has announced; the bytes must have it';
COMMENT ON COLUMN wa.media_fetch.size IS 'how many bytes WhatsApp has announced';
COMMENT ON COLUMN wa.media_fetch.error IS 'why the last attempt failed';
COMMENT ON COLUMN wa.media_fetch.attempts IS 'how often a connector has taken it';
COMMENT ON COLUMN wa.media_fetch.lease_owner IS 'the connector process that fetches it';
COMMENT ON COLUMN wa.media_fetch.lease_until IS 'until when that process has it; without a process: not before then';
COMMENT ON COLUMN wa.media_fetch.taken_at IS 'when a process has last taken it, and so before it stored the bytes';

-- One constraint in C (src/message_state.c): the server reads constraints from their text for
-- each statement that writes a row.
CREATE FUNCTION wa.is_message_state(direction text, type text, status text) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_is_message_state';
COMMENT ON FUNCTION wa.is_message_state(text, text, text) IS
	'whether a message can be like this: `in` or `out`; text, image, video, audio, document, sticker, location, contact, '
	'poll, order, system or unsupported; `out`: queued, sending, sent, delivered, read, played or failed; `in`: delivered, read or played';

-- The chat refers to the session, so that a message needs no foreign key to it.
CREATE TABLE wa.message (
	org_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	session_id uuid NOT NULL,
	pairing integer NOT NULL DEFAULT 1,
	session_phone_number text,
	chat_jid text NOT NULL,
	wa_message_id text,
	direction text NOT NULL,
	sender_jid text,
	sender_name text,
	type text NOT NULL,
	body text,
	content jsonb,
	quoted_message_id uuid,
	mentions text[],
	media jsonb,
	media_data bytea,
	media_id uuid,
	status text NOT NULL,
	error text,
	error_code text,
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
	FOREIGN KEY (org_id, session_id, chat_jid) REFERENCES wa.chat ON DELETE CASCADE,
	FOREIGN KEY (org_id, media_id) REFERENCES wa.media,
	CHECK (wa.is_message_state(direction, type, status))
);
CREATE INDEX message_in_chat ON wa.message (org_id, session_id, chat_jid, sent_at DESC, id DESC);
CREATE UNIQUE INDEX message_wa_id ON wa.message (org_id, session_id, wa_message_id)
	WHERE wa_message_id IS NOT NULL;
CREATE INDEX message_unread ON wa.message (org_id, session_id, chat_jid, id)
	WHERE direction = 'in' AND status = 'delivered';
-- Waiting messages in the order of their turn: those that were never tried, then those that
-- may be tried again, by time.  The index also shows how many a connector has taken.
CREATE INDEX message_queue ON wa.message (org_id, session_id, pairing, status, lease_until NULLS FIRST, id)
	WHERE status IN ('queued', 'sending');
-- With what a message shows of its file, and whether it was sent: a file that many carry is
-- looked at in parts.
CREATE INDEX message_of_media ON wa.message (org_id, media_id, COALESCE(media ->> 'state', ''), status) WHERE media_id IS NOT NULL;
CREATE INDEX message_answers ON wa.message (org_id, quoted_message_id)
	WHERE status = 'queued' AND quoted_message_id IS NOT NULL;
COMMENT ON TABLE wa.message IS 'messages received and to be sent; a message to send is its own queue entry. Needs `read`';
COMMENT ON COLUMN wa.message.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.message.id IS 'UUIDv7; msg_… outside';
COMMENT ON COLUMN wa.message.session_id IS 'the session that sent or received it';
COMMENT ON COLUMN wa.message.pairing IS 'the pairing of the session that it was queued or received in';
COMMENT ON COLUMN wa.message.session_phone_number IS
	'E.164 digits that the session had when it was queued, sent or received; NULL: they were not known';
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
COMMENT ON COLUMN wa.message.media IS 'about its attachment: id, state, url, mimetype, filename, size, error';
COMMENT ON COLUMN wa.message.media_data IS 'the attachment itself, if it came with a request that no store was for: in SQL, or to a gateway without one';
COMMENT ON COLUMN wa.message.media_id IS 'the attachment, if it is a file that was uploaded before, was received, or is sent by its URL';
COMMENT ON COLUMN wa.message.status IS
	'how far it got; sending: a connector has it, and may have handed it to WhatsApp';
COMMENT ON COLUMN wa.message.error IS 'why it failed';
COMMENT ON COLUMN wa.message.error_code IS 'the code under which WhatsApp lists why, if it gave one';
COMMENT ON COLUMN wa.message.edited IS 'whether its text was changed after it was sent';
COMMENT ON COLUMN wa.message.revoked IS 'whether it was deleted for everyone';
COMMENT ON COLUMN wa.message.forwarded IS 'whether it is the copy of another message';
COMMENT ON COLUMN wa.message.reactions IS 'who reacted with what: address to emoji; me is the session itself';
COMMENT ON COLUMN wa.message.sent_at IS 'when it was sent, by WhatsApp''s clock once that is known; lists go by it';
COMMENT ON COLUMN wa.message.created_at IS 'when this row was made';
COMMENT ON COLUMN wa.message.attempts IS 'how often a connector has taken it';
COMMENT ON COLUMN wa.message.lease_owner IS 'the connector process that has it';
COMMENT ON COLUMN wa.message.lease_until IS
	'until when, if it is sending; if it is queued: not before then, an answer not before WhatsApp has what it quotes, and infinity: not before its file is stored';

CREATE TABLE wa.message_action (
	org_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	session_id uuid NOT NULL,
	pairing integer NOT NULL DEFAULT 1,
	message_id uuid NOT NULL,
	type text NOT NULL CHECK (type IN ('react', 'edit', 'revoke', 'forward', 'read')),
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
CREATE INDEX message_action_of_message ON wa.message_action (org_id, message_id, type, status);
CREATE INDEX message_action_queue ON wa.message_action (org_id, session_id, pairing, status, lease_until NULLS FIRST, id)
	WHERE status IN ('queued', 'sending');
COMMENT ON TABLE wa.message_action IS 'reactions, edits, revocations, forwards and read receipts on their way to WhatsApp. Needs `read`';
COMMENT ON COLUMN wa.message_action.org_id IS 'the organization of the session';
COMMENT ON COLUMN wa.message_action.id IS 'UUIDv7; act_… outside';
COMMENT ON COLUMN wa.message_action.session_id IS 'the session that carries it out';
COMMENT ON COLUMN wa.message_action.pairing IS 'the pairing of the session that it was asked for in';
COMMENT ON COLUMN wa.message_action.message_id IS 'the message that it is about';
COMMENT ON COLUMN wa.message_action.type IS 'what is done to the message';
COMMENT ON COLUMN wa.message_action.payload IS 'the emoji, the new text, or whom to forward to; empty for what needs none';
COMMENT ON COLUMN wa.message_action.status IS 'how far it got';
COMMENT ON COLUMN wa.message_action.error IS 'why it failed';
COMMENT ON COLUMN wa.message_action.created_at IS 'when it was asked for';
COMMENT ON COLUMN wa.message_action.attempts IS 'how often a connector has taken it';
COMMENT ON COLUMN wa.message_action.lease_owner IS 'the connector process that has it';
COMMENT ON COLUMN wa.message_action.lease_until IS 'until when that process has it';

CREATE TABLE wa.idempotency (
	org_id uuid NOT NULL REFERENCES wa.org,
	key text NOT NULL CHECK (key ~ '^[\x20-\x7e]{1,255}$'),
	request_digest bytea NOT NULL CHECK (octet_length(request_digest) = 32),
	message_id uuid NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	session_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	PRIMARY KEY (org_id, key, session_id)
);
CREATE INDEX idempotency_age ON wa.idempotency (org_id, created_at);
COMMENT ON TABLE wa.idempotency IS
	'send requests that carried an Idempotency-Key. A row counts for 24 hours; nothing removes it after that before '
	'its key is used again. Function bodies only';
COMMENT ON COLUMN wa.idempotency.org_id IS 'the organization that sent it';
COMMENT ON COLUMN wa.idempotency.key IS 'the caller''s key';
COMMENT ON COLUMN wa.idempotency.request_digest IS 'SHA-256 of what was asked for';
COMMENT ON COLUMN wa.idempotency.message_id IS 'the message that was made; it may be gone by now';
COMMENT ON COLUMN wa.idempotency.created_at IS 'when the first of these requests came';
COMMENT ON COLUMN wa.idempotency.session_id IS
	'the session that it was sent in, if the API key is restricted to some; all zeros: the whole organization';

-- Tables whose rows pg_dump includes.
SELECT pg_catalog.pg_extension_config_dump('wa.media', '');
SELECT pg_catalog.pg_extension_config_dump('wa.media_bytes', '');
SELECT pg_catalog.pg_extension_config_dump('wa.media_room', '');
SELECT pg_catalog.pg_extension_config_dump('wa.media_fetch', '');
SELECT pg_catalog.pg_extension_config_dump('wa.message', '');
SELECT pg_catalog.pg_extension_config_dump('wa.message_action', '');
SELECT pg_catalog.pg_extension_config_dump('wa.idempotency', '');
