/** Where time and memory went, and how to get the same model again. */
import type { Model } from '../model/model.js';
import { flagOf } from '../options.js';
import { bytes, count, counted, duration } from './format.js';
import { html } from './html.js';
import { bars, percent } from './parts.js';
import type { Section } from './shell.js';

const partNames = {
  prepare: 'checking and laying out',
  start: 'exact start',
  fit: 'sweeps',
  certify: 'certificate',
} as const;

const mostThreads = 64;

export function machineSection({ fit }: Model): Section {
  const { seconds, utilization, memoryBytes } = fit;
  const parts = Object.entries(partNames).map(([part, label]) => ({
    label,
    seconds: seconds[part as keyof typeof partNames],
  }));
  const longest = Math.max(...parts.map((part) => part.seconds), Number.MIN_VALUE);
  const times = parts.map(({ label, seconds }) => ({ label, share: seconds / longest, text: duration(seconds) }));
  const shares = utilization
    .slice(0, mostThreads)
    .map((share, slot) => ({ label: `thread ${slot + 1}`, share, text: percent(share) }));
  const rate = seconds.fit > 0 ? (fit.observed * fit.sweeps) / seconds.fit : 0;
  return {
    id: 'machine',
    title: 'Time and memory',
    body: html`<div class="cards"><div>${bars('Time of each part', times)}</div><div>${bars('Share of the sweeps that each thread was busy', shares)}</div></div>
<p>${fit.inline ? 'In the calling thread' : `On ${counted(fit.threads, 'thread')}`}, ${counted(fit.blocks.rows, 'block')} of rows and ${counted(fit.blocks.columns, 'block')} of columns, the observations ${
      fit.resident
        ? 'resident in the memory of the solver'
        : `${fit.onDisk ? 'read from disk' : 'staged'} block by block`
    }; ${bytes(memoryBytes.planned)} planned, ${bytes(memoryBytes.peakRss)} at the process’s peak. ${
      rate > 0 && `${count(Number(rate.toPrecision(3)))} observations a second.`
    }</p>`,
  };
}

export function reproduceSection({ fit, run }: Model): Section {
  const isCut = fit.reason === 'time' || fit.reason === 'signal';
  const { starts } = fit;
  const isSearchCut = starts?.stopped === 'time' || starts?.stopped === 'signal';
  const facts: [string, string][] = [
    ['digest of the factors', fit.digest],
    ['seed', String(fit.seed)],
    ['arithmetic', `${fit.arithmetic}, ${fit.dtype}`],
    ['versions', `hadamard ${fit.versions.hadamard}, Node ${fit.versions.node}`],
  ];
  return {
    id: 'again',
    title: 'Reproduce',
    body: html`${
      run &&
      html`<p>The command that made this model:</p>
<pre tabindex="0" aria-label="Command"><bdi>${commandOf(run)}</bdi></pre>`
    }<dl class="facts">${facts.map(([what, value]) => html`<div style="display:contents"><dt>${what}</dt><dd>${value}</dd></div>`)}</dl>
<p>The same data, options and seed give the same digest on any number of threads${
      fit.arithmetic === 'fast' ? ', with this arithmetic on one kind of machine and Node' : ' and any machine'
    }${isCut && html`, after the same number of sweeps: this fit was ended from outside, <code>--max-sweeps ${fit.sweeps}</code> ends it there again`}${isSearchCut && html`. The search from many starts was ended from outside, and another may end after more or fewer of them: <code>--seed ${starts.seed}</code> without <code>--starts</code> gives this model`}.</p>`,
  };
}

/**
 * A run as a POSIX shell takes it.
 *
 * @param spell what is shown of a word, such as `printable` makes of it; escapes of its own stand in $'…', which a shell undoes.
 */
export function commandOf(
  { command, inputs, options }: NonNullable<Model['run']>,
  spell: (word: string) => string = (word) => word,
): string {
  const quoted = (word: string) =>
    spell(word) === word ? inQuotes(word) : `$'${spell(word.replace(/[\\']/g, '\\$&'))}'`;
  const flags = Object.entries(options).map(([option, value]) => {
    if (value === true) return flagOf(option);
    const text = Array.isArray(value) ? value.join(',') : String(value);
    // So that a value which begins with a dash is no flag.
    return text.startsWith('-') ? quoted(`${flagOf(option)}=${text}`) : `${flagOf(option)} ${quoted(text)}`;
  });
  // A flag a line where there are many.
  return [['hadamard', command, ...inputs.map(quoted)].join(' '), ...flags].join(flags.length > 3 ? ' \\\n  ' : ' ');
}

function inQuotes(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
