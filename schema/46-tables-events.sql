-- The event log, and the credentials of realtime sockets.
--
-- An event is a row that is written in the transaction that makes the change.  Its position
-- is (epoch, ordinal, id): the ordinal of the transaction among those that write events, and
-- an id that ascends within a transaction.  A reader gets only events below the lowest
-- ordinal of the transactions that still write events of the organization.  So no event can
-- appear later below what was shown, however late its transaction commits
-- (src/event_position.c, src/event_writers.c).

-- Ordinals can be compared only within one run of one server.  In a restored or replicated
-- database the transaction numbers continue elsewhere, and a promoted or crashed server may
-- give out numbers again that readers have already seen.  So each run has an epoch.  The
-- first writers of a run record it, each in its own row, so that none waits for another and
-- none depends on one that may roll back.
CREATE TABLE wa.event_epoch (
	epoch integer NOT NULL CHECK (epoch > 0),
	ordinal bigint NOT NULL,
	server text NOT NULL,
	begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (epoch, ordinal)
);
COMMENT ON TABLE wa.event_epoch IS 'runs of servers in which events were written: ordinals are comparable within one only';
COMMENT ON COLUMN wa.event_epoch.epoch IS '1, 2, …; leads the place of an event';
COMMENT ON COLUMN wa.event_epoch.ordinal IS 'the ordinal of a transaction that wrote an event before the epoch was known to have begun';
COMMENT ON COLUMN wa.event_epoch.server IS 'the run of the server, as wa.server_run() names it';
COMMENT ON COLUMN wa.event_epoch.begun_at IS 'when that transaction wrote it';
SELECT wa.put_invalidation('wa.event_epoch', 'INSERT OR UPDATE OR DELETE',
	'makes every backend look again which epoch it writes in');

-- There is no foreign key to the organization: each event would lock the organization's row,
-- and that lock would be written to disk.
CREATE TABLE wa.event (
	org_id uuid NOT NULL,
	epoch integer NOT NULL,
	ordinal bigint NOT NULL,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	type text NOT NULL,
	session_id uuid,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	envelope text NOT NULL,
	PRIMARY KEY (org_id, epoch, ordinal, id),
	CONSTRAINT event_id_key UNIQUE (org_id, id)
);
-- What expires makes room for what comes.  One in fifty is what VACUUM needs to clean the indexes, too.
ALTER TABLE wa.event SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);
COMMENT ON TABLE wa.event IS
	'what happened, kept for `wa.org.event_days`. Follow it with `wa.read_events()`; who reads the table sees it in '
	'order and without a gap only below `wa.event_limit()`, asked in the same statement. Call `wa.authenticate()` in '
	'a statement before that: in the same one, and under `REPEATABLE READ`, events may also wait for transactions '
	'that write none. `auth.*` rows show to credentials that have `manage`, too';
COMMENT ON COLUMN wa.event.org_id IS 'the organization in which it happened';
COMMENT ON COLUMN wa.event.epoch IS 'the run of the server that it was written in';
COMMENT ON COLUMN wa.event.ordinal IS 'of the transaction that wrote it, among those that write events of the organization: in the order in which they began to';
COMMENT ON COLUMN wa.event.id IS 'UUIDv7; evt_… outside; ascends within a transaction';
COMMENT ON COLUMN wa.event.type IS 'one of wa.event_types()';
COMMENT ON COLUMN wa.event.session_id IS 'the session that it is about, which may be gone by now; NULL: none';
COMMENT ON COLUMN wa.event.created_at IS 'when it was written';
COMMENT ON COLUMN wa.event.envelope IS 'JSON that socket, webhook and list show, byte for byte';

CREATE TABLE wa.ticket (
	org_id uuid NOT NULL REFERENCES wa.org ON DELETE CASCADE,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	key_id uuid,
	user_id uuid,
	sign_in_id uuid,
	session_id uuid,
	types text[],
	since_event uuid,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	expires_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '30 seconds' CHECK (isfinite(expires_at)),
	used_at timestamptz,
	PRIMARY KEY (org_id, id),
	CONSTRAINT ticket_digest_key UNIQUE (digest),
	CHECK ((key_id IS NULL) = (user_id IS NOT NULL) AND (user_id IS NULL) = (sign_in_id IS NULL))
);
CREATE INDEX ticket_expiry ON wa.ticket (org_id, expires_at);
CREATE INDEX ticket_waiting ON wa.ticket (org_id, expires_at) WHERE used_at IS NULL;
COMMENT ON TABLE wa.ticket IS 'tickets that open a realtime socket, once, within 30 seconds. Part of no dump';
COMMENT ON COLUMN wa.ticket.org_id IS 'the organization whose events it opens';
COMMENT ON COLUMN wa.ticket.id IS 'UUIDv7';
COMMENT ON COLUMN wa.ticket.digest IS 'SHA-256 of the ticket';
COMMENT ON COLUMN wa.ticket.key_id IS 'the API key that asked for it, and on which it rests';
COMMENT ON COLUMN wa.ticket.user_id IS 'the person who asked for it, if it was no key';
COMMENT ON COLUMN wa.ticket.sign_in_id IS 'the sign-in of that person, on which it rests';
COMMENT ON COLUMN wa.ticket.session_id IS 'the one session whose events are asked for; NULL: all';
COMMENT ON COLUMN wa.ticket.types IS 'the event types that are asked for; NULL: all';
COMMENT ON COLUMN wa.ticket.since_event IS 'the event after which the socket begins; NULL: now';
COMMENT ON COLUMN wa.ticket.created_at IS 'when it was made';
COMMENT ON COLUMN wa.ticket.expires_at IS 'from when on it is refused';
COMMENT ON COLUMN wa.ticket.used_at IS 'when a socket was opened with it; NULL: it was not';
SELECT wa.put_durability('wa.ticket', 'UPDATE OF used_at', 'makes the use of a ticket survive a crash');

CREATE TABLE wa.realtime (
	org_id uuid NOT NULL REFERENCES wa.org ON DELETE CASCADE,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	digest bytea NOT NULL CHECK (octet_length(digest) = 32),
	key_id uuid,
	user_id uuid,
	sign_in_id uuid,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	expires_at timestamptz NOT NULL CHECK (isfinite(expires_at)),
	generation integer NOT NULL DEFAULT 0,
	PRIMARY KEY (org_id, id),
	CONSTRAINT realtime_digest_key UNIQUE (digest),
	CHECK ((key_id IS NULL) = (user_id IS NOT NULL) AND (user_id IS NULL) = (sign_in_id IS NULL))
);
CREATE INDEX realtime_expiry ON wa.realtime (org_id, expires_at);
COMMENT ON TABLE wa.realtime IS
	'open realtime sockets: what a gateway authenticates with for each of them, in place of the key. Worth nothing '
	'without the key or sign-in behind it. Part of no dump';
COMMENT ON COLUMN wa.realtime.org_id IS 'the one organization that it opens';
COMMENT ON COLUMN wa.realtime.id IS 'UUIDv7';
COMMENT ON COLUMN wa.realtime.digest IS 'SHA-256 of the socket''s credential';
COMMENT ON COLUMN wa.realtime.key_id IS 'the API key on which it rests';
COMMENT ON COLUMN wa.realtime.user_id IS 'the person, if it was no key';
COMMENT ON COLUMN wa.realtime.sign_in_id IS 'the sign-in of that person';
COMMENT ON COLUMN wa.realtime.created_at IS 'when the socket was opened';
COMMENT ON COLUMN wa.realtime.expires_at IS 'from when on it is refused, whatever it rests on';
COMMENT ON COLUMN wa.realtime.generation IS 'that of the key then, 0 for a person; if it is another by now, the socket is over';
SELECT wa.put_durability('wa.realtime', 'DELETE', 'makes the end of a socket survive a crash');

-- Tables whose rows pg_dump includes.
SELECT pg_catalog.pg_extension_config_dump('wa.event_epoch', '');
SELECT pg_catalog.pg_extension_config_dump('wa.event', '');
