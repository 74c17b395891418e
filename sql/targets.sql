-- A webhook to an address that is spelled out and leads inside is refused when it is made.
SELECT value AS acme_manage FROM fixture WHERE name = 'acme_manage' \gset
SELECT clock_timestamp() AS begun \gset
\c - regress_app
\set SHOW_CONTEXT never

-- Addresses of the inside, and hosts that some program could read as one.
SELECT u.url, e.state, e.column_name, e.message FROM (VALUES
	('http://127.0.0.1/'), ('https://127.0.0.1:8443/x'), ('http://0.0.0.0/'), ('http://10.1.2.3/'), ('http://100.64.0.1/'), ('http://169.254.169.254/'),
	('http://168.63.129.16/'), ('http://172.31.255.255/'), ('http://192.168.1.1?x'), ('http://198.18.0.1/'), ('http://224.0.0.1/'), ('http://255.255.255.255/'),
	('http://[::]/'), ('http://[::1]/'), ('http://[::1]:8080/x'), ('http://[::ffff:8.8.8.8]/'), ('http://[64:ff9b::8.8.8.8]/'), ('http://[2002:808:808::]/'),
	('http://[2001:0:1::]/'), ('http://[FD00::1]/'), ('http://[fe80::1]/'), ('http://[2001:db8::1]/'),
	('http://127.1/'), ('http://1/'), ('http://2130706433/'), ('http://0x7f.0.0.1/'), ('http://0x7f000001/'), ('http://0177.0.0.1/'), ('http://127.0.0.1./'),
	('http://256.0.0.1/'), ('http://1.2.3.4.5/'), ('http://[1.2.3.4]/'), ('http://[fe80::1%eth0]/'), ('http://[::1/'), ('http://[]/')) u (url),
	wa.authenticate(:'acme_manage'), error_of(format('SELECT wa.create_webhook(%L)', u.url)) e;
-- The control: what leads to the Internet, and names, whose addresses the worker looks at.
SELECT u.url, e.state FROM (VALUES ('http://9.255.255.255/'), ('http://172.32.0.1:81/'), ('https://[2606:4700::1111]:8443/'), ('https://localhost/'),
	('https://127.0.0.1.example.com/'), ('https://1.example/')) u (url),
	wa.authenticate(:'acme_manage'), error_of(format('SELECT wa.create_webhook(%L)', u.url)) e;
-- What the worker could never deliver to is told now.  Releases of psql disagree on how wide a joiner is.
SELECT replace(left(u.url, 40), U&'\200D', '\200D') AS url, e.state, e.message FROM (VALUES ('http://e.com:0/'), ('http://e.com:65536/'), ('http://e.com:99999/'), ('http://e.com:0x50/'), ('http://e.com:+80/'), ('http://e.com:/'),
	('http://[2606:4700::1111]:0/'), ('http://127.0.0.1%00.e.com/'), ('http://127。0。0。1/'), ('http://e.com:22/'), ('http://e.com:6667/'), ('http://e_x.com:65535/'), ('http://xn--bcher-kva.example:81'),
	('http://e.com/a\b'), ('http://e.com/b' || U&'\00fc' || 'cher'), ('http://' || repeat('a', 64) || '.com/'), ('http://' || repeat('a', 63) || '.com/'),
	('http://' || repeat('a.', 126) || 'aa/'), ('http://' || repeat('a.', 126) || 'a/'), ('http://e..com/'), ('http://.e.com/'), ('http://e.com./'),
	('http://' || repeat(U&'\00fc', 60) || '.com/'), ('http://' || U&'\2100' || '.e.com/'), ('http://e.com' || U&'\FF0F' || '.f.com/'), ('http://' || U&'\200D' || 'e.com/')) u (url),
	wa.authenticate(:'acme_manage'), error_of(format('SELECT wa.create_webhook(%L)', u.url)) e;
-- Names of other letters are kept in the form that is looked up.
SELECT u.url, (wa.create_webhook(u.url)).url AS kept FROM (VALUES ('http://bücher.example:81/x?y'), ('https://BÜCHER.example'), ('https://faß.example/'),
	('https://例え.テスト/'), ('https://b' || U&'u\0308' || 'cher.example/'), ('https://' || U&'\FF18' || '.8.8' || U&'\3002' || '8/'), ('HTTPS://Example.COM/Path')) u (url), wa.authenticate(:'acme_manage');
-- A change is looked at like a new one.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT id FROM wa.create_webhook('https://e.com/') \gset
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT state, message FROM error_of(format('SELECT wa.update_webhook(%L, ''http://10.0.0.1/'')', :'id'));
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT state, message FROM error_of(format('SELECT wa.update_webhook(%L, ''http://e.com:25/'')', :'id'));
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT url FROM wa.update_webhook(:'id', 'https://müller.example/');
-- Only the server's configuration can allow more.
SET wa.allowed_targets = '10.0.0.0/8';
SELECT wa.target_problem('10.0.0.1');
\c - postgres
\set SHOW_CONTEXT never
SELECT a.address, wa.target_problem(a.address) FROM (VALUES ('10.0.0.1'::inet), ('8.8.8.8'), ('127.0.0.1'), ('::1'), ('::ffff:8.8.8.8'), ('2606:4700::1111')) a (address);
ALTER SYSTEM SET wa.allowed_targets = 'localhost';
ALTER SYSTEM SET wa.allowed_targets = '10.0.0.0/33';
ALTER SYSTEM SET wa.allowed_targets = '10.0.0.0/8, ::1';
SELECT pg_reload_conf();
-- A new session has what the server has read by then.
\! for i in $(seq 600); do [ "$(psql -X -U postgres -Atc 'SHOW wa.allowed_targets')" = '10.0.0.0/8, ::1' ] && break; sleep 0.05; done
\c - postgres
SELECT a.address, wa.target_problem(a.address) FROM (VALUES ('10.0.0.1'::inet), ('11.0.0.1'), ('127.0.0.1'), ('::1'), ('::2'), ('::ffff:10.0.0.1')) a (address);
\c - regress_app
SELECT u.url, e.state FROM (VALUES ('http://10.255.255.255/'), ('http://[::1]:81/'), ('http://127.0.0.1/'), ('http://[::ffff:10.0.0.1]/')) u (url),
	wa.authenticate(:'acme_manage'), error_of(format('SELECT wa.create_webhook(%L)', u.url)) e;
\c - postgres
ALTER SYSTEM RESET wa.allowed_targets;
SELECT pg_reload_conf();
-- Counted for the worker's metrics, over all organizations; for nobody else.
SELECT s.pending >= 0, s.failed >= 0, s.dead >= 0, s.oldest_seconds >= 0, s.paused >= 0, s.held_seconds >= 0 FROM wa.delivery_stats() AS s;
\c - regress_app
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT wa.delivery_stats();
-- Nothing stays behind for the tests that follow.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT count(wa.delete_webhook(w.id)) FROM (SELECT id FROM wa.webhook WHERE created_at >= :'begun' ORDER BY id) w;
