-- The extension is for databases in UTF8: names are compared by Unicode's rules, and what
-- is signed and sent is UTF-8.  In any other it is not made, and leaves nothing behind.
\set SHOW_CONTEXT never
SELECT getdatabaseencoding(), wa.version();
\set database :DBNAME
CREATE DATABASE regress_latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
\c regress_latin1
\set VERBOSITY terse
CREATE EXTENSION wa_apikeys;
\echo :LAST_ERROR_SQLSTATE
SELECT to_regnamespace('wa') IS NULL AS nothing_left;
\c :database
CREATE DATABASE regress_sql_ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0;
\c regress_sql_ascii
\set VERBOSITY default
CREATE EXTENSION wa_apikeys;
SELECT to_regnamespace('wa') IS NULL AS nothing_left;
\c :database
DROP DATABASE regress_latin1;
DROP DATABASE regress_sql_ascii;
