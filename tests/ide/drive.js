// SPDX-License-Identifier: MIT
/*
 * A program that uses docs/ide/alation-token.js, for tests/e2e/ide.bats: each line of stdin is a thing to do, and each is
 * answered with one line. $HELPER: the words that run the helper; $ACCOUNT, $TIMEOUT_S as the module takes them.
 */
'use strict';

const path = require('node:path');
const readline = require('node:readline');
const { inspect } = require('node:util');
const { AlationTokens } = require(path.resolve(__dirname, '../../docs/ide/alation-token.js'));

const tokens = new AlationTokens({
	helper: process.env.HELPER.split(' '),
	account: process.env.ACCOUNT,
	timeoutS: Number(process.env.TIMEOUT_S ?? 30),
});
let held; // a request that `hold` has begun
let last; // what get gave or threw

async function told(promise) {
	try {
		last = await promise;
		return 'status' in last ? `status ${last.status} ${(await last.text()).length > 0}` : `token ${last.value}`;
	} catch (error) {
		last = error;
		return `error ${error.name === 'AbortError' ? error.name : error.code ?? error.name} ${error.exit ?? null} ${error.retryable ?? null} ${error.message}`;
	}
}

/* Each answer, and how often it came. */
async function crowd(n, one) {
	const times = new Map();
	for (const answer of await Promise.all(Array.from({ length: n }, () => told(one()))))
		times.set(answer, (times.get(answer) ?? 0) + 1);
	return [...times].map(([answer, count]) => `${count} ${answer}`).join(' | ');
}

const verbs = {
	get: () => told(tokens.get()),
	crowd: n => crowd(Number(n), () => tokens.get()),
	request: to => told(tokens.fetch(to)),
	requests: (n, to) => crowd(Number(n), () => tokens.fetch(to)),
	hold: to => (held = told(tokens.fetch(to)), 'held'),
	held: () => held,
	show: () => [inspect(last, { depth: 9, showHidden: true }), String(last), JSON.stringify(last), last.stack ?? ''].join(' ').replaceAll('\n', ' '),
	/* Two wait for the same child, and one of them gives up, or both; `began` says that the child runs. */
	abort: async (n, began) => {
		const controllers = [new AbortController(), new AbortController()];
		const waits = controllers.map(c => told(tokens.get({ signal: c.signal })));
		await require('node:fs/promises').readFile(began); // a FIFO
		controllers.slice(0, Number(n)).forEach(c => c.abort());
		return n === '1' ? waits[0] : (await Promise.all(waits)).join(' | ');
	},
	aborted: () => told(tokens.get({ signal: AbortSignal.abort() })),
};

(async () => {
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const [verb, ...words] = line.split(' ');
		if (verb === 'end')
			process.exit();
		console.log(await verbs[verb](...words));
	}
})();
