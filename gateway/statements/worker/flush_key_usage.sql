-- Writes what is new of the use of API keys, a batch at a time: fewer than 1000 rows
-- written means that there is no more.
SELECT wa.flush_key_usage()
