// Tokenizes files as VS Code does and checks what the grammar calls each part.
//
//   node tools/editors/grammar_test.js
//
// A sample's comment below a line says of its columns what scope they must
// have (`^^^ keyword.control`); `<-` says it of the first word. Rule files that
// ship must have a scope for each character that is no blank: what the grammar
// does not know would show as plain text. What the VS Code extension names must
// be there. Prints what is wrong and exits 1.
'use strict';
const fs = require('fs');
const path = require('path');
const oniguruma = require('vscode-oniguruma');
const textmate = require('vscode-textmate');

const ROOT = path.resolve(__dirname, '../..');
let failures = 0;
let checks = 0;

function fail(file, line, text) {
  failures += 1;
  console.log(`${path.relative(ROOT, file)}:${line}: ${text}`);
}

function sglFiles(folder) {
  return fs.readdirSync(folder, {recursive: true, encoding: 'utf8'})
      .filter((name) => name.endsWith('.sgl'))
      .sort()
      .map((name) => path.join(folder, name));
}

async function loadGrammar() {
  const wasm = require.resolve('vscode-oniguruma/release/onig.wasm');
  await oniguruma.loadWASM(fs.readFileSync(wasm).buffer);
  const file = path.join(__dirname, 'sgl.tmLanguage.json');
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () =>
        textmate.parseRawGrammar(fs.readFileSync(file, 'utf8'), file),
  });
  return registry.loadGrammar('source.sgl');
}

// Returns the lines of a file, each with its tokens.
function tokenize(grammar, file) {
  let state = textmate.INITIAL;
  return fs.readFileSync(file, 'utf8').trimEnd().split('\n').map((text) => {
    const result = grammar.tokenizeLine(text, state);
    state = result.ruleStack;
    return {text, tokens: result.tokens};
  });
}

function hasScope(token, scope) {
  return token.scopes.some(
      (name) => name === `${scope}.sgl` || name.startsWith(`${scope}.`));
}

function checkColumns(file, number, line, begin, end, scope) {
  checks += 1;
  for (const token of line.tokens) {
    if (token.startIndex >= end || token.endIndex <= begin) continue;
    if (!hasScope(token, scope)) {
      const found = line.text.slice(token.startIndex, token.endIndex);
      fail(file, number,
           `\`${found}\` is ${token.scopes.slice(1).join(' ') || 'nothing'}, ` +
               `not ${scope}`);
    }
  }
}

function checkSample(grammar, file) {
  let subject = null;
  let number = 0;
  tokenize(grammar, file).forEach((line, index) => {
    const columns = /^\/\/ *(\^+) ([\w.-]+)$/.exec(line.text);
    const first = /^\/\/ <- ([\w.-]+)$/.exec(line.text);
    if (columns) {
      const begin = line.text.indexOf('^');
      checkColumns(file, number, subject, begin, begin + columns[1].length,
                   columns[2]);
    } else if (first) {
      const word = /^\S+/.exec(subject.text)[0].length;
      checkColumns(file, number, subject, 0, word, first[1]);
    } else {
      subject = line;
      number = index + 1;
    }
  });
}

function checkWhole(grammar, file) {
  tokenize(grammar, file).forEach((line, index) => {
    for (const token of line.tokens) {
      const text = line.text.slice(token.startIndex, token.endIndex);
      const known = token.scopes.some((name) => !name.startsWith('meta.') &&
                                                name !== 'source.sgl');
      checks += 1;
      if (text.trim() !== '' && !known) {
        fail(file, index + 1, `\`${text}\` has no scope`);
      }
      if (token.scopes.some((name) => name.startsWith('invalid.'))) {
        fail(file, index + 1, `\`${text}\` is marked as a mistake`);
      }
    }
  });
}

// Checks that the extension's files exist and are JSON, and that its patterns
// are regular expressions.
function checkExtension() {
  const folder = path.join(__dirname, 'vscode');
  const read = (name) =>
      JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
  const {languages, grammars} = read('package.json').contributes;
  for (const language of languages) {
    const configuration = read(language.configuration);
    for (const pattern of [configuration.wordPattern,
                           ...Object.values(configuration.indentationRules)]) {
      checks += 1;
      RegExp(pattern);
    }
  }
  for (const grammar of grammars) {
    checks += 1;
    if (read(grammar.path).scopeName !== grammar.scopeName) {
      fail(path.join(folder, 'package.json'), 1,
           `${grammar.path} is not ${grammar.scopeName}`);
    }
  }
}

async function main() {
  checkExtension();
  const grammar = await loadGrammar();
  const samples = sglFiles(path.join(__dirname, 'samples'));
  const library = sglFiles(path.join(ROOT, 'policy/library'));
  for (const file of samples) checkSample(grammar, file);
  for (const file of [...samples, ...library]) checkWhole(grammar, file);
  if (samples.length === 0 || library.length === 0 || checks < 100) {
    failures += 1;
    console.log(`only ${checks} checks ran`);
  }
  process.exitCode = failures === 0 ? 0 : 1;
}

main();
