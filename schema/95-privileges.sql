-- Everything that this script made is closed and granted anew, whatever the default
-- privileges of whoever runs it have added.  This comes last: what is made after it
-- is not covered.  An update script ends with the same call.
SELECT wa.reset_privileges();
