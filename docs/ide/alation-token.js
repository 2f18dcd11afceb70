// SPDX-License-Identifier: MIT
/*
 * Alation's access tokens for a Node program or an extension of VS Code, from alation-cred. No dependencies; Node 18 or
 * later. It runs the helper and keeps the token in this process's memory. It never logs a token, and never puts one into
 * an argument, a file or an error. docs/ide.md tells how to use it.
 */
'use strict';

const { execFile } = require('node:child_process');

const MARGIN_MS = 60000; // with less than this to live a token is asked for anew; the helper decides what to give
const GRACE_MS = 5000; // the helper ends by itself at its own --timeout; so much later it is killed

/* Where the token itself stands neither console.log nor JSON.stringify looks. */
class AlationToken {
	#value;

	constructor(reply) {
		this.#value = reply.token;
		this.header = reply.header;
		this.baseUrl = reply.base_url;
		this.userId = reply.user_id;
		this.expiresAt = reply.expires_at_epoch === null ? null : new Date(reply.expires_at_epoch * 1000);
		this.warnings = reply.warnings;
	}

	get value() {
		return this.#value;
	}

	/* The address of a path of this instance; a token goes nowhere else. */
	url(path) {
		const url = new URL(path, this.baseUrl);
		if (url.origin !== new URL(this.baseUrl).origin)
			throw new TypeError(`${url.origin} is not ${this.baseUrl}, whose token this is`);
		return url;
	}
}

/* `code` is one of alation-cred(1), 'helper_missing' or 'helper_failed'; `remedy` is for the person. */
class AlationTokenError extends Error {
	constructor({ code, exit = null, message, remedy = '', retryable = false, retry_after = null }) {
		super(remedy ? `${message}; ${remedy}` : message);
		this.name = 'AlationTokenError';
		Object.assign(this, { code, exit, remedy, retryable, retryAfterS: retry_after });
	}
}

function readAnswer(file, error, stdout, stderr) {
	let reply = null;
	try {
		reply = JSON.parse(stdout);
	} catch {
		// Its message would quote what it has read.
	}
	if (!error && reply?.version === 1 && reply.success === true && typeof reply.token === 'string')
		return new AlationToken(reply);
	if (reply?.version === 1 && reply.success === false)
		throw new AlationTokenError(reply);
	if (error?.code === 'ENOENT' || error?.code === 'EACCES')
		throw new AlationTokenError({
			code: 'helper_missing',
			message: `'${file}' cannot be run (${error.code}; PATH is ${process.env.PATH})`,
			remedy: 'install alation-cred, or set its whole path',
		});
	throw new AlationTokenError({
		code: 'helper_failed',
		exit: typeof error?.code === 'number' ? error.code : null,
		message: `'${file}' gave no answer (${error?.killed ? 'it took too long' : `exit ${error?.code ?? 0}`})`,
		remedy: stderr.trim().split('\n').pop(),
		retryable: error?.killed === true,
	});
}

class AlationTokens {
	#command;
	#account;
	#timeoutS;
	#kept = null;
	#flights = new Map(); // one child at a time for each of the two questions, however many wait for its answer

	/*
	 * helper: the program, or the words that run it (['flatpak-spawn', '--host', 'alation-cred']). account: as on the
	 * command line; without it the user's default. timeoutS: of the helper, in whole seconds.
	 */
	constructor({ helper = 'alation-cred', account = null, timeoutS = 30 } = {}) {
		if (account?.startsWith('-'))
			throw new TypeError('an account does not begin with a dash');
		this.#command = [helper].flat();
		this.#account = account;
		this.#timeoutS = timeoutS;
	}

	/* An AlationToken that lives. */
	async get({ signal } = {}) {
		if (this.#kept?.expiresAt && this.#kept.expiresAt - Date.now() > MARGIN_MS)
			return this.#kept;
		return this.#wait(false, signal);
	}

	/* After a 401 or 403: another token. The same one back means that a permission is missing. */
	async replace(refused, { signal } = {}) {
		if (this.#kept && this.#kept.value !== refused.value)
			return this.get({ signal }); // somebody here was refused before, and has asked already
		return this.#wait(true, signal);
	}

	/* send(token) makes the request and returns something with a `status`; it is called once more if the token was dead. */
	async request(send, { signal } = {}) {
		const token = await this.get({ signal });
		const response = await send(token);
		if (response.status !== 401 && response.status !== 403)
			return response;
		const other = await this.replace(token, { signal });
		if (other.value === token.value)
			return response;
		await response.body?.cancel?.();
		return send(other);
	}

	/* fetch() with the token; a body must be one that can be sent twice. */
	fetch(path, init = {}) {
		return this.request(token => {
			const headers = new Headers(init.headers);
			headers.set(token.header, token.value);
			// fetch would take this header along to whatever host a redirect names.
			return fetch(token.url(path), { ...init, headers, redirect: 'manual' });
		}, { signal: init.signal });
	}

	/* Whoever gives up only leaves; the child ends with the last one. */
	async #wait(validate, signal) {
		signal?.throwIfAborted();
		const flight = this.#flights.get(validate) ?? this.#start(validate);
		flight.waiting++;
		return new Promise((resolve, reject) => {
			const leave = () => {
				reject(signal.reason);
				if (--flight.waiting === 0)
					flight.stop();
			};
			signal?.addEventListener('abort', leave, { once: true });
			flight.answer.then(resolve, reject).finally(() => signal?.removeEventListener('abort', leave));
		});
	}

	#start(validate) {
		const abort = new AbortController();
		const land = () => this.#flights.get(validate) === flight && this.#flights.delete(validate);
		const flight = {
			waiting: 0,
			answer: this.#ask(validate, abort.signal).then(token => (this.#kept = token), error => {
				this.#kept = null;
				throw error;
			}).finally(land),
			stop() {
				land(); // who comes now does not wait for a child that is being ended
				abort.abort();
			},
		};
		this.#flights.set(validate, flight);
		return flight;
	}

	#ask(validate, signal) {
		const [file, ...words] = this.#command;
		words.push('get', '--format', 'json', '--timeout', `${this.#timeoutS}s`);
		if (validate)
			words.push('--validate');
		if (this.#account)
			words.push(this.#account);
		return new Promise((resolve, reject) => {
			// Not promisify(execFile): its error has stdout in it, and whoever logs that error logs the token.
			const child = execFile(file, words, { signal, timeout: this.#timeoutS * 1000 + GRACE_MS, windowsHide: true }, (error, stdout, stderr) => {
				try {
					resolve(readAnswer(file, error, stdout, stderr));
				} catch (failure) {
					reject(failure);
				}
			});
			child.stdin?.on('error', () => {}); // it may have ended before
			child.stdin?.end();
		});
	}
}

module.exports = { AlationTokens, AlationToken, AlationTokenError };
