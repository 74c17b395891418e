-- First statement of what is done for one organization: binds it to this transaction.
-- $2 comes back as it was sent, and so shows whose answer this is.
SELECT wa.act_for($1), $2::int8 AS request
