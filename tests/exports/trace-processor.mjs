// SPDX-License-Identifier: GPL-2.0-only
// node trace-processor.mjs DIRECTORY TRACE SQL...: what Perfetto's trace processor, which its UI is a view of, has read of a
// trace: a line of JSON for each row. DIRECTORY has the UI's own build of it, which takes this for a worker of a browser.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';

const [directory, trace, ...queries] = process.argv.slice(2);
const { Module } = WebAssembly;
// It asks with a program that is nothing but a memory whether those of 64 bits are there: the build for them isn't.
WebAssembly.Module = function (bytes) {
	if (bytes[8] === 5) throw new Error('32 bits only');
	return new Module(bytes);
};
globalThis.self = globalThis;
globalThis.WorkerGlobalScope = function () {};
globalThis.location = pathToFileURL(`${directory}/`);
globalThis.XMLHttpRequest = function () {
	this.open = (method, file) => { this.response = readFileSync(`${directory}/${file}`); };
	this.send = () => {};
};
console.warn = () => {}; // of fields that are newer than its reader
vm.runInThisContext(readFileSync(`${directory}/engine_bundle.node.js`, 'utf8'));

const { EngineBase } = await import(pathToFileURL(`${directory}/engine.mjs`));
class Engine extends EngineBase {
	mode = 'WASM';
	id = 'test';
	constructor(port) {
		super();
		this.port = port;
		port.onmessage = (message) => this.onRpcResponseBytes(message.data);
	}
	rpcSendRequestBytes(bytes) { this.port.postMessage(bytes); }
}
const { port1, port2 } = new MessageChannel();
globalThis.onmessage({ data: port1 });
const engine = new Engine(port2);
await new Promise((resolve) => setTimeout(resolve, 0)); // its own promises come first
await engine.parse(new Uint8Array(readFileSync(trace)));
await engine.notifyEof();
for (const query of queries) {
	const rows = await engine.query(query);
	const names = rows.columns();
	for (const row = rows.iter({}); row.valid(); row.next())
		console.log(JSON.stringify(names.map((name) => row.get(name)), (key, value) => typeof value === 'bigint' ? Number(value) : value));
}
port2.close();
