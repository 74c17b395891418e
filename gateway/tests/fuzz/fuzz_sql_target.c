/*
 * fuzz_sql_target.c
 *		Where webhooks may lead: the operator's list of ranges, and addresses held against it.
 *
 * A list that is accepted opens exactly the addresses of its ranges; what is of no kind
 * that is closed needs no list.  The first byte of the input says how many are the list.
 */
#include "tests/fuzz/server.h"

#include <sys/socket.h>

#include "utils/guc.h"
#include "utils/inet.h"

#include "src/common/address.h"
#include "src/target.h"

extern Datum wa_target_problem(PG_FUNCTION_ARGS);

/* What the extension has defined its setting with. */
static char **setting;
static GucStringCheckHook check_setting;

void
DefineCustomStringVariable(const char *name, const char *short_desc, const char *long_desc,
						   char **valueAddr, const char *bootValue, GucContext context, int flags,
						   GucStringCheckHook check_hook, GucStringAssignHook assign_hook,
						   GucShowHook show_hook)
{
	setting = valueAddr;
	check_setting = check_hook;
}

/* Whether one of the ranges of a valid list has the address. */
static bool
list_has(const char *list, const unsigned char *bytes, size_t size)
{
	char *copy = server_cstring((const uint8_t *) list, strlen(list));
	char *rest = NULL;
	WakRange range;

	for (char *piece = strtok_r(copy, ", ", &rest); piece != NULL;
		 piece = strtok_r(NULL, ", ", &rest))
	{
		FUZZ_ASSERT(wak_range_read(piece, strlen(piece), &range));
		if (wak_range_has(&range, bytes, size))
			return true;
	}
	return false;
}

static void
check_address(const uint8_t *bytes, size_t size)
{
	inet *address = palloc0(sizeof(inet));
	inet_struct *inside = (inet_struct *) VARDATA(address);
	LOCAL_FCINFO(info, 1);
	Datum problem;

	inside->family = size == 4 ? PGSQL_AF_INET : PGSQL_AF_INET6;
	inside->bits = (unsigned char) (8 * size);
	memcpy(inside->ipaddr, bytes, size);
	SET_VARSIZE(address, VARHDRSZ + offsetof(inet_struct, ipaddr) + size);

	InitFunctionCallInfoData(*info, NULL, 1, InvalidOid, NULL, NULL);
	info->args[0] = (NullableDatum){.value = PointerGetDatum(address), .isnull = false};
	problem = wa_target_problem(info);
	FUZZ_ASSERT(info->isnull ==
				(wak_address_kind(bytes, size) == NULL || list_has(*setting, bytes, size)));
	FUZZ_ASSERT(info->isnull || VARSIZE_ANY_EXHDR(DatumGetPointer(problem)) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t list_len = len > 0 ? Min(data[0], len - 1) : 0;
	const uint8_t *address = data + Min(len, 1 + list_len);
	size_t address_len = len - Min(len, 1 + list_len);
	char *list;
	void *extra = NULL;

	if (setting == NULL)
		wa_target_init();
	list = server_cstring(data + (len > 0 ? 1 : 0), list_len);
	if (!check_setting(&list, &extra, PGC_S_FILE))
		list = server_cstring(data, 0);
	*setting = list;
	if (address_len >= 4)
		check_address(address, 4);
	if (address_len >= 16)
		check_address(address, 16);
	server_reset();
	return 0;
}
