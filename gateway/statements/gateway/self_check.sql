-- At start: the extension's own checks; the gateway refuses to start on a failure.
SELECT c.name, c.passed, c.detail
FROM wa.self_check() AS c
