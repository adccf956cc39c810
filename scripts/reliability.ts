/**
 * Writes the figures of `make torture` and `make soak` into docs/reliability.md, between the two
 * markers: `make reliability`. What was not run keeps the figures that it has there.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

const DOCUMENT = 'docs/reliability.md';
const [BEGIN, END] = ['<!-- figures -->', '<!-- /figures -->'];

const text = readFileSync(DOCUMENT, 'utf8');
const [head, rest] = text.split(BEGIN) as [string, string];
const [figures, tail] = rest.split(END) as [string, string];

/** Topic to its figures. */
const topics = new Map<string, string[]>();
for (const [, topic = '', list = ''] of figures.matchAll(/^### (.*)\n\n((?:- .*\n)+)/gm)) {
  topics.set(topic, list.trim().replace(/^- /gm, '').split('\n'));
}
for (const file of ['build/test/figures.txt', 'build/test/soak.txt'].filter((file) => existsSync(file))) {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const found = lines.map((line) => line.split('\t') as [string, string]);
  for (const [topic] of found) topics.set(topic, []);
  for (const [topic, text] of found) topics.get(topic)?.push(text);
}
const lists = [...topics].map(([topic, texts]) => `### ${topic}\n\n${texts.map((text) => `- ${text}\n`).join('')}`);
const where = `Linux ${release().split('.', 2).join('.')}, ${cpus().length} processors.`;

writeFileSync(DOCUMENT, `${head}${BEGIN}\n\n${where}\n\n${lists.join('\n')}\n${END}${tail}`);
