/*
 * message_actions.js
 *		Actions on a message: reply, react, edit, delete for everyone, forward.
 *
 * The gateway decides what is allowed; actions that are never possible are not offered.
 */
import { announce } from '../ui/announce.js';
import { call, pathOf } from '../client/api.js';
import { Confirm, Dialog } from '../ui/dialog.js';
import { fieldError, Form, required, TextField } from '../ui/form.js';
import { html, useRef, useState } from '../ui/html.js';
import { useAction } from '../client/load.js';
import { ErrorNotice } from '../ui/notice.js';

/* The types of messages with a text or a caption. */
const EDITABLE = new Set(['text', 'image', 'video', 'document']);
const REACTIONS = ['👍', '❤️', '😂', '😮', '🙏'];

function EditDialog({ message, path, close, done })
{
	const [text, setText] = useState(message.body ?? '');
	const action = useAction(async () =>
	{
		await call('PATCH', path, { json: { text } });
		announce('The edit is on its way.');
		close();
		done();
	}, () => required('text', text, 'Enter a text.'));

	return html`
		<${Dialog} title="Edit message" close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Save" busyLabel="Saving" fields=${['text']}>
				<${TextField} label="Text" rows="4" value=${text} change=${setText} error=${fieldError(action, 'text')} focus />
			<//>
		<//>`;
}

function ForwardDialog({ path, close, done })
{
	const [to, setTo] = useState('');
	const action = useAction(async () =>
	{
		const json = { to: /@/.test(to) ? to.trim() : to.replace(/[\s()+-]/g, '') };

		await call('POST', `${path}/forward`, { json });
		announce('The message is forwarded.');
		close();
		done();
	}, () => required('to', to, 'Enter a phone number or the address of a chat.'));

	return html`
		<${Dialog} title="Forward message" close=${close}>
			<${Form} action=${action} submit=${action.run} cancel=${close} label="Forward" busyLabel="Forwarding" fields=${['to']}>
				<${TextField} label="To" hint="A phone number with country code, or the address of a chat." value=${to} change=${setTo}
					error=${fieldError(action, 'to')} autocomplete="off" focus />
			<//>
		<//>`;
}

function React({ message, path, done })
{
	const action = useAction(async (emoji) =>
	{
		if (emoji === null)
			await call('DELETE', `${path}/reaction`);
		else
			await call('PUT', `${path}/reaction`, { json: { emoji } });
		announce(emoji === null ? 'The reaction is being taken back.' : `Reacting with ${emoji}.`);
		done();
	});

	return html`
		${REACTIONS.map((emoji) => html`
			<button key=${emoji} type="button" class="emoji" disabled=${action.busy} aria-label=${`React with ${emoji}`} onClick=${() => action.run(emoji)}>${emoji}</button>`)}
		${message.reactions?.me && html`<button type="button" disabled=${action.busy} onClick=${() => action.run(null)}>Remove reaction</button>`}
		<${ErrorNotice} error=${action.error} />`;
}

/* can(capability) tells what the session's connector can do; reply() begins an answer. */
export function MessageActions({ message, can, done, reply })
{
	const [dialog, setDialog] = useState(null);
	const details = useRef(null);
	const path = pathOf('sessions', message.sessionId, 'messages', message.id);
	const close = () => setDialog(null);
	const finish = () =>
	{
		details.current.open = false;
		done();
	};
	const revoke = async () =>
	{
		await call('DELETE', path);
		announce('The message is being deleted.');
		finish();
	};

	return html`
		<details class="message-actions" ref=${details}>
			<summary>Actions</summary>
			<div class="actions start">
				${reply && can('reply') && html`<button type="button" onClick=${() => { details.current.open = false; reply(); }}>Reply</button>`}
				${can('reaction') && html`<${React} message=${message} path=${path} done=${finish} />`}
				${message.fromMe && EDITABLE.has(message.type) && can('edit') && html`<button type="button" onClick=${() => setDialog('edit')}>Edit</button>`}
				${can('forward') && can(message.type) && html`<button type="button" onClick=${() => setDialog('forward')}>Forward</button>`}
				${message.fromMe && can('revoke') && html`<button type="button" class="danger-quiet" onClick=${() => setDialog('revoke')}>Delete</button>`}
			</div>
		</details>
		${dialog === 'edit' && html`<${EditDialog} message=${message} path=${path} close=${close} done=${finish} />`}
		${dialog === 'forward' && html`<${ForwardDialog} path=${path} close=${close} done=${finish} />`}
		${dialog === 'revoke' && html`
			<${Confirm} title="Delete this message?" label="Delete for everyone" busyLabel="Deleting" act=${revoke} close=${close}>
				<p>It disappears for everybody in the chat.</p>
			<//>`}`;
}
