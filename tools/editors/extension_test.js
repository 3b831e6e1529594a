// Proves the VS Code extension as far as it goes without VS Code: builds the
// package twice, unpacks it, and loads the extension out of it with a stand-in
// for the module `vscode`. The language client, its reading and writing of
// messages and its conversions are VS Code's own; they talk to the real server.
//
//   node tools/editors/extension_test.js
//
// `SGL_BINARY` names the program, else bin/sgl, which tools/build makes. Prints
// what fails and exits 1.
'use strict';
const assert = require('assert');
const {execFileSync} = require('child_process');
const fs = require('fs');
const Module = require('module');
const os = require('os');
const path = require('path');
const {makeVscode} = require('./vscode_stub.js');

const ROOT = path.resolve(__dirname, '../..');
const SGL = path.resolve(ROOT, process.env.SGL_BINARY || 'bin/sgl');
// Generous: the machine may be busy. Nothing waits this long when all is well.
const PATIENCE_MS = 60000;

const PLATFORM = `policy demo version 1
default allow
// Where it goes.
intent SHIPMENT { weight: int, note: string? }
def heavy = intent.spend > $5
`;
const TENANT = `policy demo.acme version 1
layer tenant "acme"
block "🙂 HEAVY" on SHIPMENT when payload.wieght > 10
`.replace('"🙂 HEAVY"', 'HEAVY "🙂"');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sgl-extension-'));

// Builds the package and returns the folder that it unpacks to.
function unpackPackage() {
  const [first, second] = ['one.vsix', 'two.vsix'].map((name) => {
    const file = path.join(folder, name);
    execFileSync(path.join(__dirname, 'package'), [file], {cwd: ROOT});
    return file;
  });
  assert.ok(fs.readFileSync(first).equals(fs.readFileSync(second)),
            'the package differs from one run to the next');
  const unpacked = path.join(folder, 'unpacked');
  execFileSync('python3', ['-m', 'zipfile', '-e', first, unpacked]);
  return unpacked;
}

function checkManifest(unpacked) {
  const extension = path.join(unpacked, 'extension');
  const manifest = JSON.parse(
      fs.readFileSync(path.join(extension, 'package.json'), 'utf8'));
  const about = fs.readFileSync(
      path.join(unpacked, 'extension.vsixmanifest'), 'utf8');
  assert.ok(about.includes(`Id="${manifest.name}"`));
  assert.ok(about.includes(`Version="${manifest.version}"`));
  const {languages, grammars} = manifest.contributes;
  for (const file of [manifest.main, 'README.md', grammars[0].path,
                      languages[0].configuration]) {
    assert.ok(fs.statSync(path.join(extension, file)).isFile(), file);
  }
  const types = fs.readFileSync(
      path.join(unpacked, '[Content_Types].xml'), 'utf8');
  for (const name of fs.readdirSync(unpacked, {recursive: true})) {
    const file = path.join(unpacked, name);
    if (name === '[Content_Types].xml' || fs.statSync(file).isDirectory()) {
      continue;
    }
    const ending = path.extname(name);
    assert.ok(ending === '' || types.includes(`Extension="${ending}"`), name);
  }
}

// Loads a fresh extension; VS Code's module is `vscode`, which it gets.
function loadExtension(unpacked, vscode) {
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(unpacked)) delete require.cache[file];
  }
  const load = Module._load;
  Module._load = (name, ...rest) =>
      name === 'vscode' ? vscode : load(name, ...rest);
  try {
    return require(path.join(unpacked, 'extension/extension.js'));
  } finally {
    Module._load = load;
  }
}

function within(promise, what) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited for ${what}`)),
                       PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Waits until the diagnostics of a document are such.
function untilDiagnostics(vscode, document, wanted) {
  const key = document.uri.toString();
  const holds = () => vscode.test.diagnostics.has(key) &&
      wanted(vscode.test.diagnostics.get(key));
  return within(new Promise((resolve) => {
    if (holds()) return resolve();
    const listener = vscode.test.published.event(() => {
      if (!holds()) return;
      listener.dispose();
      resolve();
    });
  }), `diagnostics of ${key}`).then(() => vscode.test.diagnostics.get(key));
}

function openDocument(vscode, file) {
  const document = new vscode.test.Document(
      vscode.Uri.file(file), fs.readFileSync(file, 'utf8'));
  vscode.test.documents.push(document);
  vscode.test.events.onDidOpenTextDocument.fire(document);
  return document;
}

// Replaces what stands between two places, as a key does.
function type(vscode, document, from, to, text) {
  const [begin, end] = [document.offsetAt(from), document.offsetAt(to)];
  document.text = document.text.slice(0, begin) + text +
      document.text.slice(end);
  document.version += 1;
  vscode.test.events.onDidChangeTextDocument.fire({
    document, reason: undefined,
    contentChanges: [{range: new vscode.Range(from, to), rangeOffset: begin,
                      rangeLength: end - begin, text}]});
}

function context() { return {subscriptions: []}; }

async function testTalk(unpacked) {
  const policies = path.join(folder, 'policies');
  fs.mkdirSync(path.join(policies, 'tenants'), {recursive: true});
  const platformFile = path.join(policies, 'platform.sgl');
  const tenantFile = path.join(policies, 'tenants/größe 1.sgl');
  fs.writeFileSync(platformFile, PLATFORM);
  fs.writeFileSync(tenantFile, TENANT);
  const vscode = makeVscode({settings: {'sgl.path': SGL}, folders: [folder]});
  const {test} = vscode;
  const extension = loadExtension(unpacked, vscode);
  await within(extension.activate(context()), 'the start');
  assert.deepStrictEqual(test.shown, [], test.output);
  const token = new vscode.CancellationTokenSource().token;

  const tenant = openDocument(vscode, tenantFile);
  const [typo] = await untilDiagnostics(vscode, tenant,
                                        (list) => list.length === 1);
  assert.ok(/did you mean `weight`/.test(typo.message), typo.message);
  assert.deepStrictEqual(typo.range.start, tenant.find('payload.|wieght'));
  type(vscode, tenant, tenant.find('.|wieght'), tenant.find('wieght|'),
       'weight');
  await untilDiagnostics(vscode, tenant, (list) => list.length === 0);

  const platform = openDocument(vscode, platformFile);
  const hover = await test.providers.Hover.provideHover(
      tenant, tenant.find('payload.wei|ght'), token);
  assert.ok(hover.contents.value.includes('weight: int'));
  const definition = await test.providers.Definition.provideDefinition(
      tenant, tenant.find('payload.wei|ght'), token);
  assert.strictEqual(definition[0].uri.fsPath, platformFile);
  assert.deepStrictEqual({...definition[0].range.start},
                         {...platform.find('{ |weight')});

  const end = tenant.find('10|');
  type(vscode, tenant, end, end, ' and payload.');
  const items = await test.providers.CompletionItem.provideCompletionItems(
      tenant, tenant.find('and payload.|'), token, {triggerKind: 0});
  assert.deepStrictEqual(items.items.map((item) => item.label),
                         ['weight', 'note']);
  const refused = await test.providers.DocumentFormattingEdit
      .provideDocumentFormattingEdits(tenant, {tabSize: 2}, token);
  assert.ok(!refused || refused.length === 0);
  assert.ok(/was not formatted: line 3/.test(test.shown.pop().text));
  type(vscode, tenant, end, tenant.find('and payload.|'), '');
  const edits = await test.providers.DocumentFormattingEdit
      .provideDocumentFormattingEdits(tenant, {tabSize: 2}, token);
  assert.ok(edits[0].newText.includes('\n  on SHIPMENT\n'));

  const rename = await test.providers.Rename.provideRenameEdits(
      platform, platform.find('def hea|vy'), 'weighty', token);
  assert.strictEqual(rename.edits[0][0].fsPath, platformFile);
  assert.strictEqual(rename.edits[0][1][0].newText, 'weighty');
  await assert.rejects(test.providers.Rename.provideRenameEdits(
      platform, platform.find('def hea|vy'), 'SHIPMENT', token),
                       /it is an intent type/);
  const outline = await test.providers.DocumentSymbol.provideDocumentSymbols(
      platform, token);
  assert.deepStrictEqual(outline.map((one) => one.name),
                         ['heavy', 'SHIPMENT']);
  assert.ok(test.watched.toString().includes('.sgl') ||
            test.watched.pattern.includes('.sgl'));

  const before = test.output.split('starting').length;
  await within(test.commands['sgl.restart'](), 'the restart');
  assert.strictEqual(test.output.split('starting').length, before + 1);
  await untilDiagnostics(vscode, tenant, (list) => list.length === 0);
  await within(extension.deactivate(), 'the end');
  assert.deepStrictEqual(test.providers, {});
  test.shown.forEach((one) => assert.fail(one.text));
}

async function testMissingProgram(unpacked) {
  const vscode = makeVscode({
    settings: {'sgl.path': path.join(folder, 'nothing')}, folders: [folder]});
  const {test} = vscode;
  const extension = loadExtension(unpacked, vscode);
  test.answer = 'Open Settings';
  await within(extension.activate(context()), 'the start');
  assert.strictEqual(test.shown.length, 1);
  const [{text, answers}] = test.shown;
  assert.ok(/nothing` was not found/.test(text), text);
  assert.ok(/tools\/build.*bin\/sgl.*PATH.*`sgl\.path`/.test(text), text);
  assert.deepStrictEqual(answers, ['Open Settings', 'Try Again']);
  await new Promise(setImmediate);
  assert.deepStrictEqual(
      test.executed, [['workbench.action.openSettings', 'sgl.path']]);

  // The right path in the settings is all that it takes.
  test.settings['sgl.path'] = SGL;
  const started = new Promise((resolve) => {
    const timer = setInterval(() => {
      if (test.providers.Hover === undefined) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });
  test.events.onDidChangeConfiguration.fire({
    affectsConfiguration: (key) => key === 'sgl.path'});
  await within(started, 'the start after the settings changed');
  assert.strictEqual(test.shown.length, 1);
  await within(extension.deactivate(), 'the end');
}

async function testProgramThatIsNoServer(unpacked) {
  const vscode = makeVscode({settings: {'sgl.path': '/bin/false'},
                             folders: [folder]});
  const extension = loadExtension(unpacked, vscode);
  // The client's own log goes there where a request can't be sent.
  const log = console.error;
  console.error = () => {};
  await within(extension.activate(context()), 'the failure');
  console.error = log;
  const texts = vscode.test.shown.map((one) => one.text);
  assert.ok(texts.some((text) => /did not start .*`sgl\.path`/.test(text)),
            texts.join('\n'));
  assert.ok(texts.length <= 2, texts.join('\n'));
  await within(extension.deactivate(), 'the end');
}

// A server that dies comes back, and with it what it said of open files.
async function testCrash(unpacked) {
  const wrapper = path.join(folder, 'wrapper');
  const pids = path.join(folder, 'pids');
  fs.writeFileSync(wrapper, `#!/bin/sh\necho $$ >> '${pids}'\n` +
                   `exec '${SGL}' "$@"\n`, {mode: 0o755});
  const file = path.join(folder, 'crash/rules.sgl');
  fs.mkdirSync(path.dirname(file));
  fs.writeFileSync(file, `${PLATFORM}block\n`);
  const vscode = makeVscode({settings: {'sgl.path': wrapper},
                             folders: [folder]});
  const extension = loadExtension(unpacked, vscode);
  await within(extension.activate(context()), 'the start');
  const document = openDocument(vscode, file);
  await untilDiagnostics(vscode, document, (list) => list.length > 0);
  vscode.test.diagnostics.clear();
  process.kill(Number(fs.readFileSync(pids, 'utf8')), 'SIGKILL');
  await untilDiagnostics(vscode, document, (list) => list.length > 0);
  assert.strictEqual(fs.readFileSync(pids, 'utf8').trim().split('\n').length,
                     2);
  await within(extension.deactivate(), 'the end');
}

function testFindProgram(unpacked) {
  const vscode = makeVscode({settings: {}, folders: []});
  const {findProgram} = loadExtension(unpacked, vscode);
  const program = path.join(folder, 'here/sgl');
  fs.mkdirSync(path.dirname(program));
  fs.writeFileSync(program, '#!/bin/sh\n', {mode: 0o755});
  fs.writeFileSync(path.join(folder, 'plain'), '');
  const search = `/nowhere${path.delimiter}${path.dirname(program)}`;
  for (const [setting, base, wanted] of [
           ['sgl', folder, program], ['', folder, program],
           [program, undefined, program], ['here/sgl', folder, program],
           ['./here/sgl', folder, program], ['here/sgl', undefined, null],
           ['other', folder, null], ['here', folder, null],
           [path.join(folder, 'plain'), folder, null]]) {
    assert.strictEqual(findProgram(setting, base, search), wanted, setting);
  }
}

async function main() {
  assert.ok(fs.existsSync(SGL),
            `${SGL} is missing: run tools/build, or set SGL_BINARY`);
  const unpacked = unpackPackage();
  checkManifest(unpacked);
  testFindProgram(unpacked);
  await testTalk(unpacked);
  await testMissingProgram(unpacked);
  await testProgramThatIsNoServer(unpacked);
  await testCrash(unpacked);
}

// The client doesn't wait for its last words to a server that is gone. VS Code
// logs such a failure and goes on; one of the extension's own fails the test.
process.on('unhandledRejection', (error) => {
  if (!/node_modules\/vscode-/.test(error.stack)) throw error;
});

main().then(() => 0, (error) => {
  console.log(`tools/editors/extension_test.js: ${error.stack}`);
  return 1;
}).then((status) => {
  fs.rmSync(folder, {recursive: true, force: true});
  // A client whose server never spoke leaves timers behind.
  process.exit(status);
});
