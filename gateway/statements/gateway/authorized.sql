-- Runs behind authenticate for a request that is refused for its own fault, so that
-- somebody without a valid credential or permission is told that first.
SELECT true
