-- At start: the extension's own checks; the worker refuses to start on a failure.
SELECT c.name, c.passed, c.detail
FROM wa.self_check() AS c
