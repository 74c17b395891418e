/*
 * endpoints.mjs
 *		The gateway's table of endpoints, as it prints it itself.
 */
import { runGateway } from './programs.mjs';

/* The dashboard's files are no part of the API. */
const isPage = ({ pattern }) => pattern === '/' || pattern.startsWith('/web/');

/*
 * The rows of `wa-gateway --endpoints`, one for each method and path:
 * { method, pattern, open } and, unless "open" says that it answers by itself (with "needs"
 * when it takes a credential all the same),
 * { needs, door, people, mayRefuse, parameters, bodyRest, status, flagStatus?, answer, columns }.
 */
export function endpoints()
{
	const { code, stdout, stderr } = runGateway(['--endpoints']);

	if (code !== 0)
		throw new Error(`wa-gateway --endpoints: exit code ${code}\n${stderr}`);
	return JSON.parse(stdout).filter((row) => !isPage(row));
}

export function nameOf({ method, pattern })
{
	return `${method} ${pattern}`;
}
