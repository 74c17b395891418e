/*
 * capabilities.js
 *		What the connector of a session can do, so that nothing else is offered.
 *
 * The gateway refuses what a connector cannot do.  Until it is known here, all is offered.
 */
import { call, pathOf } from './api.js';
import { useLoad } from './load.js';

/* Returns can(capability) for the session with this id. */
export function useCan(id)
{
	const { data } = useLoad(async (signal) =>
	{
		const [{ connector }, { connectors }] = await Promise.all([call('GET', pathOf('sessions', id), { signal }), call('GET', '/connectors', { signal })]);

		return connectors.find(({ name }) => name === connector)?.capabilities;
	}, [id], { focus: true });

	return (capability) => !data || data.includes(capability);
}
