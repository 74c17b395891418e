-- Administrators follow which events an organization has, and do not see what they say.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
\c - regress_admin
\set SHOW_CONTEXT never
SELECT wa.create_org('Followed') AS followed, wa.create_org('Not followed') AS other \gset
SELECT count(*) FROM wa.tail_events(:'followed');
SELECT count(*) FROM wa.tail_events(:'followed', '00000000-0000-0000-0000-000000000000');
SELECT wa.disable_key(k.id), wa.enable_key(k.id), wa.revoke_key(k.id) FROM wa.create_key(:'other', 'theirs', '{read}') k \gset
SELECT wa.disable_key(k.id), wa.enable_key(k.id), wa.revoke_key(k.id) FROM wa.create_key(:'followed', 'ours', '{read}') k \gset
-- In order, from the beginning, from the latest ones, and from behind one.
SELECT type, session, at <= clock_timestamp() AS was FROM wa.tail_events(:'followed', '00000000-0000-0000-0000-000000000000');
SELECT type FROM wa.tail_events(:'followed', max => 2);
SELECT id AS first FROM wa.tail_events(:'followed', '00000000-0000-0000-0000-000000000000', max => 1) \gset
SELECT type FROM wa.tail_events(:'followed', :'first');
SELECT type FROM wa.tail_events(:'followed', :'first', '{key.revoked}');
SELECT count(type) FROM wa.tail_events(:'followed', :'first', '{key.disabled,*}');
-- Nothing of an organization is behind an event of another one.
SELECT * FROM error_of(format('SELECT wa.tail_events(%L, %L)', :'other', :'first'));
SELECT e.state, e.message FROM (VALUES (1, 'wa.uuid7()'), (2, 'NULL, ''{key.revoked,key.gone}'''), (3, 'max => 0'), (4, 'max => 1001'), (5, 'max => NULL')) w (n, arguments)
	CROSS JOIN LATERAL error_of(format('SELECT wa.tail_events(%L, %s)', (SELECT id FROM wa.org WHERE name = 'Followed'), w.arguments)) e ORDER BY w.n;
SELECT * FROM error_of('SELECT wa.tail_events(wa.uuid7())');
SELECT * FROM error_of('SELECT wa.tail_events(NULL)');
-- Administrators have no other way to events.
SELECT count(*) FROM wa.event;
SELECT envelope FROM wa.event;
SELECT wa.read_events();
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.tail_events(:'followed');
SELECT wa.authenticate(:'acme_all') IS NOT NULL AS bound \; SELECT wa.tail_events(wa.current_org());
\c - :superuser
\set SHOW_CONTEXT never
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL AS bound; SELECT wa.tail_events(:'followed'); ROLLBACK;
-- Behind the latest event that was removed nothing is missing.
UPDATE wa.org o SET (expired_epoch, expired_ordinal, expired_event) = (SELECT e.epoch, e.ordinal, e.id FROM wa.event e WHERE e.org_id = o.id AND e.id = :'first') WHERE o.id = :'followed';
DELETE FROM wa.event WHERE org_id = :'followed' AND id = :'first';
SELECT type FROM wa.tail_events(:'followed', :'first', max => 1);
SELECT r.rolname AS role FROM pg_roles r
WHERE r.rolname LIKE 'wa\_%' AND has_function_privilege(r.rolname, 'wa.tail_events(wa.org_id,uuid,text[],integer)', 'EXECUTE') ORDER BY 1;
