/*-------------------------------------------------------------------------
 *
 * own_permissions.h
 *		Permissions that an administrator has defined beside the four.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_OWN_PERMISSIONS_H
#define SRC_OWN_PERMISSIONS_H

#include "postgres.h"

#include "utils/array.h"

#include "src/permissions.h"

/*
 * The bit of an own permission.  "name" has "len" bytes and need not end with a zero.  Raises
 * 42704 if none of this name is defined now.
 */
extern WaPermissions wa_own_permission_bit(const char *name, size_t len);

/*
 * The name of one own permission, given its bit.  It is valid until the backend ends.  Returns
 * NULL if no permission has this bit any more.
 */
extern const char *wa_own_permission_name(WaPermissions single_bit);

/*
 * The permissions of these names, which may be among the four.  Raises 42704 for what is none,
 * 22004 for NULL, and 22023 for more than WA_PERMISSION_NAMES_MAX names.
 */
extern WaPermissions wa_permissions_named(ArrayType *names);

/* The table of own permissions, which plans that name one depend on. */
extern Oid wa_own_permission_table(void);

#endif
