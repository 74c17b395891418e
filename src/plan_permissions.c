/*-------------------------------------------------------------------------
 *
 * plan_permissions.c
 *		A query needs the permissions of all tables that it names.
 *
 * Row security asks for a permission by wa.org_for(), when a scan begins or for
 * each row.  So a scan of a table without any rows may not ask, and a missing
 * permission would look like an empty result.  The server treats its own
 * privileges differently: it checks them for each table that a query names,
 * before the query runs.  This file does the same for our permissions.
 *
 * When a query is planned, its row security conditions are searched for calls
 * of wa.org_for().  The permissions that they ask for are stored in the plan,
 * and each execution of the plan requires them before its first row.
 *
 * Invariants:
 * - Row security does not depend on this file.  Its conditions ask for the
 *   permission before a row is returned, also if this check has not run.  It
 *   does not run for the tables of an SQL function that the planner inlines,
 *   because the planner finds them later.
 * - The permissions are part of the plan: a copy of the plan has them, and they
 *   change only with the plan, which the server makes anew after each change of
 *   a policy.
 * - A parallel worker checks nothing, because it has no binding.  Its leader
 *   has checked before it started the worker.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "optimizer/planner.h"
#include "utils/lsyscache.h"

#include "src/compatibility.h"
#include "src/context.h"
#include "src/permissions.h"
#include "src/plan_permissions.h"

/*
 * The only list in a plan that extensions can add to, and that copies of the plan keep, has
 * what the plan depends on: entries of catalog caches.  No cache has this number, so the server
 * ignores our item.
 */
#define PERMISSIONS_ITEM (-1)

static planner_hook_type next_planner_hook = NULL;
static ExecutorRun_hook_type next_executor_run = NULL;

/* ---- Planning ---- */

static bool
is_org_for(Oid function)
{
	Oid schema = get_namespace_oid("wa", true);
	char *name;

	if (!OidIsValid(schema) || get_func_namespace(function) != schema)
		return false;
	name = get_func_name(function);
	return name != NULL && strcmp(name, "org_for") == 0;
}

/* Adds the permissions that a condition asks for. */
static bool
collect_from_condition(Node *node, void *permissions)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && is_org_for(((FuncExpr *) node)->funcid))
	{
		Node *permission = linitial(((FuncExpr *) node)->args);

		if (IsA(permission, Const) && !((Const *) permission)->constisnull)
			*(WaPermissions *) permissions |=
				wa_permission_bit(DatumGetObjectId(((Const *) permission)->constvalue));
	}
	return expression_tree_walker(node, collect_from_condition, permissions);
}

/* Adds the permissions that the row security of all tables in a query asks for. */
static bool
collect_from_query(Node *node, void *permissions)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, collect_from_query, permissions,
								 QTW_EXAMINE_RTES_BEFORE);
	if (IsA(node, RangeTblEntry))
	{
		collect_from_condition((Node *) ((RangeTblEntry *) node)->securityQuals, permissions);
		return false;
	}
	/* The condition for rows that are added. */
	if (IsA(node, WithCheckOption))
		return collect_from_condition(((WithCheckOption *) node)->qual, permissions);
	return expression_tree_walker(node, collect_from_query, permissions);
}

static void
store_permissions(PlannedStmt *plan, WaPermissions permissions)
{
	PlanInvalItem *item = makeNode(PlanInvalItem);

	item->cacheId = PERMISSIONS_ITEM;
	item->hashValue = permissions;
	plan->invalItems = lcons(item, plan->invalItems);
}

static PlannedStmt *
plan_query(Query *query, const char *text, int options, ParamListInfo params)
{
	WaPermissions permissions = 0;
	PlannedStmt *result;

	/* The planner changes the query. */
	if (query->hasRowSecurity)
		collect_from_query((Node *) query, &permissions);
	result = next_planner_hook ? next_planner_hook(query, text, options, params)
							   : standard_planner(query, text, options, params);
	if (permissions != 0)
		store_permissions(result, permissions);
	return result;
}

/* ---- Execution ---- */

/* Our item is the first one, unless another extension has added one in front of it. */
static void
require_permissions(const PlannedStmt *plan)
{
	ListCell *cell;

	foreach (cell, plan->invalItems)
	{
		const PlanInvalItem *item = lfirst(cell);

		if (item->cacheId == PERMISSIONS_ITEM)
		{
			wa_context_require(item->hashValue);
			return;
		}
	}
}

static void
run(WA_RUN_PARAMETERS)
{
	if (!query->already_executed)
		require_permissions(query->plannedstmt);
	if (next_executor_run)
		next_executor_run(WA_RUN_ARGUMENTS);
	else
		standard_ExecutorRun(WA_RUN_ARGUMENTS);
}

void
wa_plan_permissions_init(void)
{
	next_planner_hook = planner_hook;
	planner_hook = plan_query;
	next_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = run;
}
