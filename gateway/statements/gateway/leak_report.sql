-- $1 the identifier of the scanner's key, $2 the signature, $3 the body as it was sent
SELECT wa.report_leaks($1::text, $2::text, $3::wa.leak_report)::text AS labels
