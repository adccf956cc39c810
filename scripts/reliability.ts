/**
 * Writes the figures of `make torture` (build/test/figures.txt) into docs/reliability.md, between the
 * two markers: `make reliability`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

const DOCUMENT = 'docs/reliability.md';
const [BEGIN, END] = ['<!-- figures -->', '<!-- /figures -->'];

const topics = new Map<string, string[]>();
for (const line of readFileSync('build/test/figures.txt', 'utf8').trim().split('\n')) {
  const [topic = '', text = ''] = line.split('\t');
  topics.set(topic, [...(topics.get(topic) ?? []), text]);
}
const lists = [...topics].map(([topic, texts]) => `### ${topic}\n\n${texts.map((text) => `- ${text}\n`).join('')}`);
const where = `Linux ${release().split('.', 2).join('.')}, ${cpus().length} processors.`;

const text = readFileSync(DOCUMENT, 'utf8');
const [head, rest] = text.split(BEGIN) as [string, string];
writeFileSync(DOCUMENT, `${head}${BEGIN}\n\n${where}\n\n${lists.join('\n')}\n${END}${rest.split(END)[1]}`);
