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
SELECT type, body, content, media - 'id' AS media, media_data FROM wa.message WHERE chat_jid = '15558887777@s.whatsapp.net' ORDER BY id;

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
	) g (type, content), error_of(format('SELECT * FROM wa.read_content(%L, %L)', g.type, g.content)) e;
SELECT length(e.message) > 0 AS refused, e.column_name FROM error_of($$SELECT wa.read_content('text', jsonb_build_object('text', repeat('x', 65537)))$$) e;
SELECT e.* FROM error_of($$SELECT wa.read_content('poll', jsonb_build_object('name', 'x', 'options', (SELECT jsonb_agg(i::text) FROM generate_series(1, 13) i)))$$) e;

-- Base64 in all forms that mean one thing only, and what may have been cut off or mixed up.
SELECT f.written, r.* FROM (VALUES ('AAEC+/8='), ('AAEC-_8='), ('AAEC+/8'), (E'AAEC\r\n+/8=\r\n'), (E' A A\tE C '), ('AA=='), ('AA= ='), ('AA'),
	(''), ('='), ('A'), ('AAECA'), ('AA='), ('AA==='), ('AAA=='), ('AAEC='), ('AA==AA=='), ('AB'), ('AAB='), ('+_'), ('-A/A'), ('A*'), ('AAé'), ('AA%3D')
	) f (written), wa.read_file_text(f.written) r;
-- data: URLs.
SELECT f.written, r.* FROM (VALUES ('data:image/png;base64,AAEC'), ('DATA:Image/PNG;BASE64,AAEC'), ('data:;base64,AAEC'), ('data:;charset=utf-8,%c3%A4'), ('data:,a%20b'),
	('data:audio/ogg;codecs=%22opus%22;base64,AA%3D%3D'), ('data:text/plain;x="a;b";base64,AAEC'),
	('data:'), ('data:image/png;base64'), ('data:image/png;base64,'), ('data:png;base64,AAEC'), ('data:image/png,a b'), ('data:,a#b'), ('data:,a%4'), ('data:,%zz'),
	('data:;base64,AA%3'), ('data:image/png;base64;x=y,AA*'), ('data:image/png;base64,AA*')) f (written), wa.read_file_text(f.written) r;
-- Media types in one form; NULL for what is none.
SELECT m.written, wa.read_media_type(m.written) FROM (VALUES ('IMAGE/Png'), ('audio/ogg; codecs=opus'), ('audio/ogg;codecs="opus"'), (E'text/plain ;\tCharset=UTF-8 ; format=Flowed;'),
	('a/b; x="a\"\\ b"'), ('a/b;x=""'), ('application/vnd.a+b.c'), ('a/b;x="a;y=z";y=1'),
	(''), ('image'), ('image/'), ('/png'), ('image/*'), ('*/*'), ('image/png x'), ('image /png'), ('a/b;x'), ('a/b;x='), ('a/b;x="'), ('a/b;x="\'), ('a/b;x=1;X=2'), ('a/b;x="é"'),
	('a/b;x=1;y=2;x=3')) m (written);
SELECT i, wa.read_media_type('a/' || repeat('b', i)) IS NOT NULL AS is_one FROM unnest('{253,254}'::integer[]) i;
-- What is stored of an attachment, and whose media type counts.
SELECT g.media, r.content, r.bytes FROM (VALUES
	('{"url":"HTTPS://e.com/A","mimetype":"IMAGE/png"}'), ('{"url":"data:image/png;base64,AAEC","filename":"a.png"}'), ('{"data":"data:image/png,%00"}'), ('{"data":"data:,x"}'),
	('{"data":"data:;base64,AAEC","mimetype":"image/png"}'), ('{"url":"Data:Audio/ogg;codecs=opus;base64,AAEC","mimetype":"audio/OGG; codecs=\"opus\""}')) g (media),
	wa.read_content('document', jsonb_build_object('media', g.media::jsonb)) r;
SELECT e.message FROM (VALUES
	('{"data":"data:image/png;base64,AAEC","mimetype":"Image/JPEG"}'), ('{"url":"data:image/png;base64,AA*"}'), ('{"url":"data:image/png"}'), ('{"data":"AAEC","url":null}'),
	('{"url":"https://e.com/","a\nb":"x"}'), ('{"url":"https://e.com/","mimetype":"image/*"}')) g (media),
	error_of(format('SELECT wa.read_content(''document'', jsonb_build_object(''media'', %L::jsonb))', g.media)) e;
-- A file has a bound, and what it is written in another: base64, percent-encoded, wrapped.
SELECT f.how, octet_length(r.bytes) AS bytes, r.problem FROM (VALUES
	(1, 'base64', repeat('A', 1024 * 1024 / 3 * 4) || 'AA'), (2, 'base64', repeat('A', 1024 * 1024 / 3 * 4) || 'AAA'), (3, 'percent', 'data:,' || repeat('%41', 1024 * 1024)), (4, 'percent', 'data:,' || repeat('%41', 1024 * 1024 + 1)),
	(5, 'wrapped', 'AAEC' || repeat(' ', 4 * 1024 * 1024 - 4)), (6, 'wrapped', 'AAEC' || repeat(' ', 4 * 1024 * 1024 - 3)), (7, 'wrapped', repeat(' ', 40 * 1024 * 1024))) f (place, how, written), wa.read_file_text(f.written) r ORDER BY place;
SELECT e.* FROM error_of($$SELECT wa.read_content('image', jsonb_build_object('media', jsonb_build_object('data', repeat('A', 1500000))))$$) e;
-- A card, and what stands around it.  Releases of psql disagree on how wide U+FEFF is.
SELECT replace(c.card, U&'\FEFF', '\FEFF') AS card, r.content #>> '{contact,vcard}' AS stored FROM (VALUES (E'\nBEGIN:VCARD\nFN:Ann\nEND:VCARD\n'), (U&'\FEFFBEGIN:VCARD\000D\000AFN:Ann\000AEND:VCARD\000D\000A'), (E'begin:vcard\r\nend:vcard')) c (card),
	wa.read_content('contact', jsonb_build_object('contact', jsonb_build_object('displayName', 'Ann', 'vcard', c.card))) r;
SELECT e.message FROM (VALUES ('x'), (E'x\nBEGIN:VCARD\nEND:VCARD'), (E'BEGIN:VCARD\nEND:VCARD\nx'), ('BEGIN:VCARD END:VCARD'), (E'BEGIN:VCARD\rEND:VCARD')) c (card),
	error_of(format('SELECT wa.read_content(''contact'', jsonb_build_object(''contact'', jsonb_build_object(''displayName'', ''Ann'', ''vcard'', %L)))', c.card)) e;
