-- Administrators change keys that are in use: what is given changes with effect right away, all
-- else stays, and what has ended stays so.
\set superuser :USER
\set SHOW_CONTEXT never
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
\c - regress_app
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT id AS mine FROM wa.create_session('changed keys') \gset
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT id AS theirs FROM wa.create_session('not of theirs') \gset
\c - :superuser
UPDATE wa.session SET connector = 'answers' WHERE id = :'mine';

\c - regress_admin
\set SHOW_CONTEXT never
SELECT id, secret FROM wa.create_key(:'acme', 'changes', '{read}') \gset
SELECT id AS test_id FROM wa.create_key(:'acme', 'changes of a test key', '{read}', test => true) \gset
SELECT key AS shown_id FROM wa.keys WHERE id = :'id' \gset

-- One setting after the other, by either id.
SELECT wa.update_key(:'shown_id', name => '  changed  ');
SELECT wa.update_key(:'id', permissions => '{read,send}');
SELECT wa.update_key(:'id', expires_at => '2100-01-01 00:00:00+00');
SELECT wa.update_key(:'id', sessions => ARRAY[:'mine']::wa.session_id[]);
SELECT wa.update_key(:'id', addresses => '{203.0.113.0/24}');
SELECT wa.update_key(:'id', per_minute => 60);
SELECT name, permissions, expires_at, sessions = ARRAY[:'mine'::uuid] AS mine, addresses, per_minute, burst, test, status FROM wa.keys WHERE id = :'id';
-- What may be taken away.
SELECT wa.update_key(:'id', expires_at => 'infinity', lift => '{sessions,addresses,rateLimit}');
SELECT name, permissions, expires_at, sessions, addresses, per_minute, burst FROM wa.keys WHERE id = :'id';
-- The audit log has each of them.
SELECT actor, detail #- '{sessions,0}' AS detail FROM wa.audit WHERE subject = :'id' AND action = 'key.changed' ORDER BY id;

-- Permissions of both kinds: each is left as it is if only the other is given.
BEGIN;
SELECT wa.define_permission('changes:read', 'Reads') IS NOT NULL AND wa.define_permission('changes:write', 'Changes') IS NOT NULL AS defined;
SELECT wa.update_key(:'id', own_permissions => '{changes:read,changes:write}');
SELECT wa.update_key(:'id', permissions => '{send}');
SELECT permissions, own_permissions FROM wa.keys WHERE id = :'id';
SELECT wa.update_key(:'id', name => 'changed twice');
SELECT wa.update_key(:'id', permissions => '{}');
SELECT wa.update_key(:'id', own_permissions => '{changes:read}');
SELECT name, permissions, own_permissions FROM wa.keys WHERE id = :'id';
SELECT state, message FROM error_of(format('SELECT wa.update_key(%L, own_permissions => ''{}'')', :'id'));
SELECT detail -> 'permissions' AS permissions FROM wa.audit WHERE subject = :'id' AND action = 'key.changed' AND at >= now() AND detail ? 'permissions' ORDER BY id;
ROLLBACK;
SELECT wa.update_key(:'id', permissions => '{read}');

-- With effect right away.
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'secret', 'read') IS NOT NULL AS accepted;
SELECT wa.authenticate(:'secret', 'send');
\c - regress_admin
\set SHOW_CONTEXT never
SELECT wa.update_key(:'id', permissions => '{send}');
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'secret', 'read');
SELECT wa.authenticate(:'secret', 'send') IS NOT NULL AS accepted;

-- Denied: to keys and applications, and to a superuser whose transaction is bound.
SELECT wa.update_key(:'id', permissions => '{read,send,manage,events}');
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT wa.update_key(:'id', permissions => '{read,send,manage,events}');
SELECT wa.change_key(NULL, 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT wa.lock_key(:'acme', :'id');
\c - :superuser
\set SHOW_CONTEXT never
BEGIN; SELECT wa.authenticate(:'acme_all') IS NOT NULL AS bound; SELECT wa.update_key(:'id', name => 'x'); ROLLBACK;
SELECT r.rolname AS role, f.name AS may_call
FROM pg_roles r CROSS JOIN (VALUES ('wa.update_key(wa.key_id,text,wa.permissions,timestamptz,wa.session_id[],text[],integer,integer,text[],text[])'),
	('wa.change_key(wa.api_key,text,wa.permissions,bigint,timestamptz,uuid[],text[],integer,integer)'), ('wa.lock_key(uuid,uuid)')) f (name)
WHERE r.rolname LIKE 'wa\_%' AND has_function_privilege(r.rolname, f.name, 'EXECUTE') ORDER BY 2, 1;

-- Denied: what a key cannot have.  Nothing of it is changed then.
\c - regress_admin
\set SHOW_CONTEXT never
SELECT md5(k::text) AS before FROM wa.keys k WHERE id = :'id' \gset
SELECT w.changes, e.state, e.message FROM (VALUES (1, ''), (2, 'name => '' '''), (3, 'name => ''Changes of a TEST key'''), (4, 'permissions => ''{}'''),
	(5, 'own_permissions => ''{read}'''), (6, 'own_permissions => ''{changes:wirte}'''), (7, 'expires_at => ''2000-01-01'''), (8, 'expires_at => ''-infinity'', per_minute => -1'),
	(9, 'sessions => ''{}'''), (10, 'sessions => ''{00000000-0000-7000-8000-000000000001}'''), (11, 'addresses => ''{}'''), (12, 'addresses => ''{"",10.0.0.0/8}'''),
	(13, 'per_minute => -1'), (14, 'burst => 5'), (15, 'lift => ''{rateLimit}'', burst => 5'),
	-- No value of a setting takes a restriction away.
	(16, 'sessions => ''{00000000-0000-0000-0000-000000000000}'''), (17, 'addresses => ''{""}'''), (18, 'per_minute => 0'), (19, 'lift => ''{}'''),
	(20, 'lift => ''{sessions,everything}'''), (21, 'lift => ''{NULL}'''), (22, 'lift => ''{{sessions},{addresses}}'''),
	(23, 'lift => ''{rateLimit}'', per_minute => 60')) w (n, changes)
	CROSS JOIN LATERAL error_of(format('SELECT wa.update_key(%L%s)', (SELECT id FROM wa.keys WHERE name = 'changed'), ', ' || NULLIF(w.changes, ''))) e ORDER BY w.n;
SELECT md5(k::text) = :'before' AS unchanged FROM wa.keys k WHERE id = :'id';
SELECT * FROM error_of(format('SELECT wa.update_key(%L, sessions => %L)', :'id', ARRAY[:'theirs'::uuid]));
-- A test key reaches no session but those of the sandbox, and no change makes it another key.
SELECT * FROM error_of(format('SELECT wa.update_key(%L, sessions => %L)', :'test_id', ARRAY[:'mine'::uuid]));
SELECT wa.update_key(:'test_id', permissions => '{read,send}');
SELECT permissions, test FROM wa.keys WHERE id = :'test_id';
-- The organization's longest life is counted from when a key was made.
BEGIN;
SELECT wa.set_key_policy(:'acme', 7, 30);
SELECT wa.update_key(:'id', expires_at => now() + interval '29 days');
SELECT state, message FROM error_of(format('SELECT wa.update_key(%L, expires_at => now() + interval ''31 days'')', :'id'));
SELECT state, message FROM error_of(format('SELECT wa.update_key(%L, expires_at => ''infinity'')', :'id'));
ROLLBACK;
-- What has ended stays so.
SELECT id IS NOT NULL AS rotated FROM wa.rotate_key(:'id', '1 hour');
SELECT state, message FROM error_of(format('SELECT wa.update_key(%L, expires_at => ''infinity'')', :'id'));
SELECT wa.revoke_key(:'test_id');
SELECT state, message FROM error_of(format('SELECT wa.update_key(%L, name => ''again'')', :'test_id'));
SELECT state, message FROM error_of('SELECT wa.update_key(wa.uuid7(), name => ''x'')');
SELECT state, message FROM error_of('SELECT wa.update_key(NULL, name => ''x'')');
\c - :superuser
DELETE FROM wa.session WHERE id IN (:'mine', :'theirs');
