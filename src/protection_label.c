/*-------------------------------------------------------------------------
 *
 * protection_label.c
 *		The security label that wa.protect() puts on a table.
 *
 * wa.self_check() fails if a protected table leaks, and the gateway then does
 * not start.  So it must recognize protected tables by something that not every
 * owner of a table can make.  The name and text of a policy are not enough.
 * The label is, because only superusers and members of wa_admin can set or
 * remove it, on tables of their own.  These are also the roles that can call
 * wa.protect().  The label is dropped with the table, and pg_dump includes it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "commands/seclabel.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "src/protection_label.h"

#define LABEL "protected"

static bool
caller_is_administrator(void)
{
	Oid administrators = get_role_oid("wa_admin", true);

	return superuser() ||
		   (OidIsValid(administrators) && has_privs_of_role(GetUserId(), administrators));
}

/* The server has checked that the caller owns the object.  A null label removes the label. */
static void
check_label(const ObjectAddress *object, const char *label)
{
	if (!caller_is_administrator())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied to change a security label of wa_apikeys"),
						errdetail("Only members of \"wa_admin\" can do that.")));
	if (object->classId != RelationRelationId || object->objectSubId != 0)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("only tables can have a security label of wa_apikeys")));
	if (label != NULL && strcmp(label, LABEL) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
						errmsg("\"%s\" is not a security label of wa_apikeys", label),
						errhint("The only one is \"%s\".", LABEL)));
	/* As durable.c: the label comes with the policies, which no crash must take back. */
	ForceSyncCommit();
}

void
wa_protection_label_init(void)
{
	register_label_provider("wa_apikeys", check_label);
}
