// The VS Code extension: starts `sgl lsp` and lets the editor talk to it.
//
// One client serves all folders of the window; the server finds the policy set
// of each file. It is started anew when a setting changes. Where the program
// is missing or too old to be a language server, one message says so and what
// to do; colours and brackets work without it.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const vscode = require('vscode');
const {CloseAction, ErrorAction, LanguageClient, State} =
    require('vscode-languageclient/node');

const OPEN_SETTINGS = 'Open Settings';
const TRY_AGAIN = 'Try Again';

let client = null;
let output = null;
// Starts and stops wait for each other here.
let turn = Promise.resolve();

function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

// Returns the program that a setting names, as a path; null if there is none.
function findProgram(setting, folder, searchPath) {
  let name = setting.trim() || 'sgl';
  if (name === '~' || name.startsWith('~/')) {
    name = path.join(os.homedir(), name.slice(1));
  }
  const endings = process.platform === 'win32' ? ['', '.exe'] : [''];
  let candidates;
  if (path.isAbsolute(name)) {
    candidates = [name];
  } else if (name.includes('/') || name.includes(path.sep)) {
    candidates = folder ? [path.join(folder, name)] : [];
  } else {
    candidates = (searchPath || '').split(path.delimiter)
        .filter((entry) => entry !== '')
        .map((entry) => path.join(entry, name));
  }
  for (const candidate of candidates) {
    for (const ending of endings) {
      if (isProgram(candidate + ending)) return candidate + ending;
    }
  }
  return null;
}

// Shows what is wrong with what to do about it. Not awaited: the message stays
// until somebody answers it.
function showProblem(text) {
  output.appendLine(text);
  vscode.window.showErrorMessage(text, OPEN_SETTINGS, TRY_AGAIN)
      .then((answer) => {
        if (answer === OPEN_SETTINGS) {
          vscode.commands.executeCommand('workbench.action.openSettings',
                                         'sgl.path');
        } else if (answer === TRY_AGAIN) {
          restart();
        }
      });
}

// Returns what to do when the talk breaks off. A server that ran is started
// again, not without end; one that never did is left to `start` to speak of.
function makeErrorHandler(getClient) {
  let usual = null;
  const handler = () => {
    const running = getClient();
    if (running === null || running.state !== State.Running) return usual;
    usual = usual || running.createDefaultErrorHandler();
    return usual;
  };
  return {
    error: (...details) => handler()?.error(...details) ||
        {action: ErrorAction.Shutdown, handled: true},
    closed: () => handler()?.closed() ||
        {action: CloseAction.DoNotRestart, handled: true},
  };
}

async function start() {
  const settings = vscode.workspace.getConfiguration('sgl');
  const setting = settings.get('path', 'sgl');
  const folders = vscode.workspace.workspaceFolders || [];
  const folder = folders.length > 0 ? folders[0].uri.fsPath : undefined;
  const program = findProgram(setting, folder, process.env.PATH);
  if (program === null) {
    showProblem(
        `SGL: the program \`${setting}\` was not found, so there are only ` +
        'colours. Build it with `tools/build` in a checkout of ' +
        'intent-engine, then put `bin/sgl` on your PATH or its path into ' +
        'the setting `sgl.path`.');
    return;
  }
  output.appendLine(`starting ${program} lsp`);
  let started = null;
  started = new LanguageClient(
      'sgl', 'SGL', {command: program, args: ['lsp']}, {
        documentSelector: [{language: 'sgl', scheme: 'file'},
                           {language: 'sgl', scheme: 'untitled'}],
        initializationOptions: {roots: settings.get('roots', [])},
        outputChannel: output,
        errorHandler: makeErrorHandler(() => started),
        // `start` rejects as well, and there it is said with its remedy.
        initializationFailedHandler: () => false,
      });
  client = started;
  try {
    await started.start();
    // A program that ends at once can end between the client's own checks.
    if (started.state !== State.Running) throw new Error('it ended at once');
  } catch (error) {
    client = null;
    showProblem(
        `SGL: \`${program} lsp\` did not start (${error.message}). Check ` +
        'that the setting `sgl.path` names the `sgl` of intent-engine; the ' +
        'output *SGL* says more.');
  }
}

async function stop() {
  const stopped = client;
  client = null;
  if (stopped === null || stopped.state !== State.Running) return;
  try {
    await stopped.stop();
  } catch (error) {
    // A server that is gone, or hangs, must not keep the next from starting.
    output.appendLine(`stopping: ${error.message}`);
  }
}

function restart() {
  turn = turn.then(stop).then(start);
  return turn;
}

// VS Code's entry. Returns once the server runs or the problem is shown.
async function activate(context) {
  output = vscode.window.createOutputChannel('SGL');
  context.subscriptions.push(
      output,
      vscode.commands.registerCommand('sgl.restart', restart),
      vscode.commands.registerCommand('sgl.showOutput', () => output.show()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('sgl.path') ||
            event.affectsConfiguration('sgl.roots')) {
          restart();
        }
      }));
  await restart();
}

function deactivate() {
  turn = turn.then(stop);
  return turn;
}

module.exports = {activate, deactivate, findProgram};
