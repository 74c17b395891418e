-- What each type of message may carry, and what is said of a field that is wrong.
SELECT value AS acme_all FROM fixture WHERE name = 'acme_all' \gset
SELECT value AS acme_session FROM fixture WHERE name = 'acme_session' \gset
\set SHOW_CONTEXT never

-- Good ones, and how they are stored.
SELECT wa.authenticate(:'acme_all') IS NOT NULL \; SELECT count(*) FROM (VALUES
	('text', '{"text":"hello"}'::jsonb),
	('image', '{"media":{"url":"https://example.com/a.png","mimetype":"image/png"},"caption":"a picture"}'),
	('video', '{"media":{"url":"http://example.com/v"}}'),
	('audio', '{"media":{"data":"AAEC","mimetype":"audio/ogg; codecs=opus"}}'),
	('document', '{"media":{"data":"AAECAw==","filename":"report.pdf"},"caption":"read"}'),
	('sticker', '{"media":{"url":"https://example.com/s.webp"}}'),
	('location', '{"latitude":52.5,"longitude":13.4,"name":"Berlin"}'),
	('location', '{"latitude":-90,"longitude":180}'),
	('contact', '{"contact":{"displayName":"Ann","vcard":"BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nEND:VCARD"}}'),
	('poll', '{"name":"Lunch?","options":["yes","no"]}'),
	('poll', '{"name":"Days","options":["Mon","Tue","Wed"],"selectableCount":3}')) g (type, content),
	wa.send_message(:'acme_session', '15558887777', g.type, g.content) s;
SELECT type, body, content, media, media_data FROM wa.message WHERE chat_jid = '15558887777@s.whatsapp.net' ORDER BY id;

-- Bad ones: the field and what is wrong with it.
SELECT g.type, g.content, e.state, e.column_name, e.message FROM (VALUES
	(NULL, '{"text":"x"}'), ('fax', '{"text":"x"}'), ('TEXT', '{"text":"x"}'),
	('text', NULL), ('text', '{}'), ('text', '{"text":""}'), ('text', '{"text":5}'), ('text', '{"text":null}'),
	('text', '{"text":"x","caption":"y"}'), ('text', '{"text":"x","media":{"url":"https://e.com/"}}'),
	('image', '{}'), ('image', '{"media":"x"}'), ('image', '{"media":{}}'), ('image', '{"media":{"url":"https://e.com","data":"AAEC"}}'),
	('image', '{"media":{"url":"ftp://e.com/x"}}'), ('image', '{"media":{"url":"https://user@e.com/x"}}'),
	('image', '{"media":{"url":"javascript:alert(1)"}}'), ('image', '{"media":{"url":"https://e.com/a b"}}'), ('image', '{"media":{"url":7}}'), ('image', '{"media":{"url":"https://e.com/\u0001"}}'),
	('image', '{"media":{"data":"not base64!"}}'), ('image', '{"media":{"data":"AAE"}}'), ('image', '{"media":{"data":""}}'),
	('image', '{"media":{"url":"https://e.com/","mimetype":"png"}}'), ('image', '{"media":{"url":"https://e.com/","size":5}}'),
	('document', '{"media":{"url":"https://e.com/","filename":"../x"}}'), ('document', '{"media":{"url":"https://e.com/","filename":""}}'),
	('sticker', '{"media":{"url":"https://e.com/"},"caption":"x"}'), ('image', '{"media":{"url":"https://e.com/"},"caption":""}'),
	('location', '{}'), ('location', '{"latitude":91,"longitude":0}'), ('location', '{"latitude":0,"longitude":-181}'),
	('location', '{"latitude":"1","longitude":0}'), ('location', '{"latitude":1e999,"longitude":0}'), ('location', '{"latitude":1,"longitude":0,"name":5}'),
	('contact', '{}'), ('contact', '{"contact":{"displayName":"x"}}'), ('contact', '{"contact":{"displayName":"x","vcard":"x"}}'),
	('contact', '{"contact":{"displayName":"x","vcard":"BEGIN:VCARD\nEND:VCARD","x":1}}'),
	('poll', '{"name":"x"}'), ('poll', '{"name":"x","options":["a"]}'), ('poll', '{"name":"x","options":["a","a"]}'),
	('poll', '{"name":"x","options":["a",1]}'), ('poll', '{"options":["a","b"]}'), ('poll', '{"name":"x","options":["a","b"],"selectableCount":0}'),
	('poll', '{"name":"x","options":["a","b"],"selectableCount":3}'), ('poll', '{"name":"x","options":["a","b"],"selectableCount":1.5}'),
	('poll', '{"name":"x","options":["a","b"],"selectableCount":-1}'), ('poll', '{"name":"x","options":["a","b"],"selectableCount":"1"}')
	) g (type, content), error_of(format('SELECT wa.check_content(%L, %L)', g.type, g.content)) e;
SELECT length(e.message) > 0 AS refused, e.column_name FROM error_of($$SELECT wa.check_content('text', jsonb_build_object('text', repeat('x', 65537)))$$) e;
SELECT e.* FROM error_of($$SELECT wa.check_content('poll', jsonb_build_object('name', 'x', 'options', (SELECT jsonb_agg(i::text) FROM generate_series(1, 13) i)))$$) e;
