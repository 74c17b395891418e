-- $1 owner, $2 webhook, $3 delivery, $4 status code or null, $5 problem or null, $6 whether it
-- succeeded, $7 seconds that the receiver asks to wait, or null.  Answers delivered, failed, dead,
-- or null if it was not the owner's to say.
SELECT wa.finish_delivery($1::text, $2::uuid, $3::uuid, $4::int4, $5::text, $6::bool, $7::int4)
