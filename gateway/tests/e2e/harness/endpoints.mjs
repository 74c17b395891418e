/*
 * endpoints.mjs
 *		The gateway's table of endpoints, as it prints it itself.
 */
import { runGateway } from './programs.mjs';

/*
 * The rows of `wa-gateway --endpoints`, one for each method and path:
 * { method, pattern, open } and, unless "open" says that it answers by itself (with "needs"
 * when it takes a credential all the same),
 * { needs, door, people, mayRefuse, parameters, bodyRest, bodyCredentials, bodyRaw, status, flagStatus?, answer, columns }
 * and what the operation's "x-gateway" says (scripts/openapi.jq).
 */
export function endpoints()
{
	const { code, stdout, stderr } = runGateway(['--endpoints']);

	if (code !== 0)
		throw new Error(`wa-gateway --endpoints: exit code ${code}\n${stderr}`);
	return JSON.parse(stdout);
}

export function nameOf({ method, pattern })
{
	return `${method} ${pattern}`;
}
