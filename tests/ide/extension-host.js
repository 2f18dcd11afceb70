// SPDX-License-Identifier: MIT
/*
 * Runs the extension of docs/ide.md (extension.js beside this file) in the stand-in for VS Code, once.
 */
'use strict';

const Module = require('node:module');
const path = require('node:path');

const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => (name === 'vscode' ? path.join(__dirname, 'vscode.js') : resolve(name, ...rest));

const context = { subscriptions: [] };
require('./extension.js').activate(context);
const [command] = require('./package.json').contributes.commands;
require('vscode').commands.executeCommand(command.command).then(list =>
	context.subscriptions.length === 2 && console.log(JSON.stringify(list?.map(one => one.title))));
