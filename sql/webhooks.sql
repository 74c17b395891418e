-- Webhooks: made, changed and deleted by a key with manage.
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_read FROM fixture WHERE name = 'acme_read' \gset
SELECT value AS acme_manage FROM fixture WHERE name = 'acme_manage' \gset
SELECT value AS beta_all FROM fixture WHERE name = 'beta_all' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
SELECT value AS beta_session FROM fixture WHERE name = 'beta_session' \gset
\c - regress_app
\set SHOW_CONTEXT never

SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT id, url, events, session_id, retry_policy, retry_delay_seconds AS delay, retry_attempts AS attempts, active, secret ~ '^whsec_[A-Za-z0-9+/]{32}$' AS secret FROM wa.create_webhook('https://example.com/hook') \gset
SELECT :'url' AS url, :'events' AS events, :'retry_policy' AS policy, :'delay' AS delay, :'attempts' AS attempts, :'active' AS active, :'secret' AS secret;
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT events, session_id = :'acme_session' AS of_session, custom_headers, retry_policy, retry_delay_seconds, retry_attempts, active, secret
FROM wa.create_webhook('http://93.184.215.14:8080/x?y=z', '{message,session.status}', :'acme_session', '{"X-Tenant":"acme"}', '{"policy":"linear","delaySeconds":5,"attempts":3}', false, 'my-own-secret-of-mine');
SELECT a.arguments, e.column_name, e.message FROM (VALUES
	('NULL'), ('''ftp://e.com'''), ('''https://u:p@e.com/'''), ('''https://e.com/#x'''), ('''https://e.com/ x'''), ('''e.com'''), ('''https://e.com\@f.com/'''),
	('''https://e.com/'', ''{nonsense}'''), ('''https://e.com/'', ''{}'''), ('''https://e.com/'', custom_headers => ''{"Host":"x"}'''), ('''https://e.com/'', custom_headers => ''{"X-Webhook-Hmac":"x"}'''),
	('''https://e.com/'', custom_headers => ''{"webhook-id":"x"}'''), ('''https://e.com/'', custom_headers => ''{"A B":"x"}'''), ('''https://e.com/'', custom_headers => ''{"A":"x\r\ny"}'''), ('''https://e.com/'', custom_headers => ''{"A":5}'''), ('''https://e.com/'', custom_headers => ''[]'''), ('''https://e.com/'', custom_headers => ''{"X-A":"1","x-a":"2"}'''), ('''https://e.com/'', custom_headers => ''{"Proxy-Authorization":"x"}'''),
	('''https://e.com/'', retry_policy => ''{"policy":"never"}'''), ('''https://e.com/'', retry_policy => ''{"attempts":0}'''), ('''https://e.com/'', retry_policy => ''{"delaySeconds":3601}'''), ('''https://e.com/'', retry_policy => ''{"x":1}'''), ('''https://e.com/'', retry_policy => ''{"attempts":"3"}'''), ('''https://e.com/'', retry_policy => ''{"policy":null}'''),
	('''https://e.com/'', secret => ''short''')) a (arguments),
	wa.authenticate(:'acme_manage'), error_of('SELECT wa.create_webhook(' || arguments || ')') e;
SELECT e.column_name, e.message FROM wa.authenticate(:'acme_manage'), error_of(format('SELECT wa.create_webhook(''https://e.com/'', session => %L)', :'beta_session')) e;

SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT url, events, active, retry_policy, retry_attempts FROM wa.update_webhook(:'id', events => '{poll.vote}', active => false, retry_policy => '{"attempts":2}');
-- What a call answers shows no secret that is not new.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT secret, previous_secret FROM wa.update_webhook(:'id', url => 'https://example.com/hook');
-- A rotated secret is shown once, by the call that makes it; the one before is gone.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT wa.rotate_webhook_secret(:'id') ~ '^whsec_[A-Za-z0-9+/]{32}$' AS random, wa.rotate_webhook_secret(:'id') <> wa.rotate_webhook_secret(:'id') AS another, wa.rotate_webhook_secret(:'id', 'my-own-secret-of-mine') AS own;
SELECT a.secret, e.column_name, e.message FROM (VALUES ('short'), ('with a blank in it'), (repeat('x', 201)), ('whsec_no-base64-at-all'), ('whsec_YWJjZGVmZ2hpag='), ('whsec_YWJjZGVmZ2hpa')) a (secret), wa.authenticate(:'acme_manage'), error_of(format('SELECT wa.rotate_webhook_secret(%L, %L)', :'id', a.secret)) e;
-- The secret can be read by nobody; the row by one who manages.
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT secret FROM wa.webhook;
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT count(*), count(DISTINCT org_id) FROM wa.webhook WHERE url IS NOT NULL;
SELECT wa.authenticate(:'acme_read') IS NOT NULL \; SELECT url FROM wa.webhook;
SELECT wa.authenticate(:'beta_all') IS NOT NULL \; SELECT count(*) FROM wa.webhook WHERE url IS NOT NULL;
-- Each needs manage, and a webhook of this organization.
SELECT c.call, e.state, e.constraint_name FROM (VALUES ('create_webhook(''https://e.com/'')'), ('update_webhook(%L)'), ('rotate_webhook_secret(%L)'), ('delete_webhook(%L)')) c (call), wa.authenticate(:'acme_read'), error_of(format('SELECT wa.' || call, :'id')) e;
SELECT c.call, e.state, e.message FROM (VALUES ('update_webhook(%L)'), ('rotate_webhook_secret(%L)'), ('delete_webhook(%L)')) c (call), wa.authenticate(:'beta_all'), error_of(format('SELECT wa.' || call, :'id')) e;
SELECT wa.create_webhook('https://e.com/');
SELECT wa.rotate_webhook_secret(:'id');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT wa.delete_webhook(:'id');
SELECT wa.authenticate(:'acme_manage') IS NOT NULL \; SELECT * FROM error_of(format('SELECT wa.delete_webhook(%L)', :'id'));
SELECT wa.make_webhook_secret();

-- API keys are for people: whatever an API key may do, it manages no keys.
SELECT c.call, e.state, e.constraint_name, e.message FROM (VALUES ('list_api_keys(NULL, 50)'), ('create_api_key(''x'', ''{read}'')'), ('show_api_key(wa.current_key())'), ('update_api_key(wa.current_key(), ''x'')'), ('revoke_api_key(wa.current_key())'), ('rotate_api_key(wa.current_key())')) c (call), wa.authenticate(:'acme_all'), error_of('SELECT wa.' || call) e;
\c - regress_admin
SELECT wa.create_api_key('x', '{read}');
