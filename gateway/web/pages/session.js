/*
 * session.js
 *		One session: start and stop, pair, try it out.
 */
import { announce } from '../ui/announce.js';
import { call, pathOf } from '../client/api.js';
import { now } from '../client/clock.js';
import { useCan } from '../client/capabilities.js';
import { Confirm } from '../ui/dialog.js';
import { ActionButton, fieldError, Form, required, TextField } from '../ui/form.js';
import { Time } from '../ui/format.js';
import { html, useState } from '../ui/html.js';
import { useAction, useLoad } from '../client/load.js';
import { ErrorNotice, Loaded } from '../ui/notice.js';
import { Page, usePlace } from '../ui/page.js';
import { QrPicture } from '../ui/qr.js';
import { Copyable } from '../ui/secret.js';
import { goTo, hrefOf } from '../router.js';
import { sessionName, sessionNumber, STATUSES, StatusBadge } from './sessions_parts.js';
import { habitsInWords, rateInWords, SessionDialog } from './session_settings.js';
import { TryOut } from './session_try_out.js';

const EXPIRED_MS = 2000;

const VERBS = {
	start: { label: 'Start', busy: 'Starting', done: 'Session started.' },
	stop: { label: 'Stop', busy: 'Stopping', done: 'Session stopped.' },
	restart: { label: 'Restart', busy: 'Restarting', done: 'Session restarted.' },
	logout: { label: 'Log out', busy: 'Logging out', done: 'Session logged out.' },
};

function VerbButton({ session, verb, ask, reload })
{
	const { label, busy, done } = VERBS[verb];
	const action = useAction(async () =>
	{
		await call('POST', `${pathOf('sessions', session.id)}/${verb}`);
		announce(done);
		reload();
	});

	return html`
		<${ActionButton} action=${action} label=${label} busyLabel=${busy} onClick=${verb === 'logout' ? ask : action.run} />
		<${ErrorNotice} error=${action.error} />`;
}

function Controls({ session, reload })
{
	const [asking, ask] = useState(null);
	const close = () => ask(null);
	const path = pathOf('sessions', session.id);
	const name = sessionName(session);

	return html`
		<div class="actions start">
			${STATUSES[session.status].verbs.map((verb) => html`
				<${VerbButton} key=${verb} session=${session} verb=${verb} ask=${() => ask('logout')} reload=${reload} />`)}
			<button type="button" class="danger-quiet" onClick=${() => ask('delete')}>Delete</button>
		</div>
		${asking === 'logout' && html`
			<${Confirm} title=${`Log out “${name}”?`} label="Log out" busyLabel="Logging out" close=${close}
				act=${async () => { await call('POST', `${path}/logout`); announce(VERBS.logout.done); reload(); }}>
				<p>Its phone is unpaired, and messages that wait are not sent. Chats and messages stay; it has to be paired again to work.</p>
			<//>`}
		${asking === 'delete' && html`
			<${Confirm} title=${`Delete “${name}”?`} label="Delete" busyLabel="Deleting" close=${close}
				act=${async () => { await call('DELETE', path); announce(`Session “${name}” is deleted.`); goTo('sessions'); }}>
				<p>Its chats, contacts, messages and webhooks are deleted with it. This cannot be undone.</p>
			<//>`}`;
}

/* The code exists only some time after the start.  Until then the answer is 409. */
async function readQr(id, signal)
{
	try
	{
		return await call('GET', `${pathOf('sessions', id)}/qr`, { signal });
	}
	catch (error)
	{
		if (error.status === 409)
			return { code: null };
		throw error;
	}
}

/* How long until the code that is shown has expired.  The event of the next one may come later. */
function untilNextCode(qr)
{
	return qr?.code ? Math.max(0, qr.expiresAt - now()) + EXPIRED_MS : undefined;
}

function PairingCode({ id })
{
	const [phone, setPhone] = useState('');
	const [code, setCode] = useState(null);
	const action = useAction(async () => setCode((await call('POST', `${pathOf('sessions', id)}/pairing-code`, { json: { phone: phone.replace(/[\s()-]/g, '') } })).code),
		() => required('phone', phone, 'Enter the phone number.'));

	return html`
		<${Form} action=${action} submit=${action.run} label="Get a code" busyLabel="Asking" fields=${['phone']} wide>
			<h3>Or by a code</h3>
			<${TextField} label="Phone number" hint="Of the phone that is to be paired, with country code." type="tel" autocomplete="off" value=${phone} change=${setPhone}
				error=${fieldError(action, 'phone')} />
			<div role="status">${code && html`<p>Type this into the phone: <strong class="pairing-code">${code.slice(0, 4)}-${code.slice(4)}</strong></p>`}</div>
		<//>`;
}

function PairingByQr({ id })
{
	const qr = useLoad((signal) => readQr(id, signal), [id],
		{ live: ({ event, session }) => session === id && event === 'auth.qr', every: untilNextCode });

	return html`
		<div>
			<${Loaded} from=${qr} what="Waiting for a QR code">
				${({ code, expiresAt }) => (code ? html`
					<${QrPicture} text=${code} label="QR code to pair a phone with this session" />
					<p class="hint">In WhatsApp: Settings, Linked devices, Link a device. A new code comes <${Time} at=${expiresAt} style="distance" />.</p>` :
					html`<p class="loading" role="status"><span class="spinner" aria-hidden="true"></span>Waiting for a QR code …</p>`)}
			<//>
		</div>`;
}

function Pairing({ id, can })
{
	return html`
		<section class="card" aria-labelledby="pairing">
			<h2 id="pairing">Pair a phone</h2>
			<div class="pairing">
				${can('qr') && html`<${PairingByQr} id=${id} />`}
				${can('pairing_code') && html`<${PairingCode} id=${id} />`}
			</div>
		</section>`;
}

const HINTS = {
	starting: 'A connector is taking the session over. If this stays, nobody runs its connector.',
	stopped: 'Messages that are sent to it wait until it works again.',
	failed: 'Restart it. If it fails again, log out and pair it anew.',
	logged_out: 'It takes no messages. Start it to pair it with a phone again.',
};

function Facts({ session })
{
	return html`
		<dl class="facts">
			<div><dt>Status</dt><dd><span role="status"><${StatusBadge} status=${session.status} /></span></dd></div>
			<div><dt>Number</dt><dd>${sessionNumber(session)}</dd></div>
			<div><dt>Connector</dt><dd>${session.connector}</dd></div>
			<div><dt>Created</dt><dd><${Time} at=${session.createdAt} /></dd></div>
			${session.lastConnectedAt !== undefined && html`<div><dt>Last connected</dt><dd><${Time} at=${session.lastConnectedAt} /></dd></div>`}
			<div><dt>Accepts</dt><dd>${rateInWords(session)}</dd></div>
			<div><dt>Automatic</dt><dd>${habitsInWords(session)}</dd></div>
		</dl>
		<${Copyable} label="Id" text=${session.id} />
		${session.statusReason && html`<p><bdi>${session.statusReason}</bdi></p>`}
		${HINTS[session.status] && html`<p class="hint">${HINTS[session.status]}</p>`}`;
}

export function SessionPage({ id })
{
	const { permissions } = usePlace();
	const session = useLoad((signal) => call('GET', pathOf('sessions', id), { signal }), [id],
		{ live: (event) => event.session === id && event.event === 'session.status', focus: true });
	const can = useCan(id);
	const title = session.data ? sessionName(session.data) : 'Session';
	const manages = permissions.has('manage');
	const [changing, change] = useState(false);

	return html`
		<${Page} title=${title} back=${{ href: hrefOf('sessions'), label: 'Sessions' }}
			actions=${session.data && html`
				<a class="button" href=${hrefOf('chats', id)}>Open chats</a>
				${manages && html`<button type="button" onClick=${() => change(true)}>Change</button>`}`}>
			<${Loaded} from=${session} what="Loading the session">
				${(data) => html`
					<section class="card" aria-label="State">
						<${Facts} session=${data} />
						${manages && html`<${Controls} session=${data} reload=${session.reload} />`}
					</section>
					${data.status === 'scan_qr_code' && manages && html`<${Pairing} id=${id} can=${can} />`}
					${data.status === 'scan_qr_code' && !manages && html`<p>An owner or admin has to pair it with a phone.</p>`}
					${permissions.has('send') && data.status !== 'logged_out' && can('text') && html`<${TryOut} session=${data} />`}
					${changing && html`<${SessionDialog} session=${data} close=${() => change(false)} done=${session.reload} />`}`}
			<//>
		<//>`;
}
