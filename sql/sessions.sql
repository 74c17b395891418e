-- Sessions: changed, started, stopped, paired, deleted by a key with manage.
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
SELECT value AS acme_manage FROM fixture WHERE name = 'acme_manage' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
SELECT value AS acme FROM fixture WHERE name = 'acme' \gset
\set superuser :USER
\c - regress_app
\set SHOW_CONTEXT never

SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT id FROM wa.create_session('Desk', start => false) \gset
-- PATCH: what is given changes, NULL leaves it; a manage-only key needs no read.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT label, auto_read, presence_typing, rate_per_min, rate_per_hour FROM wa.update_session(:'id', label => ' Front desk ', auto_read => true, rate_per_min => 5);
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT label, auto_read, presence_typing, rate_per_min, rate_per_hour FROM wa.update_session(:'id', presence_typing => true, rate_per_hour => 0);
SELECT e.column_name, e.message FROM (VALUES ('label => '' '''), ('rate_per_min => -1'), ('rate_per_hour => 1000001')) a (argument),
	wa.authenticate(:'acme_manage'), error_of(format('SELECT wa.update_session(%L, %s)', :'id', argument)) e;

-- start, stop, restart, logout; what is so already stays.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT status FROM wa.control_session(:'id', 'start') \; SELECT status FROM wa.control_session(:'id', 'start') \; SELECT status FROM wa.control_session(:'id', 'stop') \; SELECT status FROM wa.control_session(:'id', 'stop') \; SELECT status FROM wa.control_session(:'id', 'restart') \; SELECT status FROM wa.control_session(:'id', 'logout') \; SELECT status FROM wa.control_session(:'id', 'start');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT * FROM error_of(format($$SELECT wa.control_session(%L, 'explode')$$, :'id'));

-- Pairing: no code to see before the connector has one.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.session_qr(%L)', :'id'));
\c - :superuser
\set SHOW_CONTEXT never
SELECT count(*) FROM wa.connector_sessions('sandbox', 'pairing', 100, '30 s') WHERE session_id = :'id';
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'id', 'pairing', 'scan_qr_code', qr_code => '2@abc', qr_expires_at => '2030-01-01 00:00:00+00');
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT code, expires_at AT TIME ZONE 'UTC' AS expires_at FROM wa.session_qr(:'id');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT wa.request_pairing_code(:'id', '+15551234567') ~ '^[1-9A-HJ-NP-TV-Z]{8}$' AS code;
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT * FROM error_of(format($$SELECT wa.request_pairing_code(%L, 'me')$$, :'id'));
\c - :superuser
\set SHOW_CONTEXT never
SELECT pairing_phone, length(pairing_code) FROM wa.connector_sessions('sandbox', 'pairing', 100, '30 s') WHERE session_id = :'id';
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'id', 'pairing', 'working', '15551234567', '15551234567@s.whatsapp.net');
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.session_qr(%L)', :'id'));
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT * FROM error_of(format($$SELECT wa.request_pairing_code(%L, '15551234567')$$, :'id'));
-- A logout forgets the phone.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT status, phone_number, wa_jid FROM wa.control_session(:'id', 'logout');

-- Why a session has failed, until somebody starts it again.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT id AS failing FROM wa.create_session('failing') \gset
\c - :superuser
\set SHOW_CONTEXT never
SELECT count(*) FROM wa.connector_sessions('sandbox', 'failing', 100, '30 s') WHERE session_id = :'failing';
SELECT wa.act_for(:'acme') \; SELECT wa.connector_session(:'failing', 'another', 'failed', status_reason => 'of another connector') AS others, wa.connector_session(:'failing', 'failing', 'failed', status_reason => 'the access token has expired ' || repeat('x', 600)) AS reported;
\c - regress_app
\set SHOW_CONTEXT never
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; SELECT status, left(status_reason, 30) AS reason, length(status_reason) FROM wa.session WHERE id = :'failing';
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT status, status_reason FROM wa.control_session(:'failing', 'restart') \; SELECT wa.delete_session(:'failing');

-- Every one of them needs manage, and a session of this organization.
SELECT e.state, e.constraint_name, e.message, s.call FROM (VALUES ('update_session(%L)'), ('control_session(%L, ''stop'')'), ('session_qr(%L)'),
	('request_pairing_code(%L, ''15551234567'')'), ('delete_session(%L)')) s (call),
	wa.authenticate(:'acme_read'), error_of(format('SELECT wa.' || call, :'id')) e;
SELECT e.state, e.message, s.call FROM (VALUES ('update_session(%L)'), ('control_session(%L, ''stop'')'), ('session_qr(%L)'),
	('request_pairing_code(%L, ''15551234567'')'), ('delete_session(%L)')) s (call),
	wa.authenticate(:'acme_all'), error_of(format('SELECT wa.' || call, :'beta_session')) e;
SELECT e.state, e.message, s.call FROM (VALUES ('update_session(%L)'), ('control_session(%L, ''stop'')'), ('session_qr(%L)'),
	('request_pairing_code(%L, ''15551234567'')'), ('delete_session(%L)')) s (call),
	wa.authenticate(:'acme_all'), error_of(format('SELECT wa.' || call, '00000000-0000-7000-8000-000000000000')) e;
SELECT wa.update_session(:'id');
-- A request that was authenticated for reading deletes nothing (P08), whatever
-- statement somebody has put under its name.
SELECT wa.authenticate(:'acme_all', 'read') IS NOT NULL \; SELECT wa.delete_session(:'id');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT wa.delete_session(:'id');
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM wa.session WHERE id = :'id';
-- Helpers of function bodies are nobody's.
SELECT wa.find_session(:'id');
SELECT wa.make_pairing_code();
SELECT wa.random_bytes(8);
