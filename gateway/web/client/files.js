/*
 * files.js
 *		Files to the gateway and from it, as api.js makes calls, and to the disk.
 *
 * A file may take as long as it needs: there is no limit of time as for other calls.
 */
import { BASE, readAnswer, Superseded, unreachable, withToken } from './api.js';

async function fetchFile(path, headers, signal)
{
	let response;

	try
	{
		response = await fetch(BASE + path, { headers, signal, credentials: 'omit', redirect: 'error', cache: 'no-store', referrerPolicy: 'same-origin' });
		if (response.ok)
			return await response.blob();
	}
	catch
	{
		if (signal?.aborted)
			throw new Superseded();
		throw unreachable();
	}
	return readAnswer(response, await response.text());
}

/* Returns the bytes as a Blob. */
export function download(path, signal)
{
	return withToken((headers) => fetchFile(path, headers, signal));
}

/* fetch() does not tell how much was sent. */
function send(path, headers, file, progress)
{
	const request = new XMLHttpRequest();
	const form = new FormData();

	form.append('file', file);
	return new Promise((resolve, reject) =>
	{
		request.open('POST', BASE + path);
		for (const [name, value] of Object.entries(headers))
			request.setRequestHeader(name, value);
		request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
		request.onerror = () => reject(unreachable());
		request.onload = () =>
		{
			const { status, responseText } = request;

			try
			{
				resolve(readAnswer({ ok: status >= 200 && status < 300, status, headers: { get: (name) => request.getResponseHeader(name) } }, responseText));
			}
			catch (error)
			{
				reject(error);
			}
		};
		request.send(form);
	});
}

/* Uploads a file, calls progress(0 to 1) meanwhile, and returns what the gateway says of it. */
export function upload(file, progress)
{
	return withToken((headers) => send('/media', headers, file, progress));
}

/* Lets the browser save a Blob under a name. */
export function save(blob, name)
{
	const link = document.createElement('a');

	link.href = URL.createObjectURL(blob);
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 60 * 1000);
}
