-- Runs behind authenticate for a socket that can take no events now: is its credential good still?
SELECT wa.current_expiry() AS ends
