// SPDX-License-Identifier: MIT
/*
 * Stands in for the module 'vscode' in tests/e2e/ide.bats: the calls that docs/ide.md makes, with the defaults of the
 * page's package.json and, over them, the settings of the first argument; "cancel" there cancels at once.
 */
'use strict';

const settings = JSON.parse(process.argv[2]);
const { properties } = require('./package.json').contributes.configuration;
const commands = {};

module.exports = {
	ProgressLocation: { Notification: 15 },
	workspace: {
		getConfiguration: section => ({ get: name => settings[`${section}.${name}`] ?? properties[`${section}.${name}`].default }),
		onDidChangeConfiguration: () => ({ dispose() {} }),
	},
	window: {
		withProgress: (where, task) => task({}, { onCancellationRequested: call => settings.cancel && call() }),
		showErrorMessage: text => console.log(`shown: ${text}`),
	},
	commands: {
		registerCommand(name, call) {
			commands[name] = call;
			return { dispose() {} };
		},
		executeCommand: name => commands[name](),
	},
};
