/*
 * audit_export.js
 *		The whole audit log as a file, in the order of its chain, with all that its hashes are
 *		made of.  What is filtered on the page makes no difference: a part of a chain proves
 *		nothing.
 */
import { announce } from '../ui/announce.js';
import { call } from '../client/api.js';
import { save } from '../client/files.js';
import { useAction } from '../client/load.js';
import { ActionButton } from '../ui/form.js';
import { html } from '../ui/html.js';
import { ErrorNotice } from '../ui/notice.js';

async function readChain()
{
	const parts = [];
	let after = 0;

	for (;;)
	{
		const part = await call('GET', `/audit/export?after=${after}`, { lines: true });

		if (part === '')
			return parts;
		parts.push(part);
		after = JSON.parse(part.trimEnd().split('\n').at(-1)).sequence;
	}
}

export function ExportButton({ organization })
{
	const action = useAction(async () =>
	{
		const parts = await readChain();

		save(new Blob(parts, { type: 'application/x-ndjson' }), `audit-${organization.id}.ndjson`);
		announce(parts.length === 0 ? 'The audit log has no entries to export yet.' : 'The audit log is saved as a file.');
	});

	return html`
		<${ErrorNotice} error=${action.error} />
		<${ActionButton} action=${action} label="Export" busyLabel="Exporting" onClick=${action.run} />`;
}
