/*
 * compose.js
 *		The field to write a message, and the file that goes with it: chosen by a button, dropped
 *		on the conversation, or pasted.
 *
 * A file is uploaded when its message is sent.  What was uploaded is kept until then, so that
 * trying again after an error does not upload it twice.
 */
import { ApiError, Attempt, call, pathOf } from '../client/api.js';
import { upload } from '../client/files.js';
import { useAction } from '../client/load.js';
import { fieldError, Form, required, TextField } from '../ui/form.js';
import { bytesText } from '../ui/format.js';
import { html, useEffect, useRef, useState } from '../ui/html.js';

/* What an error of an upload means to a person. */
const WORDS = {
	payload_too_large: 'The file is larger than this gateway takes.',
	unsupported_media_type: 'The file is not what its name says it is.',
	quota_exceeded: 'The organization has no room for more files.',
	not_implemented: 'This gateway stores no files.',
};

function typeOf(mimetype)
{
	const type = /^(image|video|audio)\/(?!svg)/.exec(mimetype)?.[1];

	return type ?? 'document';
}

/* Whether the session's connector can send what typeOf() makes of files. */
export function takesFiles(can)
{
	return ['image', 'video', 'audio', 'document'].some(can);
}

async function uploadFor(file, progress)
{
	try
	{
		return await upload(file, progress);
	}
	catch (error)
	{
		throw error instanceof ApiError && WORDS[error.code] ? new ApiError(error.status, error.code, WORDS[error.code], error.details) : error;
	}
}

/* The JSON of a message.  A sound has no caption, so the text stays for the next message. */
function messageOf({ jid, text, uploaded, answered })
{
	const common = { to: jid, ...(answered && { replyTo: answered.id }) };

	if (!uploaded)
		return { type: 'text', ...common, text };

	const type = typeOf(uploaded.mimetype);

	return { type, ...common, media: { id: uploaded.id }, ...(text && type !== 'audio' && { caption: text }) };
}

/*
 * The file that goes with the next message: { file, choose, problem, drop }.  "drop" has the
 * handlers of an element on which files may be dropped.
 */
export function useFile()
{
	const [file, setFile] = useState(null);
	const [problem, setProblem] = useState(null);
	const [over, setOver] = useState(false);

	const choose = (files) =>
	{
		setProblem(files.length > 1 ? 'One file can be sent with a message.' : null);
		if (files.length <= 1)
			setFile(files[0] ?? null);
	};
	const carriesFiles = ({ dataTransfer }) => dataTransfer.types.includes('Files');

	return {
		file, problem, choose, over,
		drop: {
			onDragOver(event)
			{
				if (!carriesFiles(event))
					return;
				event.preventDefault();
				setOver(true);
			},
			onDragLeave: () => setOver(false),
			onDrop(event)
			{
				if (!carriesFiles(event))
					return;
				event.preventDefault();
				setOver(false);
				choose(event.dataTransfer.files);
			},
		},
	};
}

function Chosen({ chosen, busy, progress, remove })
{
	return html`
		<div class="chosen">
			<p><bdi>${chosen.name}</bdi>, ${bytesText(chosen.size)}</p>
			${busy
				? html`<progress max="1" value=${progress} aria-label=${`Uploading ${chosen.name}`}></progress>`
				: html`<button type="button" onClick=${remove}>Remove<span class="visually-hidden"> ${chosen.name}</span></button>`}
		</div>`;
}

/* The message that the next one answers. */
function Answered({ message, cancel })
{
	return html`
		<div class="chosen">
			<blockquote dir="auto" aria-label="Reply to">${message.body ?? message.type}</blockquote>
			<button type="button" onClick=${cancel}>Cancel reply</button>
		</div>`;
}

/* "answer" has the message that is answered, and set(message or null). */
export function Compose({ session, can, jid, sent, attached, answer })
{
	const path = `${pathOf('sessions', session)}/messages`;
	const { file, problem, choose } = attached;
	const [text, setText] = useState('');
	const [progress, setProgress] = useState(0);
	const [attempt] = useState(() => new Attempt());
	const uploads = useRef(new WeakMap());
	const input = useRef(null);
	const frame = useRef(null);
	const writeOn = () => frame.current?.querySelector('textarea').focus();
	const action = useAction(async () =>
	{
		if (file && !uploads.current.has(file))
		{
			setProgress(0);
			uploads.current.set(file, await uploadFor(file, setProgress));
		}

		const json = messageOf({ jid, text, uploaded: file && uploads.current.get(file), answered: answer.message });

		await call('POST', path, { json, headers: attempt.headers(path, json) });
		attempt.done();
		choose([]);
		answer.set(null);
		if ('text' in json || 'caption' in json)
			setText('');
		sent();
	}, () => (file ? {} : required('text', text, 'Write a message.')));
	const send = async () =>
	{
		await action.run();
		writeOn();
	};

	useEffect(() =>
	{
		if (answer.message)
			writeOn();
	}, [answer.message]);

	/* a spreadsheet copies its cells as text and as a picture: the text is meant */
	const onPaste = (event) =>
	{
		const { files, types } = event.clipboardData;

		if (files.length === 0 || types.includes('text/plain'))
			return;
		event.preventDefault();
		choose(files);
	};
	/* On a screen without a keyboard of its own, Enter is the only way to begin a line. */
	const onKeyDown = (event) =>
	{
		if (event.key !== 'Enter' || event.shiftKey || event.isComposing || matchMedia('(pointer: coarse)').matches)
			return;
		event.preventDefault();
		if (file || text.trim() !== '')
			send();
	};
	const onChoose = ({ currentTarget }) =>
	{
		choose([...currentTarget.files]);
		currentTarget.value = '';
	};

	return html`
		<div class="compose" ref=${frame}>
			${problem && html`<p class="field-error" role="alert">${problem}</p>`}
			${answer.message && html`<${Answered} message=${answer.message} cancel=${() => { answer.set(null); writeOn(); }} />`}
			${file && html`<${Chosen} chosen=${file} busy=${action.busy} progress=${progress} remove=${() => { choose([]); action.clear(); }} />`}
			<${Form} action=${action} submit=${send} label="Send" busyLabel="Sending" fields=${['text', 'caption']} wide>
				<${TextField} label="Message" hiddenLabel rows="2" placeholder=${file ? 'Add a caption' : 'Write a message'} value=${text} change=${setText}
					dir="auto" onKeyDown=${onKeyDown} onPaste=${onPaste} error=${fieldError(action, 'text') ?? fieldError(action, 'caption')} />
			<//>
			${takesFiles(can) && html`<input type="file" hidden ref=${input} onChange=${onChoose} />
			<button type="button" class="attach" disabled=${action.busy} onClick=${() => input.current.click()}>Attach a file</button>`}
		</div>`;
}
