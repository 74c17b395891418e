/*
 * attachment.js
 *		The file of a message: a picture, a player, or a button that saves it.
 *
 * It is loaded with the user token, because there is no address that works without one, and
 * shown from the page's memory.  A picture is loaded when it comes into view, if it is small;
 * anything else when somebody asks for it.  Only types that can carry no script are shown; a
 * browser gets any other file as bytes to save.
 *
 * The address of an attachment that is elsewhere is shown, but it is not a link and nothing is
 * loaded from it, since it comes from outside.
 */
import { pathOf } from '../client/api.js';
import { download, save } from '../client/files.js';
import { useAction } from '../client/load.js';
import { html, useEffect, useRef, useState } from '../ui/html.js';
import { bytesText } from '../ui/format.js';
import { errorText } from '../ui/notice.js';

/* Pictures up to so many bytes are loaded unasked. */
const SMALL = 4 * 1024 * 1024;

const SHOWN = {
	picture: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'],
	sound: ['audio/aac', 'audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/webm', 'audio/wav', 'audio/x-wav'],
	video: ['video/mp4', 'video/webm', 'video/3gpp'],
};
const VERBS = { picture: 'Show', sound: 'Play', video: 'Play', file: 'Save' };

function typeOf(mimetype)
{
	return mimetype.split(';')[0].trim().toLowerCase();
}

function kindOf(mimetype)
{
	return Object.keys(SHOWN).find((kind) => SHOWN[kind].includes(typeOf(mimetype))) ?? 'file';
}

/* Calls seen() once, when the element comes into view. */
function useSeen(element, wanted, seen)
{
	useEffect(() =>
	{
		if (!wanted)
			return undefined;

		const observer = new IntersectionObserver((entries) =>
		{
			if (entries.some(({ isIntersecting }) => isIntersecting))
			{
				observer.disconnect();
				seen();
			}
		});

		observer.observe(element.current);
		return () => observer.disconnect();
	}, [wanted]);
}

/* Somebody has asked for it, so it plays, and has the focus that the button had. */
function Player({ tag, url, label })
{
	const element = useRef(null);

	useEffect(() => element.current.focus(), []);
	return html`<${tag} ref=${element} src=${url} controls autoplay aria-label=${label} />`;
}

function Shown({ kind, url, name })
{
	if (kind === 'picture')
		return html`<img src=${url} alt=${`Picture ${name}`} />`;
	return html`<${Player} tag=${kind === 'sound' ? 'audio' : 'video'} url=${url} label=${`${kind === 'sound' ? 'Sound' : 'Video'} ${name}`} />`;
}

/* Loads a file for as long as its message is on the page: { url, run, busy, error }. */
function useFile(message, kind, name)
{
	const [url, setUrl] = useState(null);
	const [abort] = useState(() => new AbortController());
	const action = useAction(async () =>
	{
		const blob = await download(pathOf('sessions', message.sessionId, 'messages', message.id, 'media'), abort.signal);

		if (kind === 'file')
			save(new Blob([blob], { type: 'application/octet-stream' }), name);
		else if (!abort.signal.aborted)
			setUrl(URL.createObjectURL(new Blob([blob], { type: typeOf(message.media.mimetype) })));
	});

	useEffect(() => () => abort.abort(), []);
	useEffect(() => () => url && URL.revokeObjectURL(url), [url]);
	return { ...action, url };
}

function Stored({ message })
{
	const { mimetype, filename, size } = message.media;
	const kind = kindOf(mimetype);
	const name = filename ?? message.type;
	const element = useRef(null);
	const { url, run, busy, error } = useFile(message, kind, name);

	useSeen(element, kind === 'picture' && size <= SMALL, run);
	return html`
		<div class="attachment" ref=${element}>
			${url && html`<${Shown} kind=${kind} url=${url} name=${name} />`}
			<p class="hint"><bdi>${name}</bdi>, ${mimetype}, ${bytesText(size)}</p>
			${!url && html`<button type="button" disabled=${busy} onClick=${run}>${busy ? 'Loading …' : VERBS[kind]}<span class="visually-hidden"> ${name}</span></button>`}
			${error && html`<p class="field-error" role="alert">${errorText(error)}</p>`}
		</div>`;
}

/* Of a received file that is not there. */
const STATE_WORDS = { pending: 'is being fetched', failed: 'could not be fetched', expired: 'is no longer kept by WhatsApp' };

export function Attachment({ message })
{
	const { id, state = 'stored', url, mimetype, filename, error } = message.media ?? {};

	if (id && state === 'stored')
		return html`<${Stored} key=${id} message=${message} />`;
	if (id)
		return html`<p class="attachment hint"><bdi>${filename ?? message.type}</bdi> ${STATE_WORDS[state]}${error && ` (${error})`}</p>`;
	return html`<p class="attachment">${[message.type, filename, mimetype].filter(Boolean).join(', ')}${url && html`<br /><span class="hint">${url}</span>`}</p>`;
}
