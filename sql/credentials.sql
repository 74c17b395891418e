-- Credentials of a session's connector: the database stores them sealed, shows the ids in them
-- only, and gives one session of the installation each phone number.
SET search_path = wa, public, pg_temp;
\set SHOW_CONTEXT never
\set superuser :USER
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS beta FROM fixture WHERE name = 'beta' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_manage FROM fixture WHERE name = 'acme_manage' \gset
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
SELECT value AS acme_send FROM fixture WHERE name = 'acme_send' \gset
SELECT value AS acme_events FROM fixture WHERE name = 'acme_events' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
SET wa.connectors = 'sandbox, cloud, plain';
CREATE FUNCTION public.public_key(name text) RETURNS bytea LANGUAGE sql AS $$ SELECT set_byte(sha256(name::bytea), 31, 0) $$;
CREATE FUNCTION public.bytes(n integer) RETURNS bytea LANGUAGE sql AS $$ SELECT decode(repeat('5e', n), 'hex') $$;

-- Administrators add the public keys of connectors; the newest seals.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT id FROM wa.create_session('Cloud', connector => 'cloud') \gset
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.sealing_key(%L)', :'id'));
SELECT wa.add_connector_key('cloud', public_key('one')) AS first \gset
SELECT wa.add_connector_key('cloud', public_key('two')) AS second \gset
SELECT wa.add_connector_key('plain', public_key('one')) AS plain \gset
SELECT connector, id = :'second' AS is_second, public_key = public_key('two') AS is_key, added_by, sessions FROM wa.connector_keys();
SELECT wrong.key, e.state, e.column_name FROM (VALUES (NULL), ('\x'), ('\x00'), ('\x' || repeat('0', 66))) wrong (key)
	CROSS JOIN LATERAL error_of(format('SELECT wa.add_connector_key(''cloud'', %L)', wrong.key)) e;
-- Points of small order, to which libsodium seals nothing, and other forms of the same and of other points.
SELECT wrong.key, e.state, e.column_name, e.message FROM (VALUES (1, repeat('00', 32)), (2, '01' || repeat('00', 31)), (3, 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
	(4, '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'), (5, 'ec' || repeat('ff', 30) || '7f'), (6, 'ed' || repeat('ff', 30) || '7f'), (7, 'ee' || repeat('ff', 30) || '7f'),
	(8, repeat('ff', 31) || '7f'), (9, repeat('5e', 31) || '80'), (10, repeat('00', 31) || '80'), (11, 'ec' || repeat('ff', 31))) wrong (place, key)
	CROSS JOIN LATERAL error_of(format('SELECT wa.add_connector_key(''cloud'', %L)', '\x' || wrong.key)) e ORDER BY wrong.place;
SELECT wa.is_public_key(decode(k, 'hex')) FROM (VALUES (repeat('5e', 32)), ('eb' || repeat('ff', 30) || '7f'), ('ed' || repeat('ff', 29) || 'fe7f')) v (k);
SELECT state, column_name FROM error_of($$SELECT wa.add_connector_key('No', public_key('x'))$$);
SELECT state FROM error_of($$SELECT wa.add_connector_key('cloud', public_key('one'))$$);
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT wa.add_connector_key('cloud', public_key('x'));
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT wa.connector_keys();
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT wa.remove_connector_key(:'first');

-- The key of a session's connector, or of a connector that is named, for whoever may manage.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT org_id = :'acme' AS org, key_id = :'second' AS key, public_key = public_key('two') AS public FROM wa.sealing_key(:'id');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT key_id = :'plain' AS key FROM wa.sealing_key(connector => 'plain');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT * FROM error_of('SELECT wa.sealing_key()');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT * FROM error_of($$SELECT wa.sealing_key(connector => 'other')$$);

-- Given, and shown without what is sealed.  A session that has just begun begins anew.
CREATE FUNCTION public.give(session uuid, key uuid, number text DEFAULT '100', sealed bytea DEFAULT bytes(64)) RETURNS boolean LANGUAGE sql AS $$
	SELECT updated_at <= clock_timestamp() FROM wa.set_session_credentials(session, number, '200', '300', key, sealed) $$;
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT public.give(:'id', :'second');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT phone_number_id, waba_id, app_id, updated_at <= clock_timestamp() AS updated FROM wa.session_credentials(:'id');
SELECT a.action, a.detail FROM wa.audit a WHERE a.subject = :'id' AND a.action = 'session.credentials';
SELECT count(*) FROM wa.event e WHERE e.org_id = :'acme' AND e.envelope ~ '(5e){8}|phoneNumberId';
SELECT sessions FROM wa.connector_keys() WHERE id = :'second';
-- NULL gives nothing, as a request without credentials does.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT count(*) FROM wa.set_session_credentials(:'id', NULL, '200', '300', :'second', bytes(64));
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT what, e.state, e.message FROM (VALUES ('a key that is gone', :'acme'::uuid, '100', 64), ('a key of another connector', :'plain', '100', 64),
		('no number', :'second', '', 64), ('no number', :'second', '1a', 64), ('a long number', :'second', repeat('1', 21), 64),
		('nothing sealed', :'second', '100', 48), ('too much', :'second', '100', 8193)) w (what, key, number, bytes),
	error_of(format('SELECT public.give(%L, %L, %L, bytes(%s))', :'id', w.key, w.number, w.bytes)) e;

-- Who may not: another organization, a key without manage, no key.
CREATE TABLE public.what AS VALUES ('sealing_key(%L)'), ('session_credentials(%L)'), ('set_session_credentials(%L, ''1'', ''2'', ''3'', wa.uuid7(), bytes(64))');
ALTER TABLE public.what RENAME column1 TO what;
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT w.what, e.state, e.message FROM public.what w, error_of(format('SELECT wa.' || w.what, :'id')) e;
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; SELECT w.what, e.state, e.constraint_name FROM public.what w, error_of(format('SELECT wa.' || w.what, :'id')) e;
SELECT wa.authenticate(:'acme_send') IS NOT NULL \; SELECT w.what, e.state, e.constraint_name FROM public.what w, error_of(format('SELECT wa.' || w.what, :'id')) e;
SELECT wa.authenticate(:'acme_events') IS NOT NULL \; SELECT w.what, e.state, e.constraint_name FROM public.what w, error_of(format('SELECT wa.' || w.what, :'id')) e;
SELECT e.state FROM error_of(format('SELECT wa.session_credentials(%L)', :'id')) e;
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT * FROM wa.session_credentials;
SELECT * FROM wa.connector_key;
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.connector_credentials('cloud', 'one', ARRAY[:'id'::uuid]);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.connector_receivers('cloud', '{100}', NULL);
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT wa.take_number(:'acme', :'id');
\c - regress_admin
SELECT wa.session_credentials(:'id');
SELECT sealed FROM wa.session_credentials;
SELECT connector, count(*) FROM wa.connector_key GROUP BY 1 ORDER BY 1;
\c - :superuser
SET search_path = wa, public, pg_temp;
SET wa.connectors = 'sandbox, cloud, plain';
\set SHOW_CONTEXT never

-- A connector gets what is sealed of the sessions that it holds, and of no others.
SELECT count(*) FROM wa.connector_credentials('cloud', 'one', ARRAY[:'id'::uuid]);
SELECT credentials_at IS NOT NULL AS has_credentials FROM wa.connector_sessions('cloud', 'one', 10, '1 min') WHERE session_id = :'id';
SELECT org_id = :'acme' AS org, session_id = :'id' AS session, key_id = :'second' AS key, sealed = bytes(64) AS sealed FROM wa.connector_credentials('cloud', 'one', ARRAY[:'id', :'beta_session']::uuid[]);
SELECT count(*) FROM wa.connector_credentials('cloud', 'two', ARRAY[:'id'::uuid]) UNION ALL SELECT count(*) FROM wa.connector_credentials('plain', 'one', ARRAY[:'id'::uuid]);
SELECT e.state, e.column_name FROM (VALUES ('NULL'), ('''{}'''), ('array_fill(wa.uuid7(), ARRAY[1001])')) w (sessions),
	error_of(format('SELECT wa.connector_credentials(''cloud'', ''one'', %s)', w.sessions)) e;

-- A report counts only for the credentials that the session has, and working has to name them.
CREATE FUNCTION public.report(org uuid, session uuid, status text, at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wa.act_for(org);
	RETURN wa.connector_session(session, 'one', status, '15550000100', status_reason => 'reported', credentials_at => at);
END $$;
SELECT updated_at AS at FROM wa.session_credentials WHERE session_id = :'id' \gset
SELECT public.report(:'acme', :'id', 'working', NULL) AS unnamed;
SELECT public.report(:'acme', :'id', 'working', :'at'::timestamptz - interval '1 microsecond') AS others;
SELECT public.report(:'acme', :'id', 'failed', :'at'::timestamptz - interval '1 microsecond') AS others;
SELECT public.report(:'acme', :'id', 'working', :'at') AS named;
SELECT status, has_number FROM wa.session s JOIN wa.session_credentials c ON c.session_id = s.id WHERE s.id = :'id';
-- New credentials of a session that runs: it begins anew, without the number until they are
-- accepted, and nobody's report of before counts.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT public.give(:'id', :'second');
SELECT status, lease_owner, has_number, c.updated_at > :'at' AS later FROM wa.session s JOIN wa.session_credentials c ON c.session_id = s.id WHERE s.id = :'id';
SELECT public.report(:'acme', :'id', 'failed', :'at') AS without_lease;
SELECT count(*) FROM wa.connector_sessions('cloud', 'one', 10, '1 min') WHERE session_id = :'id' AND credentials_at > :'at';
SELECT public.report(:'acme', :'id', 'failed', :'at') AS of_before;
SELECT updated_at AS at FROM wa.session_credentials WHERE session_id = :'id' \gset
SELECT public.report(:'acme', :'id', 'working', :'at') AS named;

-- Another organization may name the number.  It learns that it is taken when WhatsApp has
-- accepted its credentials, and not before; the first one keeps it.
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT id AS rival FROM wa.create_session('Rival', connector => 'cloud') \gset
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT public.give(:'rival', :'first');
SELECT count(*) FROM wa.connector_sessions('cloud', 'one', 10, '1 min') WHERE session_id = :'rival';
-- What WhatsApp posts about the number is for the session that has it; whoever may get it later has to wait.
SELECT s.label, r.phone_number_id, r.waba_id, r.sealed = bytes(64) AS sealed, r.has_number FROM wa.connector_receivers('cloud', '{100,100,999}', NULL) r JOIN wa.session s ON s.org_id = r.org_id AND s.id = r.session_id;
SELECT s.label, r.phone_number_id FROM wa.connector_receivers('cloud', NULL, '300') r JOIN wa.session s ON s.org_id = r.org_id AND s.id = r.session_id ORDER BY 1;
SELECT count(*) FROM wa.connector_receivers('plain', '{100}', '300') UNION ALL SELECT count(*) FROM wa.connector_receivers('cloud', '{999,NULL}', '301') UNION ALL SELECT count(*) FROM wa.connector_receivers('cloud', NULL, NULL);
SELECT e.state, e.column_name FROM (VALUES ('''{}'''), ('array_fill(''1''::text, ARRAY[1001])'), ('array_fill(''1''::text, ARRAY[1, 2])')) w (numbers),
	error_of(format('SELECT wa.connector_receivers(''cloud'', %s, NULL)', w.numbers)) e;
-- Who names an app does not crowd out those whose number works, or take the places of others.
BEGIN;
SELECT wa.authenticate(:'beta_all') IS NOT NULL;
SELECT count(public.give(c.id, :'first')) FROM generate_series(1, 60) n CROSS JOIN LATERAL wa.create_session('Crowd ' || n, connector => 'cloud') c;
SELECT s.org_id = :'acme' AS acme, r.has_number, count(*) FROM wa.connector_receivers('cloud', NULL, '300') r JOIN wa.session s ON s.org_id = r.org_id AND s.id = r.session_id GROUP BY 1, 2 ORDER BY 1, 2;
SELECT s.org_id = :'acme' AS acme, r.has_number, count(*) FROM wa.connector_receivers('cloud', '{100}', NULL) r JOIN wa.session s ON s.org_id = r.org_id AND s.id = r.session_id GROUP BY 1, 2 ORDER BY 1, 2;
ROLLBACK;
SELECT updated_at AS rival_at FROM wa.session_credentials WHERE session_id = :'rival' \gset
SELECT public.report(:'beta', :'rival', 'working', :'rival_at') AS reported;
SELECT s.label, s.status, s.status_reason, s.phone_number, c.has_number FROM wa.session s JOIN wa.session_credentials c ON c.session_id = s.id WHERE s.id IN (:'id', :'rival') ORDER BY 1;
-- A session that has failed makes WhatsApp try again for an hour, also from the time of new credentials.
BEGIN;
SELECT r.session_id = :'rival' AS rival, r.has_number FROM wa.connector_receivers('cloud', '{100}', NULL) r ORDER BY 1;
UPDATE wa.session SET updated_at = now() - interval '61 min' WHERE id = :'rival';
SELECT r.session_id = :'rival' AS rival, r.has_number FROM wa.connector_receivers('cloud', '{100}', NULL) r ORDER BY 1;
UPDATE wa.session_credentials SET updated_at = now() - interval '61 min' WHERE session_id = :'rival';
SELECT r.session_id = :'rival' AS rival, r.has_number FROM wa.connector_receivers('cloud', '{100}', NULL) r ORDER BY 1;
ROLLBACK;
-- It gets the number when the first one is stopped, and the first one cannot take it back.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT status FROM wa.control_session(:'id', 'stop');
-- A session that is stopped gets nothing.
SELECT s.label, r.has_number FROM wa.connector_receivers('cloud', '{100}', NULL) r JOIN wa.session s ON s.org_id = r.org_id AND s.id = r.session_id;
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT status FROM wa.control_session(:'rival', 'restart');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT status FROM wa.control_session(:'id', 'start');
SELECT count(*) FROM wa.connector_sessions('cloud', 'one', 10, '1 min') WHERE session_id IN (:'id', :'rival');
SELECT public.report(:'beta', :'rival', 'working', :'rival_at') AS reported;
SELECT public.report(:'acme', :'id', 'working', :'at') AS reported;
SELECT s.label, s.status, s.status_reason, s.phone_number, c.has_number FROM wa.session s JOIN wa.session_credentials c ON c.session_id = s.id WHERE s.id IN (:'id', :'rival') ORDER BY 1;
-- New credentials give it up, for the same number as for another one.
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT public.give(:'rival', :'first');
SELECT status, has_number FROM wa.session s JOIN wa.session_credentials c ON c.session_id = s.id WHERE s.id = :'rival';
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT status FROM wa.control_session(:'id', 'restart');
SELECT count(*) FROM wa.connector_sessions('cloud', 'one', 10, '1 min') WHERE session_id = :'id';
SELECT public.report(:'acme', :'id', 'working', :'at') AS reported;
SELECT status, has_number FROM wa.session s JOIN wa.session_credentials c ON c.session_id = s.id WHERE s.id = :'id';
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT public.give(:'rival', :'first', '101');
SELECT status, has_number FROM wa.session s JOIN wa.session_credentials c ON c.session_id = s.id WHERE s.id = :'rival';

-- A key is removed when nothing is sealed to it; a logout and a deletion forget credentials.
SELECT * FROM error_of(format('SELECT wa.remove_connector_key(%L)', :'first'));
SELECT * FROM error_of(format('SELECT wa.remove_connector_key(%L)', :'acme'));
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT status FROM wa.control_session(:'rival', 'logout');
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT count(*) FROM wa.session_credentials(:'rival');
SELECT wa.remove_connector_key(:'first');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT wa.delete_session(:'id');
SELECT count(*) FROM wa.session_credentials;
SELECT wa.remove_connector_key(id) FROM wa.connector_keys();
SELECT name, detail FROM wa.self_check() WHERE NOT passed AND name <> 'library is preloaded';
DELETE FROM wa.session WHERE id IN (:'id', :'rival');
DROP TABLE public.what;
DROP FUNCTION public.report(uuid, uuid, text, timestamptz), public.give(uuid, uuid, text, bytea), public.bytes(integer);
