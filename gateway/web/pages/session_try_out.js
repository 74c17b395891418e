/*
 * session_try_out.js
 *		Sends a text with a session and shows its status until it is read.
 */
import { Attempt, call, pathOf } from '../client/api.js';
import { fieldError, Form, required, TextField } from '../ui/form.js';
import { html, useState } from '../ui/html.js';
import { useAction, useLoad } from '../client/load.js';
import { ErrorNotice } from '../ui/notice.js';
import { hrefOf } from '../router.js';

const STEPS = ['queued', 'sent', 'delivered', 'read'];

function isOver(message)
{
	return message?.status === 'read' || message?.status === 'played' || message?.status === 'failed';
}

/* Shows the status of a message, from queued to read. */
function Progress({ path, id })
{
	const [over, setOver] = useState(false);
	const message = useLoad(async (signal) =>
	{
		const read = await call('GET', `${path}${pathOf('messages', id)}`, { signal });

		if (isOver(read))
			setOver(true);
		return read;
	}, [id], { live: over ? undefined : ({ event, payload }) => event === 'message.status' && payload.id === id });
	const reached = STEPS.indexOf(message.data?.status === 'played' ? 'read' : message.data?.status ?? 'queued');

	return html`
		<div class="progress" role="status">
			${message.data?.status === 'failed' ? html`<p class="field-error">The message failed: ${message.data.error ?? 'no reason was given'}.</p>` : html`
				<ol class="steps" aria-label="Message">${STEPS.map((step, index) => html`
					<li key=${step} class=${index <= reached ? 'reached' : null} aria-current=${index === reached ? 'step' : null}>${step}</li>`)}</ol>`}
			<${ErrorNotice} error=${message.error} />
			${message.data && html`<p><a href=${hrefOf('chats', message.data.sessionId, message.data.chatJid)}>See the chat</a></p>`}
		</div>`;
}

export function TryOut({ session })
{
	const path = pathOf('sessions', session.id);
	const [to, setTo] = useState('');
	const [text, setText] = useState('Hello from wa_apikeys');
	const [sent, setSent] = useState(null);
	const [attempt] = useState(() => new Attempt());
	const action = useAction(async () =>
	{
		const json = { type: 'text', to: to.replace(/[\s()+-]/g, ''), text };
		const answer = await call('POST', `${path}/messages`, { json, headers: attempt.headers(path, json) });

		attempt.done();
		setSent(answer.id);
	}, () =>
	{
		setSent(null);
		return { ...required('to', to, 'Enter a phone number.'), ...required('text', text, 'Enter a text.') };
	});

	return html`
		<section class="card" aria-labelledby="try-out">
			<h2 id="try-out">Try it out</h2>
			<${Form} action=${action} submit=${action.run} label="Send" busyLabel="Sending" fields=${['to', 'text']} wide>
				<${TextField} label="To" hint=${session.connector === 'sandbox' ? 'Any phone number with country code: the sandbox has no real phones. Try 15551234567; 15550000000 fails.' : 'A phone number with country code.'}
					type="tel" autocomplete="off" value=${to} change=${setTo} error=${fieldError(action, 'to')} />
				<${TextField} label="Text" rows="2" value=${text} change=${setText} error=${fieldError(action, 'text')} />
			<//>
			${sent && html`<${Progress} key=${sent} path=${path} id=${sent} />`}
		</section>`;
}
