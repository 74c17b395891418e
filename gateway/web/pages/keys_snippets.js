/*
 * keys_snippets.js
 *		A first request with a new key, as programs of several languages write it.
 *
 * Each is a whole program that needs nothing but its language.
 */
import { SelectField } from '../ui/form.js';
import { html, useState } from '../ui/html.js';
import { Copyable } from '../ui/secret.js';

const LANGUAGES = {
	curl: (url, key) => `curl -H "Authorization: Bearer ${key}" ${url}`,
	Node: (url, key) => `const answer = await fetch('${url}', {
	headers: { Authorization: 'Bearer ${key}' },
});

console.log(answer.status, await answer.json());`,
	Python: (url, key) => `import json
import urllib.request

request = urllib.request.Request(
    '${url}',
    headers={'Authorization': 'Bearer ${key}'})
with urllib.request.urlopen(request) as answer:
    print(answer.status, json.load(answer))`,
	PHP: (url, key) => `<?php
$answer = file_get_contents('${url}', false, stream_context_create([
    'http' => ['header' => 'Authorization: Bearer ${key}', 'ignore_errors' => true],
]));
print_r(json_decode($answer, true));`,
	Go: (url, key) => `package main

import (
	"fmt"
	"io"
	"net/http"
)

func main() {
	request, err := http.NewRequest("GET", "${url}", nil)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", "Bearer ${key}")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		panic(err)
	}
	fmt.Println(answer.Status, string(body))
}`,
};

const OPTIONS = Object.keys(LANGUAGES).map((name) => [name, name]);

/* A request that the key can make.  With the permission "read" it shows something useful. */
export function TryKey({ made })
{
	const [language, choose] = useState('curl');
	const url = `${location.origin}/api/v1/${made.permissions.includes('read') ? 'sessions' : 'me'}`;

	return html`
		<${SelectField} label="Language" value=${language} change=${choose} options=${OPTIONS} />
		<${Copyable} key=${language} label="Try it" text=${LANGUAGES[language](url, made.key)} />`;
}
