-- First statement of every request that is for no organization.
-- $1 comes back as it was sent, and so shows whose answer this is.
SELECT $1::int8 AS request
