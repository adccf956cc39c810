/**
 * getopt(3) and getopt_long(3) as glibc has them, messages included. Pure; no option is known here.
 */

/** What a parser must know of an option. Any of the two names may be missing. */
export interface Spec {
  readonly name?: string;
  readonly letter?: string;
  /** What its argument is called, if it takes one. */
  readonly argument?: string;
  /** It must be written out: an abbreviation is never taken for it. */
  readonly unabbreviated?: boolean;
}

export interface Syntax<S extends Spec> {
  /** In the order in which getopt_long names them when an abbreviation is ambiguous. */
  readonly options: readonly S[];
  /** getopt_long; otherwise a word with two dashes is a bundle whose first letter is a dash. */
  readonly long: boolean;
  /** Options are looked for behind operands too; otherwise the first operand ends them (`+`). */
  readonly permute: boolean;
}

/** An option as it was met, or the message of what is wrong. */
export type Found<S> = { row: S; argument: string } | { error: string };

// The wording of glibc (posix/getopt.c), which existing scripts may look for.
const unrecognizedOption = (argv0: string, option: string) => `${argv0}: unrecognized option '--${option}'\n`;
const invalidOption = (argv0: string, letter: string) => `${argv0}: invalid option -- '${letter}'\n`;
const missingArgument = (argv0: string, letter: string) => `${argv0}: option requires an argument -- '${letter}'\n`;
const missingLongArgument = (argv0: string, name: string) => `${argv0}: option '--${name}' requires an argument\n`;
const surplusArgument = (argv0: string, name: string) => `${argv0}: option '--${name}' doesn't allow an argument\n`;
const ambiguousOption = (argv0: string, option: string, names: readonly string[]) =>
  `${argv0}: option '--${option}' is ambiguous; possibilities:${names.map((name) => ` '--${name}'`).join('')}\n`;

/**
 * A generator, because the first failure wins: what follows it is not even looked at.
 *
 * @returns the indices of the operands, in their order
 */
export function* getopt<S extends Spec>(argv: readonly string[], syntax: Syntax<S>): Generator<Found<S>, number[]> {
  const argv0 = argv[0] ?? '';
  const operands: number[] = [];
  const from = (index: number) => argv.slice(index).map((_, i) => index + i);
  let next = 1;
  for (;;) {
    const word = argv[next];
    if (word === undefined) return operands;
    if (word === '-' || !word.startsWith('-')) {
      if (!syntax.permute) return from(next);
      operands.push(next++);
      continue;
    }
    next++;
    if (word === '--') return [...operands, ...from(next)];
    if (syntax.long && word.startsWith('--')) {
      const found = longOption(argv0, word.slice(2), argv[next], syntax.options);
      if ('row' in found && found.fromNextWord) next++;
      yield found;
      continue;
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word.charAt(i);
      const row = syntax.options.find((option) => option.letter === letter);
      if (!row) {
        yield { error: invalidOption(argv0, letter) };
      } else if (!row.argument) {
        yield { row, argument: '' };
      } else if (i + 1 < word.length) {
        yield { row, argument: word.slice(i + 1) };
        break;
      } else {
        const argument = argv[next++];
        yield argument === undefined ? { error: missingArgument(argv0, letter) } : { row, argument };
      }
    }
  }
}

function longOption<S extends Spec>(
  argv0: string,
  text: string,
  nextWord: string | undefined,
  options: readonly S[],
): Found<S> & { fromNextWord?: boolean } {
  const equals = text.indexOf('=');
  const given = equals < 0 ? text : text.slice(0, equals);
  const candidates = options.filter(({ name, unabbreviated }) => !unabbreviated && name?.startsWith(given));
  const row = options.find(({ name }) => name === given) ?? candidates[0];
  if (!row) return { error: unrecognizedOption(argv0, text) };
  const name = row.name ?? '';
  if (name !== given && candidates.length > 1) {
    return {
      error: ambiguousOption(
        argv0,
        text,
        candidates.map((candidate) => candidate.name ?? ''),
      ),
    };
  }
  if (equals >= 0) {
    if (!row.argument) return { error: surplusArgument(argv0, name) };
    return { row, argument: text.slice(equals + 1) };
  }
  if (!row.argument) return { row, argument: '' };
  if (nextWord === undefined) return { error: missingLongArgument(argv0, name) };
  return { row, argument: nextWord, fromNextWord: true };
}
