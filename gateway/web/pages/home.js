/*
 * home.js
 *		How things are, and the first steps of an organization.
 *
 * A member sees what a member can look at: sessions and messages.
 */
import { call, pathOf } from '../client/api.js';
import { now } from '../client/clock.js';
import { useList, useLoad } from '../client/load.js';
import { DAY, Time } from '../ui/format.js';
import { html } from '../ui/html.js';
import { Badge, ErrorNotice, Loading } from '../ui/notice.js';
import { Page, usePlace } from '../ui/page.js';
import { hrefOf } from '../router.js';
import { sessionName, StatusBadge } from './sessions_parts.js';

const ALL = { limit: 200, pages: 5, focus: true };
const SOON_MS = 7 * DAY;
const SHOWN = 5;		/* of what needs somebody; the page behind the link has all */

/* A session with a chat has sent or received something.  The newest sessions are the likely ones. */
async function findChat(sessions, signal)
{
	for (const { id } of sessions.slice(0, 5))
	{
		const { data } = await call('GET', `${pathOf('sessions', id)}/chats?limit=1`, { signal });

		if (data.length > 0)
			return id;
	}
	return null;
}

function useOrganization(administers)
{
	const sessions = useList('/sessions', { ...ALL, live: ({ event }) => event === 'session.status' });
	const keys = useList(administers ? '/api-keys' : null, { ...ALL, live: ({ event }) => event.startsWith('key.') });
	const webhooks = useList(administers ? '/webhooks' : null, { ...ALL, live: ({ event }) => event === 'webhook.disabled' });
	const ids = sessions.rows?.map(({ id }) => id).join();
	const chat = useLoad((signal) => sessions.rows && findChat(sessions.rows, signal), [ids], { live: ({ event }) => event === 'message' || event === 'message.from_me', keep: true });

	return { sessions, keys, webhooks, chat };
}

/* ---- the first steps ---- */

function stepsOf({ sessions, keys, webhooks, chat }, administers)
{
	const session = sessions.find(({ status }) => status === 'working') ?? sessions[0];

	return [
		{
			title: 'Connect a WhatsApp account', text: 'A session is one account. Pair a phone with it by a QR code or a code.',
			done: sessions.some(({ status }) => status === 'working'), href: session ? hrefOf('sessions', session.id) : hrefOf('sessions'), mine: administers,
		},
		{ title: 'Make an API key', text: 'Each program gets a key of its own, with the permissions that it needs.', done: keys.length > 0, href: hrefOf('keys'), mine: administers },
		{ title: 'Send the first message', text: 'From the page of a session, or from a program with its key.', done: chat !== null, href: session ? hrefOf('sessions', session.id) : hrefOf('sessions'), mine: true },
		{ title: 'Receive events', text: 'A webhook gets what comes in, as a signed request to an address of yours.', done: webhooks.length > 0, href: hrefOf('webhooks'), mine: administers },
	].filter(({ mine }) => mine);
}

function FirstSteps({ steps })
{
	const done = steps.filter((step) => step.done).length;

	if (done === steps.length)
		return null;
	return html`
		<section class="card" aria-labelledby="steps">
			<h2 id="steps">First steps</h2>
			<p class="hint">${done} of ${steps.length} done</p>
			<ol class="first-steps">${steps.map(({ title, text, href, done: isDone }) => html`
				<li key=${title} class=${isDone ? 'done' : null}>
					<span class="step-mark" aria-hidden="true">${isDone ? '✓' : ''}</span>
					<div>
						<p>${isDone ? html`<strong>${title}</strong><span class="visually-hidden"> (done)</span>` : html`<a href=${href}><strong>${title}</strong></a>`}</p>
						<p class="hint">${text}</p>
					</div>
				</li>`)}</ol>
		</section>`;
}

/* ---- health ---- */

const isExpiring = (key) => key.status === 'live' && key.expiresAt - now() < SOON_MS;

/* A subject: how it is in a few words, and what of it needs somebody. */
function subjectsOf({ sessions, keys, webhooks }, administers)
{
	const working = sessions.filter(({ status }) => status === 'working').length;
	const live = keys.filter(({ status }) => status === 'live' || status === 'rotated');

	return [
		{
			title: 'Sessions', href: hrefOf('sessions'), words: sessions.length === 0 ? 'none yet' : `${working} of ${sessions.length} working`,
			needing: sessions.filter(({ status }) => status !== 'working').map((session) => ({
				id: session.id, href: hrefOf('sessions', session.id), name: sessionName(session), state: html`<${StatusBadge} status=${session.status} />`,
			})),
		},
		administers && {
			title: 'Keys', href: hrefOf('keys'), words: keys.length === 0 ? 'none yet' : `${live.length} valid`,
			needing: keys.filter(isExpiring).map((key) => ({
				id: key.id, href: hrefOf('keys'), name: key.name, state: html`<${Badge} tone="warn">expires <${Time} at=${key.expiresAt} style="distance" /><//>`,
			})),
		},
		administers && {
			title: 'Webhooks', href: hrefOf('webhooks'), words: webhooks.length === 0 ? 'none yet' : `${webhooks.filter(({ active }) => active).length} of ${webhooks.length} active`,
			needing: webhooks.filter(({ disabledAt }) => disabledAt !== undefined).map((webhook) => ({
				id: webhook.id, href: hrefOf('webhooks', webhook.id), name: webhook.url, state: html`<${Badge} tone="bad">Paused<//>`,
			})),
		},
	].filter(Boolean);
}

function Subject({ title, href, words, needing })
{
	return html`
		<section class="card" aria-label=${title}>
			<h2>${title}</h2>
			<p><a href=${href}>${words}</a></p>
			${needing.length > 0 && html`
				<ul class="needing">${needing.slice(0, SHOWN).map((each) => html`
					<li key=${each.id}><a href=${each.href}><bdi>${each.name}</bdi></a>${each.state}</li>`)}</ul>`}
			${needing.length > SHOWN && html`<p><a href=${href}>and ${needing.length - SHOWN} more</a></p>`}
		</section>`;
}

export function HomePage()
{
	const { administers, organization } = usePlace();
	const { sessions, keys, webhooks, chat } = useOrganization(administers);
	const loads = [sessions, keys, webhooks, chat];
	const broken = loads.find(({ error }) => error);
	const known = { sessions: sessions.rows, keys: keys.rows, webhooks: webhooks.rows, chat: chat.data };
	const isKnown = Object.values(known).every((each) => each !== undefined);

	return html`
		<${Page} title="Home" lead=${`How things are at ${organization.name}.`}>
			${broken && html`<${ErrorNotice} error=${broken.error} retry=${() => loads.forEach(({ reload }) => reload())} />`}
			${!isKnown && !broken && html`<${Loading} />`}
			${isKnown && html`
				<${FirstSteps} steps=${stepsOf(known, administers)} />
				<div class="subjects">${subjectsOf(known, administers).map((subject) => html`<${Subject} key=${subject.title} ...${subject} />`)}</div>`}
		<//>`;
}
