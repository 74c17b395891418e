-- Revokes and grants anew everything that this script has made, whatever the default
-- privileges of the role that runs it have added.  This comes last, because it does not cover
-- what is made after it.  An update script ends with the same call.
SELECT wa.reset_privileges();
