-- Keys that were found in public: ended by whoever holds the secret, and by services that sign
-- what they have found.  The keys, signatures and secrets here are of no use elsewhere.
\set superuser :USER
\set SHOW_CONTEXT never
\set pem '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/iT34JvIekRhkKgdRIywRG30aKld\nhHt+w1oIbMD4sg0maO1QkZN37zmp46e133E+07MVCwXKseHpj4kprMFy0A==\n-----END PUBLIC KEY-----'
\set other_curve '-----BEGIN PUBLIC KEY-----\nMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEISoA9dOLVPTRmWdsN8Pu03CS8Ta/xHzP\nr40wfUJDJvhn6bLJZKvOF22ryB23QPIiavpMDiQwjQabGC0SPrL8RLPUscJ2hoSb\ndvAhn5poWljMZG+aBULTQ5ChJFFLbc7j\n-----END PUBLIC KEY-----'
\set report '[{"token":"wa_found_in_public_0001","type":"wa_apikeys_api_key","url":"https://git.example.com/a/b/.env","source":"content"},{"token":"wa_never_was_a_key_0002","type":"wa_apikeys_api_key","url":"","source":"commit"},{"token":7},"x",{"token":"wa_found_in_public_0003","type":"wa_apikeys_api_key","url":"https://git.example.com/\\nx","source":"npm"}]'
\set signature 'MEUCIFC2rhoPswj/Fn+spv8Q4ljGZqSi1FjiVSU1dACESwL7AiEAufIJex9EL1ZRx1/I+wfFF5cdquy+feIb20KhecvTMe8='
\set no_report 'wa_found_in_public_0001'
\set no_report_signature 'MEUCIQCxP1KZ7K/vbTrM6Vv9/DMB7J81/4AtV49fBlkwgc1OPAIgAto62TJli6XH4ajQ4Kp6fUkrj/1Nd3lT+hqV5A8Mvkg='
SELECT wa.create_org('Careless') AS careless, wa.create_org('Careful') AS careful \gset
SELECT wa.import_key(:'careless', 'found', wa.hash_key('wa_found_in_public_0001'), '{read}') AS found \gset
SELECT wa.import_key(:'careful', 'found too', wa.hash_key('wa_found_in_public_0003'), '{read}') AS found_too \gset
SELECT id AS other, secret AS other_secret FROM wa.create_key(:'careful', 'other', '{read}') \gset
SELECT id AS lost, secret AS lost_secret FROM wa.create_key(:'careless', 'lost', '{read}') \gset

-- An administrator who has found a secret needs nothing else.
\c - regress_admin
\set SHOW_CONTEXT never
SELECT org_id = :'careless'::uuid AS of_careless, key = :'lost'::uuid AS is_lost, revoked FROM wa.revoke_secret(:'lost_secret', 'in a public image');
SELECT revoked FROM wa.revoke_secret(:'lost_secret');
SELECT name, status, revoked_by, revoked_reason FROM wa.keys WHERE id = :'lost';
SELECT * FROM error_of('SELECT wa.revoke_secret(''wa_never_was_a_key_0002'')');
SELECT * FROM error_of('SELECT wa.revoke_secret(NULL)');
SELECT * FROM error_of(format('SELECT wa.revoke_secret(%L, ''two'' || chr(10) || ''lines'')', :'other_secret'));
SELECT * FROM error_of('SELECT wa.revoke_secret(''no secret'')');

-- The keys of a service: the list is set as a whole, and another service's keys stay as they are.
SELECT wa.set_scanner_keys('scan', jsonb_build_object('public_keys', jsonb_build_array(
	jsonb_build_object('key_identifier', 'k1', 'key', :'pem'), jsonb_build_object('key_identifier', 'k2', 'key', :'pem', 'is_current', true))));
SELECT wa.set_scanner_keys('scan', jsonb_build_object('public_keys', jsonb_build_array(jsonb_build_object('key_identifier', 'k1', 'key', :'pem'))));
SELECT wa.set_scanner_keys('other', jsonb_build_object('public_keys', jsonb_build_array(
	jsonb_build_object('key_identifier', 'k1', 'key', :'pem'), jsonb_build_object('key_identifier', 'k3', 'key', :'pem'))));
SELECT scanner, identifier FROM wa.scanner_key ORDER BY scanner, identifier;
SELECT wa.set_scanner_keys('other', '{"public_keys": []}');
SELECT wrong.what, e.* FROM (VALUES
		('none', '{}'::jsonb), ('no list', '{"public_keys": {}}'), ('null', NULL), ('a list', '[]'), ('too many', jsonb_build_object('public_keys', (SELECT jsonb_agg(i) FROM generate_series(1, 101) i))),
		('no key', '{"public_keys": [{"key_identifier": "k4"}]}'), ('no PEM', '{"public_keys": [{"key_identifier": "k4", "key": "x"}]}'),
		('no name', jsonb_build_object('public_keys', jsonb_build_array(jsonb_build_object('key', :'pem')))),
		('another curve', jsonb_build_object('public_keys', jsonb_build_array(jsonb_build_object('key_identifier', 'k1', 'key', :'pem'),
			jsonb_build_object('key_identifier', 'k4', 'key', :'other_curve'))))) wrong (what, keys)
	CROSS JOIN LATERAL error_of(format('SELECT wa.set_scanner_keys(''scan'', %L)', wrong.keys)) e;
SELECT scanner, identifier FROM wa.scanner_key ORDER BY identifier;
SELECT * FROM error_of('SELECT public_key FROM wa.scanner_key');

-- A report counts if exactly its bytes are signed.
\c - :superuser
\set SHOW_CONTEXT never
SELECT wrong.what, e.* FROM (VALUES
		('another key', 'k2', :'signature', :'report'), ('no key', '', :'signature', :'report'), ('null', NULL, :'signature', :'report'),
		('another signature', 'k1', :'no_report_signature', :'report'), ('none', 'k1', '', :'report'), ('no base64', 'k1', '!', :'report'),
		('a long one', 'k1', repeat('A', 400), :'report'), ('a byte more', 'k1', :'signature', :'report' || ' '), ('nothing', 'k1', :'signature', ''),
		('signed, but no report', 'k1', :'no_report_signature', :'no_report')) wrong (what, identifier, signature, body)
	CROSS JOIN LATERAL error_of(format('SELECT wa.report_leaks(%L, %L, %L)', wrong.identifier, wrong.signature, wrong.body)) e;
SELECT jsonb_array_elements(wa.report_leaks('k1', :'signature', :'report'));
-- Once more is no news.
SELECT count(*) FROM jsonb_array_elements(wa.report_leaks('k1', :'signature', :'report')) e WHERE e ->> 'label' = 'true_positive';
SELECT name, status, revoked_by, revoked_reason FROM wa.keys WHERE org_id IN (:'careless', :'careful') ORDER BY id;
SELECT a.actor, a.action, a.detail FROM wa.audit a WHERE a.org_id IN (:'careless', :'careful') AND a.action = 'key.revoked' ORDER BY a.at;
-- An event costs as much as the organization has webhooks for it.  So a report writes none, and
-- no organization keeps another one's key from ending.
SELECT o.name, count(e) AS events FROM wa.org o LEFT JOIN wa.event e ON e.org_id = o.id AND e.type = 'key.revoked' WHERE o.id IN (:'careless', :'careful') GROUP BY o.id, o.name ORDER BY o.id;
SELECT wa.housekeep('ends', 1) AS one;
SELECT wa.housekeep('ends') AS others, wa.housekeep('ends') AS again;
SELECT o.name, count(e) AS events, bool_or(e.envelope::jsonb -> 'payload' ->> 'revokedReason' LIKE 'found in public by scan:%') AS with_reason FROM wa.org o LEFT JOIN wa.event e ON e.org_id = o.id AND e.type = 'key.revoked' WHERE o.id IN (:'careless', :'careful') GROUP BY o.id, o.name ORDER BY o.id;

-- Nobody else, and nobody who acts with a key.
SELECT * FROM error_of(format('SELECT FROM (SELECT wa.authenticate(%L) OFFSET 0) a, LATERAL wa.report_leaks(''k1'', ''x'', '''')', :'other_secret'));
\c - regress_app
\set SHOW_CONTEXT never
SELECT * FROM error_of(format('SELECT wa.revoke_secret(%L)', :'other_secret'));
SELECT * FROM error_of('SELECT wa.report_leaks(''k1'', '''', '''')');
SELECT * FROM error_of('SELECT wa.set_scanner_keys(''scan'', ''{}'')');
SELECT * FROM error_of('SELECT FROM wa.scanner_key');
-- A report prints its length, wherever the server prints it.
SELECT '[{"token":"wa_found_in_public_0001"}]'::wa.leak_report;
SELECT * FROM error_of('SELECT wa.leak_bytes(''x'')');
SELECT * FROM error_of('SELECT wa.secret_digest(''wa_never_was_a_key_0002'')');
SELECT wa.authenticate(:'other_secret') = :'other' AS other_works;
