-- For /metrics, of all organizations together.
SELECT s.pending, s.failed, s.dead, s.oldest_seconds, s.paused, s.held_seconds
FROM wa.delivery_stats() AS s
