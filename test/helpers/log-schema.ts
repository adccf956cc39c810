/** The schema of the log as JSON (docs/log.schema.json). */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

const schema = JSON.parse(readFileSync('docs/log.schema.json', 'utf8'));
const validate = new Ajv2020({ allErrors: true }).compile<Record<string, unknown>>(schema);

/** Every `event` that it knows. */
export const EVENTS: readonly string[] = schema.oneOf.map(({ $ref }: { $ref: string }) => $ref.split('/').at(-1));

/** The objects of a log, each on a line of its own. @throws if one is not as the schema says */
export function entriesOf(log: string): Record<string, unknown>[] {
  return log
    .split('\n')
    .slice(0, -1)
    .map((line): Record<string, unknown> => {
      const entry: unknown = JSON.parse(Buffer.from(line, 'latin1').toString());
      if (validate(entry)) return entry;
      const errors = validate.errors?.filter(({ schemaPath }) => !/const$|oneOf$/.test(schemaPath));
      throw new Error(`${line}: ${JSON.stringify(errors)}`);
    });
}
