// A stand-in for the module `vscode`, which only VS Code itself has: as much of
// its interface as the extension and its language client use, with documents,
// settings and answers that a test sets. Addresses of files are VS Code's own.
'use strict';
const {URI} = require('vscode-uri');

class EventEmitter {
  constructor() {
    this.listeners = new Set();
    this.event = (listener, self) => {
      const bound = self === undefined ? listener : listener.bind(self);
      this.listeners.add(bound);
      return new Disposable(() => this.listeners.delete(bound));
    };
  }
  fire(value) {
    for (const listener of [...this.listeners]) listener(value);
  }
  dispose() { this.listeners.clear(); }
}

class Disposable {
  constructor(dispose) { this.dispose = dispose; }
  static from(...all) {
    return new Disposable(() => all.forEach((one) => one.dispose()));
  }
}

class CancellationTokenSource {
  constructor() {
    this.emitter = new EventEmitter();
    this.token = {isCancellationRequested: false,
                  onCancellationRequested: this.emitter.event};
  }
  cancel() {
    this.token.isCancellationRequested = true;
    this.emitter.fire();
  }
  dispose() {}
}

class Position {
  constructor(line, character) {
    this.line = line;
    this.character = character;
  }
}

class Range {
  // Two places, or four numbers.
  constructor(start, end, line, character) {
    const isNumbers = line !== undefined;
    this.start = isNumbers ? new Position(start, end) : start;
    this.end = isNumbers ? new Position(line, character) : end;
  }
}

class Diagnostic {
  constructor(range, message, severity) {
    Object.assign(this, {range, message, severity});
  }
}

class MarkdownString {
  constructor(value) { this.value = value || ''; }
  appendCodeblock(code) { this.value += code; }
}

class TextEdit {
  constructor(range, newText) { Object.assign(this, {range, newText}); }
  static replace(range, text) { return new TextEdit(range, text); }
}

class WorkspaceEdit {
  constructor() { this.edits = []; }
  set(uri, edits) { this.edits.push([uri, edits]); }
  replace(uri, range, text) { this.set(uri, [new TextEdit(range, text)]); }
}

class Hover {
  constructor(contents, range) { Object.assign(this, {contents, range}); }
}

class Location {
  constructor(uri, range) { Object.assign(this, {uri, range}); }
}

class DocumentSymbol {
  constructor(name, detail, kind, range, selectionRange) {
    Object.assign(this, {name, detail, kind, range, selectionRange});
  }
}

class CompletionItem {
  constructor(label) { this.label = label; }
}

class CompletionList {
  constructor(items, isIncomplete) {
    Object.assign(this, {items, isIncomplete});
  }
}

class CodeActionKind {
  constructor(value) { this.value = value; }
  append(part) { return new CodeActionKind(`${this.value}.${part}`); }
}
for (const name of ['Empty', 'QuickFix', 'Refactor', 'RefactorExtract',
                    'RefactorInline', 'RefactorMove', 'RefactorRewrite',
                    'Source', 'SourceFixAll', 'SourceOrganizeImports']) {
  CodeActionKind[name] = new CodeActionKind(name);
}

// A document as an editor holds it open.
class Document {
  constructor(uri, text) {
    Object.assign(this, {uri, version: 1, languageId: 'sgl', isClosed: false,
                         fileName: uri.fsPath});
    this.text = text;
  }
  getText() { return this.text; }
  offsetAt(position) {
    const lines = this.text.split('\n').slice(0, position.line);
    return lines.reduce((sum, line) => sum + line.length + 1, 0) +
        position.character;
  }
  // Returns the place of `|` in a snippet that stands once in the text.
  find(marked) {
    const at = this.text.indexOf(marked.replace('|', ''));
    if (at < 0) throw new Error(`no ${marked}`);
    const before = this.text.slice(0, at + marked.indexOf('|')).split('\n');
    return new Position(before.length - 1, before[before.length - 1].length);
  }
}

// Returns a fresh module with `test`, the handle of a test on it.
function makeVscode({settings, folders}) {
  const events = {};
  const event = (name) => {
    events[name] = events[name] || new EventEmitter();
    return events[name].event;
  };
  const test = {
    events, settings, providers: {}, commands: {}, shown: [], output: '',
    executed: [], diagnostics: new Map(), published: new EventEmitter(),
    answer: undefined, documents: [], Document,
  };

  function outputChannel() {
    return {append: (text) => { test.output += text; },
            appendLine: (text) => { test.output += `${text}\n`; },
            clear() {}, show() {}, hide() {}, dispose() {}};
  }
  const show = (text, ...answers) => {
    test.shown.push({text, answers});
    return Promise.resolve(test.answer);
  };

  const workspace = {
    workspaceFolders: folders.map((folder, index) => ({
      uri: URI.file(folder), name: `folder ${index}`, index})),
    textDocuments: test.documents,
    notebookDocuments: [],
    getConfiguration: (section) => ({
      get: (key, otherwise) => {
        const value = test.settings[section ? `${section}.${key}` : key];
        return value === undefined ? otherwise : value;
      },
      inspect: () => undefined,
    }),
    getWorkspaceFolder: () => workspace.workspaceFolders[0],
    createFileSystemWatcher: (pattern) => {
      test.watched = pattern;
      return {onDidCreate: event('created'), onDidChange: event('changed'),
              onDidDelete: event('deleted'), dispose() {}};
    },
    applyEdit: async () => true,
    fs: {},
  };
  const window = {
    createOutputChannel: outputChannel,
    showErrorMessage: show,
    showWarningMessage: show,
    showInformationMessage: show,
    withProgress: (options, task) => task(
        {report() {}}, new CancellationTokenSource().token),
    tabGroups: {all: [], onDidChangeTabs: event('onDidChangeTabs')},
    visibleTextEditors: [],
    activeTextEditor: undefined,
  };
  const languages = {
    match: (selector, document) => {
      const all = Array.isArray(selector) ? selector : [selector];
      return all.some((one) => one.language === document.languageId &&
                               (one.scheme === undefined ||
                                one.scheme === document.uri.scheme)) ? 10 : 0;
    },
    createDiagnosticCollection: () => ({
      set: (uri, list) => {
        test.diagnostics.set(uri.toString(), list || []);
        test.published.fire();
      },
      delete: (uri) => test.diagnostics.delete(uri.toString()),
      clear: () => test.diagnostics.clear(),
      has: (uri) => test.diagnostics.has(uri.toString()),
      get: (uri) => test.diagnostics.get(uri.toString()),
      dispose: () => test.diagnostics.clear(),
    }),
  };
  const commands = {
    registerCommand: (name, run) => {
      test.commands[name] = run;
      return new Disposable(() => delete test.commands[name]);
    },
    executeCommand: async (...call) => { test.executed.push(call); },
  };

  // Events that nobody fires, and providers, each under its name.
  const open = (object) => new Proxy(object, {
    get: (target, name) => {
      if (name in target || typeof name !== 'string') return target[name];
      if (/^on(Did|Will)/.test(name)) return event(name);
      const kind = /^register(\w+)Provider$/.exec(name);
      if (kind === null) return undefined;
      return (selector, provider) => {
        test.providers[kind[1]] = provider;
        return new Disposable(() => delete test.providers[kind[1]]);
      };
    },
  });
  const module = {
    version: '1.90.0',
    env: {language: 'en', appName: 'a test', openExternal: async () => true},
    workspace: open(workspace), window: open(window),
    languages: open(languages), commands,
    Uri: URI, EventEmitter, Disposable, CancellationTokenSource, Position,
    Range, Diagnostic, MarkdownString, TextEdit, WorkspaceEdit, Hover,
    Location, DocumentSymbol, CompletionItem, CompletionList, CodeActionKind,
    CancellationError: class extends Error {},
    DiagnosticSeverity: {Error: 0, Warning: 1, Information: 2, Hint: 3},
    ProgressLocation: {Window: 10, Notification: 15},
    test,
  };
  // Of the rest, classes that the client derives its own from.
  return new Proxy(module, {
    get: (target, name) => {
      if (!(name in target) && /^[A-Z]/.test(String(name))) {
        target[name] = class {};
      }
      return target[name];
    },
  });
}

module.exports = {makeVscode};
