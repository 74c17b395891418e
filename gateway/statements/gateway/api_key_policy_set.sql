-- $1 days of a key for which no time is given, $2 the most days of a key; null = no bound
SELECT p.default_days, p.max_days FROM wa.update_key_policy($1::int4, $2::int4) AS p
