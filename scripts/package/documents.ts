/**
 * The man page and the shell completions, from the table of options in src/option-table.ts.
 *
 *   documents.ts FOLDER      writes dumb-init.1, dumb-init.bash, _dumb-init and dumb-init.fish there
 *
 * The README's tables are the same one: test/packaging/documents.test.ts holds them against optionTable().
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import packageJson from '../../package.json' with { type: 'json' };
import { OPTIONS, type OptionRow } from '../../src/option-table.ts';

/** The options of dumb-init 1.2.5, and those that it does not have. */
export const ORIGINAL = OPTIONS.filter(({ original }) => original).toSorted((a, b) =>
  (a.letter ?? '').localeCompare(b.letter ?? ''),
);
export const ADDED = OPTIONS.filter(({ original }) => !original);
const options = [...ORIGINAL, ...ADDED];

/** The ways to write an option. */
const spellings = ({ letter, name }: OptionRow) => [...(letter ? [`-${letter}`] : []), `--${name}`];

/** Markdown, one row an option, as the README has it. */
export function optionTable(options: readonly OptionRow[]): string {
  const rows = options.map((option) => {
    const { argument = '', summary, variable } = option;
    const words = spellings(option).map((word) => `\`${`${word} ${word.startsWith('--') ? argument : ''}`.trim()}\``);
    const cells = [words.join(', '), summary + (variable ? ` (\`${variable}\`)` : '')];
    return cells.map((cell) => cell.replaceAll('|', '\\|'));
  });
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length), 6));
  const line = (cells: string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |\n`;
  return [['option', ''], widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('');
}

const roff = (text: string) => text.replaceAll('\\', '\\e').replaceAll('-', '\\-');

/** docs/dumb-init.1.in with what it leaves open. */
function manPage(date: Date): string {
  const list = options.map((option) => {
    const { argument, summary, variable } = option;
    const word = argument ? ` \\fI${argument}\\fR` : '';
    return `.TP
.BR ${spellings(option).map(roff).join(' ", " ')}${word && ` "${word}"`}
${roff(summary)}${variable ? `\n.RB ( ${roff(variable)} )` : ''}\n`;
  });
  return readFileSync('docs/dumb-init.1.in', 'utf8')
    .replace('@DATE@', date.toISOString().slice(0, 10))
    .replace('@VERSION@', packageJson.version)
    .replace('@OPTIONS@\n', list.join(''));
}

/** After the options a command is completed, and its own arguments as that command's. Bash splits words at `=` and `:`. */
const bash = () => `\
_dumb_init() {
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case \${COMP_WORDS[i]} in
            ${options.flatMap((option) => (option.argument ? spellings(option) : [])).join(' | ')})
                [[ \${COMP_WORDS[i + 1]} == = ]] && ((i++))
                ((i++))
                [[ \${COMP_WORDS[i + 1]} == : ]] && ((i += 2))
                ;;
            --) ((i++)); break ;;
            -*) ;;
            *) break ;;
        esac
    done
    if ((i == COMP_CWORD)) && [[ \${COMP_WORDS[i]} == -* && \${COMP_WORDS[i - 1]} != -- ]]; then
        mapfile -t COMPREPLY < <(compgen -W '${options.map(({ name }) => `--${name}`).join(' ')}' -- "\${COMP_WORDS[i]}")
    elif ((i <= COMP_CWORD)); then
        _command_offset "$i"
    fi
}
complete -F _dumb_init dumb-init
`;

const zsh = () => `\
#compdef dumb-init
_arguments -s -S -A '-*' \\
${options
  .map((option) => {
    const { argument, summary } = option;
    const words = spellings(option);
    const many = argument ? `'*'` : `'(${words.join(' ')})'`;
    const forms = words.map((word) => (argument && word.startsWith('--') ? `${word}=` : word));
    const spec = forms.length > 1 ? `{${forms.join(',')}}` : forms.join('');
    return `  ${many}${spec}'[${summary}]${argument ? `:${argument.replace(':', '\\:')}:` : ''}' \\\n`;
  })
  .join('')}  '(-)1:command: _command_names -e' \\
  '*::argument: _normal'
`;

const fish = () =>
  `${options
    .map(
      ({ letter, name, argument, summary }) =>
        `complete -c dumb-init -n __fish_use_subcommand${letter ? ` -s ${letter}` : ''} -l ${name}${argument ? ' -x' : ''} -d '${summary}'\n`,
    )
    .join('')}complete -c dumb-init -x -a '(__fish_complete_subcommand)'\n`;

if (import.meta.main) {
  const folder = process.argv[2] ?? '';
  const { SOURCE_DATE_EPOCH = 0 } = process.env;
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries({
    'dumb-init.1': manPage(new Date(Number(SOURCE_DATE_EPOCH) * 1000)),
    'dumb-init.bash': bash(),
    '_dumb-init': zsh(),
    'dumb-init.fish': fish(),
  })) {
    writeFileSync(`${folder}/${name}`, text);
  }
}
