/** The examples of a page: its fenced blocks, and indented ones of commands or Python. */

export interface Block {
  readonly language: 'sh' | 'js' | 'python';
  readonly text: string;
  /** Of its first line, from 1. */
  readonly line: number;
  /** Of a comment before it, `<!-- needs: impute, fit --report -->`: commands, and flags of theirs, that it uses. */
  readonly needs: readonly string[];
  /** Lines that the page says are printed: those of a ```text block that comes next. */
  readonly printed: readonly string[];
}

const languages: Readonly<Record<string, Block['language']>> = { sh: 'sh', js: 'js', python: 'python' };

export function blocksOf(markdown: string): Block[] {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  let needs: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    const given = /^<!-- needs: (.*) -->$/.exec(line)?.[1];
    const [, fence] = /^```(\w*)$/.exec(line) ?? [];
    if (given !== undefined) needs = given.split(/,\s*/);
    else if (fence !== undefined) {
      const end = lines.indexOf('```', at + 1);
      if (end < 0) throw new Error(`The block of line ${at + 1} does not end.`);
      const language = languages[fence];
      const text = `${lines.slice(at + 1, end).join('\n')}\n`;
      const next = lines[end + 1] === '' && lines[end + 2] === '```text' ? end + 3 : undefined;
      const printed = next === undefined ? [] : lines.slice(next, lines.indexOf('```', next));
      if (language) blocks.push({ language, text, line: at + 2, needs, printed });
      needs = [];
      at = end;
    } else if (line.startsWith('    ') && (lines[at - 1] ?? '') === '') {
      const end = lines.findIndex((next, index) => index > at && !next.startsWith('    '));
      const text = lines.slice(at, end).map((one) => one.slice(4));
      const language = /^(import|from) /.test(text[0] as string) ? 'python' : 'sh';
      // Other indented text is formulas, and installing is what a newcomer does before.
      const kept = language === 'python' ? text : text.filter((one) => one.startsWith('npx hadamard '));
      if (kept.length > 0) blocks.push({ language, text: `${kept.join('\n')}\n`, line: at + 1, needs, printed: [] });
      needs = [];
    } else if (line !== '') needs = [];
  }
  return blocks;
}
