-- As authorized, for what only people who manage API keys may do: raises for all others.
SELECT true
FROM wa.list_api_keys(NULL, 0)
