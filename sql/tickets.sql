-- Tickets and the credentials of sockets: what opens a realtime socket, and what
-- a gateway presents for it in place of the key.
\set superuser :USER
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS beta_events FROM fixture WHERE name = 'beta_events' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
SELECT id AS listener, secret AS listener_key FROM wa.create_key(:'acme', 'listener', '{events}') \gset
SELECT id AS manager, secret AS manager_key FROM wa.create_key(:'acme', 'manager', '{events,manage,read,send}') \gset
-- What becomes of a ticket, by what an error says.
CREATE FUNCTION public.state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

-- Made by one who has events, for what he asks, in his organization.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'listener_key', 'events') IS NOT NULL \; SELECT ticket ~ '^rt_[0-9A-Za-z]{49}$' AS ticket, expires_at - now() BETWEEN '29 s' AND '31 s' AS half_a_minute FROM wa.create_ticket();
SELECT c.what, e.state, e.column_name FROM (VALUES ('scope', 'scope => ''all'''), ('no session', 'scope => ''session'''), ('two scopes', 'scope => ''organization'', session => wa.uuid7()'), ('invented', 'session => wa.uuid7()'),
	('beta''s', format('session => %L', :'beta_session')), ('types', 'types => ''{nonsense}'''),
	('of two dimensions', 'types => ''{{message,poll.vote}}'''), ('too many', 'types => array_fill(''message''::text, ARRAY[65])')) c (what, call), wa.authenticate(:'listener_key', 'events'), error_of(format('SELECT wa.create_ticket(%s)', call)) e;
SELECT wa.create_ticket();
SELECT e.state, e.constraint_name FROM wa.authenticate(:'acme_read'), error_of('SELECT wa.create_ticket()') e;
SELECT wa.authenticate(:'listener_key', 'events') IS NOT NULL \; SELECT ticket FROM wa.create_ticket('session', :'acme_session', '{message,auth.qr}', wa.uuid7()) \gset
-- A ticket binds nobody, and only the gateway opens a socket with it.
SELECT wa.authenticate(:'ticket');
SELECT wa.redeem_ticket(:'ticket');
SELECT wa.open_socket();
SELECT wa.close_socket(:'ticket');
SELECT * FROM wa.ticket;
SELECT * FROM wa.realtime;
SELECT wa.find_ticket(:'ticket');
SELECT wa.find_listener(:'acme', :'listener', NULL, NULL, now());
\c - :superuser
\set SHOW_CONTEXT never

-- Once.
SELECT org_id = :'acme' AS acme, session_id = :'acme_session' AS session, types, since IS NOT NULL AS since, expires_at - now() BETWEEN '6 days 23 hours' AND '7 days 1 minute' AS a_week, socket AS socket FROM wa.redeem_ticket(:'ticket') \gset r_
SELECT :'r_acme' AS acme, :'r_session' AS session, :'r_types' AS types, :'r_since' AS since, :'r_a_week' AS a_week;
SELECT state_of(format('SELECT wa.redeem_ticket(%L)', :'ticket'));
SELECT state_of('SELECT wa.redeem_ticket(NULL)'), state_of(format('SELECT wa.redeem_ticket(%L)', :'listener_key')), state_of(format('SELECT wa.redeem_ticket(%L)', :'r_socket')) AS socket;
-- Not after 30 seconds, and not in a transaction that acts for somebody.
SELECT wa.authenticate(:'listener_key', 'events') IS NOT NULL \; SELECT ticket FROM wa.create_ticket() \gset
SELECT e.state, e.message FROM wa.authenticate(:'listener_key'), error_of(format('SELECT wa.redeem_ticket(%L)', :'ticket')) e;
UPDATE wa.ticket SET expires_at = clock_timestamp() WHERE used_at IS NULL;
SELECT state_of(format('SELECT wa.redeem_ticket(%L)', :'ticket'));
-- Not without the key: what a ticket or a socket is worth is what the key is worth now.
CREATE FUNCTION public.worth(ticket text, socket text, OUT socket_events text, OUT socket_manage text, OUT of_ticket text) LANGUAGE plpgsql AS $$
BEGIN
	of_ticket := public.state_of(format('SELECT wa.redeem_ticket(%L)', ticket));
	socket_events := public.state_of(format('SELECT wa.authenticate(%L, ''events'')', socket));
	socket_manage := public.state_of(format('SELECT wa.authenticate(%L, ''manage'')', socket));
END $$;
SELECT wa.authenticate(:'manager_key', 'events') IS NOT NULL \; SELECT socket FROM wa.open_socket() \gset
SELECT wa.authenticate(:'manager_key', 'events') IS NOT NULL \; SELECT ticket FROM wa.create_ticket() \gset
-- Listening is all that it can do, and it is the key that does it.
SELECT wa.authenticate(:'socket') = :'manager' AS key_acts \; SELECT wa.current_permissions(), wa.current_key() = :'manager' AS key, wa.current_org() = :'acme' AS org;
SELECT state_of(format('SELECT wa.authenticate(%L, ''send'')', :'socket')) AS send, state_of(format('SELECT wa.authenticate(%L, ''read'')', :'socket')) AS read;
SELECT wa.authenticate(:'socket', 'events') IS NOT NULL \; SELECT count(*) > 0 AS reads, count(*) FILTER (WHERE envelope::jsonb ->> 'organization' <> wa.typeid('org', :'acme')) AS others FROM wa.read_events(max => 1000);
SELECT * FROM worth(:'ticket', :'socket');
UPDATE wa.api_key SET permissions = '{events}' WHERE id = :'manager';
SELECT wa.authenticate(:'manager_key', 'events') IS NOT NULL \; SELECT ticket FROM wa.create_ticket() \gset
SELECT * FROM worth(:'ticket', :'socket');
SELECT wa.authenticate(:'manager_key', 'events') IS NOT NULL \; SELECT ticket FROM wa.create_ticket() \gset
UPDATE wa.api_key SET permissions = '{read,manage}' WHERE id = :'manager';
SELECT * FROM worth(:'ticket', :'socket');
UPDATE wa.api_key SET permissions = '{events}', expires_at = now() WHERE id = :'manager';
SELECT * FROM worth(:'ticket', :'socket');
UPDATE wa.api_key SET expires_at = NULL WHERE id = :'manager';
SELECT socket_events FROM worth(:'ticket', :'socket');
SELECT wa.authenticate(:'manager_key', 'events') IS NOT NULL \; SELECT ticket FROM wa.create_ticket() \gset
SELECT wa.revoke_key(:'manager');
SELECT * FROM worth(:'ticket', :'socket');
-- A key's end is the socket's, a closed socket is none.
UPDATE wa.api_key SET expires_at = now() + interval '1 hour' WHERE id = :'listener';
SELECT wa.authenticate(:'listener_key', 'events') IS NOT NULL \; SELECT socket, expires_at - now() < '1 hour' AS with_the_key FROM wa.open_socket() \gset
SELECT :'with_the_key' AS with_the_key, state_of(format('SELECT wa.authenticate(%L, ''events'')', :'socket')) AS open;
SELECT wa.current_expiry() AS nobody;
SELECT wa.authenticate(:'acme_all', 'events') IS NOT NULL \; SELECT wa.current_expiry() AS never;
SELECT wa.authenticate(:'socket', 'events') IS NOT NULL \; SELECT wa.current_expiry() = (SELECT k.expires_at FROM wa.api_key k WHERE k.id = :'listener') AS the_key_s;
UPDATE wa.api_key SET expires_at = NULL WHERE id = :'listener';
SELECT wa.authenticate(:'socket', 'events') IS NOT NULL \; SELECT wa.current_expiry() - now() BETWEEN '6 days' AND '7 days' AS its_own;
SELECT wa.close_socket(:'socket'), wa.close_socket(:'socket') AS again, wa.close_socket(:'listener_key') AS no_socket;
SELECT state_of(format('SELECT wa.authenticate(%L, ''events'')', :'socket')) AS closed;

-- A person's socket outlives the user token, and nothing else.
SELECT id AS person FROM wa.create_user('socket@example.com', 'Sam', 'correct horse') \gset
SELECT wa.add_member(:'acme', :'person', 'admin');
SELECT cookie FROM wa.sign_in('socket@example.com', 'correct horse', '192.0.2.7', 'test') \gset
SELECT token FROM wa.mint_user_token(:'cookie') \gset
SELECT wa.authenticate(:'token', 'events') IS NOT NULL \; SELECT socket, expires_at - now() > '1 day' AS long FROM wa.open_socket() \gset
-- It opens neither people and keys nor another socket, though an admin is behind it.
SELECT c.call, e.state, e.constraint_name FROM (VALUES ('list_members()'), ('invite_member(''evil@example.com'', ''owner'')'), ('list_api_keys(NULL, 9)'),
	('create_api_key(''x'', ''{read}'')'), ('remove_member(wa.current_user_id())'), ('create_session(''x'')'), ('create_webhook(''https://example.com/'')'), ('open_socket()'), ('create_ticket()')) c (call),
	wa.authenticate(:'socket'), error_of('SELECT wa.' || call) e;
SELECT c.call, e.state, e.constraint_name FROM (VALUES ('remove_member(wa.current_user_id())'), ('open_socket()'), ('create_ticket()')) c (call),
	wa.authenticate(:'socket', 'events'), error_of('SELECT wa.' || call) e;
UPDATE wa.user_token SET expires_at = now();
SELECT :'long' AS long, state_of(format('SELECT wa.authenticate(%L, ''events'')', :'token')) AS token, state_of(format('SELECT wa.authenticate(%L, ''manage'')', :'socket')) AS socket;
UPDATE wa.member SET role = 'member' WHERE user_id = :'person';
SELECT state_of(format('SELECT wa.authenticate(%L, ''events'')', :'socket')) AS events, state_of(format('SELECT wa.authenticate(%L, ''manage'')', :'socket')) AS manage;
UPDATE wa.app_user SET disabled_at = now() WHERE id = :'person';
SELECT state_of(format('SELECT wa.authenticate(%L, ''events'')', :'socket')) AS disabled;
UPDATE wa.app_user SET disabled_at = NULL WHERE id = :'person';
UPDATE wa.sign_in SET active_org = NULL WHERE user_id = :'person';
SELECT state_of(format('SELECT wa.authenticate(%L, ''events'')', :'socket')) AS elsewhere;
-- Removed, and added again: neither the socket nor a ticket of the time before is worth anything.
SELECT token FROM wa.mint_user_token(:'cookie', :'acme') \gset
SELECT wa.authenticate(:'token', 'events') IS NOT NULL \; SELECT ticket FROM wa.create_ticket() \gset
SELECT wa.remove_member(:'acme', :'person'), wa.add_member(:'acme', :'person', 'member');
SELECT state_of(format('SELECT wa.authenticate(%L, ''events'')', :'token')) AS token, state_of(format('SELECT wa.authenticate(%L, ''events'')', :'socket')) AS socket,
	state_of(format('SELECT wa.redeem_ticket(%L)', :'ticket')) AS ticket;
SELECT token FROM wa.mint_user_token(:'cookie', :'acme') \gset
SELECT wa.authenticate(:'token', 'events') IS NOT NULL \; SELECT socket FROM wa.open_socket() \gset
SELECT state_of(format('SELECT wa.authenticate(%L, ''events'')', :'socket')) AS anew;
SELECT wa.sign_out(:'cookie');
SELECT state_of(format('SELECT wa.authenticate(%L, ''events'')', :'socket')) AS signed_out;

-- Bounds: tickets that wait, and what is over goes.
INSERT INTO wa.ticket (org_id, digest, key_id, expires_at) SELECT :'acme', sha256(i::text::bytea), :'listener', clock_timestamp() FROM generate_series(1001, 2000) i;
SELECT wa.authenticate(:'listener_key', 'events') IS NOT NULL \; SELECT count(*) AS over_does_not_count FROM wa.create_ticket();
INSERT INTO wa.ticket (org_id, digest, key_id) SELECT :'acme', sha256(i::text::bytea), :'listener' FROM generate_series(1, 1000) i;
SELECT e.state, e.constraint_name FROM wa.authenticate(:'listener_key', 'events'), error_of('SELECT wa.create_ticket()') e;
UPDATE wa.ticket SET expires_at = now() - interval '2 minutes';
UPDATE wa.realtime SET expires_at = now() - interval '1 second';
SELECT wa.housekeep('tickets', 400), wa.housekeep('tickets', 10000) > 600 AS rest, wa.housekeep('tickets', 10000), wa.housekeep('sockets', 10000) > 0 AS sockets, wa.housekeep('sockets', 10000);
SELECT (SELECT count(*) FROM wa.ticket) AS tickets, (SELECT count(*) FROM wa.realtime) AS sockets;
SELECT wa.revoke_key(:'listener');
DROP FUNCTION public.worth(text, text), public.state_of(text);
DELETE FROM wa.member WHERE user_id = :'person';
