/*
 * keys_permissions.js
 *		The permissions of an API key: which ones it can be given, and how they are chosen.
 */
import { call } from '../client/api.js';
import { useLoad } from '../client/load.js';
import { Choice, Group } from '../ui/form.js';
import { html } from '../ui/html.js';
import { Loaded } from '../ui/notice.js';

/* { data, error, loading, reload } of what the person may give: a list of { name, description }. */
export function usePermissions(path)
{
	return useLoad(async (signal) => (path === null ? [] : (await call('GET', path, { signal })).permissions), [path]);
}

/* What the key has although the person may not give it, and can only take away. */
function owned(has, list)
{
	return has.filter((name) => !list.some((each) => each.name === name)).map((name) => ({ name, description: 'given by the operator; once taken away, only the operator can give it again' }));
}

/*
 * The permissions for which people may not rotate a key or change its restrictions, because only
 * the operator gives them.  The list is what usePermissions() returns; before it has come, the
 * gateway's answer says so.
 */
export function operatorsOf({ permissions }, { data })
{
	return data ? owned(permissions, data).map(({ name }) => name) : [];
}

/* Says so beside such a key. */
export function OperatorsKey({ names })
{
	return names.length > 0 && html`<span class="hint">Only the operator rotates it, because it has ${names.join(', ')}.</span>`;
}

function Ticks({ all, chosen, change })
{
	const toggle = (name, on) => change(all.map((each) => each.name).filter((each) => (each === name ? on : chosen.includes(each))));

	return all.map(({ name, description }) => html`
		<${Choice} key=${name} name=${name} description=${description} checked=${chosen.includes(name)} change=${(on) => toggle(name, on)} />`);
}

/* "has" are the permissions of a key that is changed. */
export function PermissionTicks({ list, has = [], chosen, change, error })
{
	return html`
		<${Group} legend="Permissions" error=${error}>
			<${Loaded} from=${list} what="Loading permissions">${(rows) => html`<${Ticks} all=${[...rows, ...owned(has, rows)]} chosen=${chosen} change=${change} />`}<//>
		<//>`;
}
