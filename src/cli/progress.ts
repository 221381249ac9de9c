/** Progress on stderr: one live line on a terminal, a few plain lines elsewhere, nothing with --quiet. */
import { styleText } from 'node:util';
import type { Progress } from '../factorize/factorizeOptions.js';
import { clock, printable, rate, real, wrap } from './render.js';

/** Seconds between two drawings of the live line. */
const framePause = 0.1;
/** Seconds from the first plain line, which comes at half of it, to the second; each pause is twice the one before. */
const firstPause = 2;

export interface ProgressLine {
  /** What is being done now, where it is not a sweep. */
  stage(text: string): void;
  update(progress: Progress): void;
  /** The same in words of one's own, `seconds` after the beginning. */
  advance(text: string, seconds: number): void;
  /** A line that stays. */
  note(text: string): void;
  /** A line that stays, and that --quiet does not silence. */
  warn(text: string): void;
  /** Removes the live line. */
  end(): void;
}

export function progressLine(
  stream: NodeJS.WriteStream,
  options: { quiet: boolean; timeLimit?: number | undefined },
): ProgressLine {
  if (options.quiet)
    return {
      stage() {},
      update() {},
      advance() {},
      note() {},
      warn: (text) => void stream.write(`${printable(text)}\n`),
      end() {},
    };
  return stream.isTTY ? liveLine(stream, options.timeLimit) : plainLines(stream, options.timeLimit);
}

function liveLine(stream: NodeJS.WriteStream, timeLimit: number | undefined): ProgressLine {
  let shown = '';
  let drawnAt = Number.NEGATIVE_INFINITY;
  const clear = () => {
    if (shown !== '') stream.write('\r\u001b[2K');
    shown = '';
  };
  const draw = (text: string) => {
    shown = text.slice(0, (stream.columns ?? 80) - 1);
    drawnAt = performance.now();
    stream.write(`\r\u001b[2K${styleText('dim', shown, { stream })}`);
  };
  const note = (text: string) => {
    const line = shown;
    clear();
    // A terminal would break the line in the middle of a word.
    stream.write(`${wrap(printable(text), (stream.columns ?? 80) - 1).join('\n')}\n`);
    if (line !== '') draw(line);
  };
  const advance = (text: string) => {
    if (performance.now() - drawnAt >= framePause * 1000) draw(text);
  };
  return {
    stage: draw,
    update(progress) {
      if (progress.phase === 'sweep' || progress.phase === 'start') advance(describe(progress, timeLimit));
      else draw(describe(progress, timeLimit));
    },
    advance,
    note,
    warn: note,
    end: clear,
  };
}

function plainLines(stream: NodeJS.WriteStream, timeLimit: number | undefined): ProgressLine {
  const note = (text: string) => void stream.write(`${printable(text)}\n`);
  let next = firstPause / 2;
  let pause = firstPause / 2;
  const advance = (text: string, seconds: number) => {
    if (seconds < next) return;
    pause *= 2;
    next = seconds + pause;
    stream.write(`${text}\n`);
  };
  return {
    stage() {},
    update(progress) {
      if (progress.phase === 'sweep' || progress.phase === 'start')
        advance(describe(progress, timeLimit), progress.seconds);
    },
    advance,
    note,
    warn: note,
    end() {},
  };
}

function describe(progress: Progress, timeLimit: number | undefined): string {
  if (progress.phase === 'prepare') return 'laying out the data …';
  if (progress.phase === 'start')
    return `start, rank by rank: sweep ${progress.sweep}  objective ${real(progress.objective)}`;
  if (progress.phase === 'certify') return 'measuring the certificate …';
  const { sweep, maxSweeps, objective, relativeGradientNorm, observationsPerSecond, validation, starts } = progress;
  if (starts) return startsInProgress(progress, starts, timeLimit);
  return [
    `sweep ${sweep}/${maxSweeps}`,
    `objective ${real(objective)}`,
    relativeGradientNorm !== null && `gradient ${relativeGradientNorm.toExponential(1)}`,
    validation && `held out ${real(validation.rmse)}`,
    `${rate(observationsPerSecond)} obs/s`,
    timeLeft(progress, timeLimit),
  ]
    .filter(Boolean)
    .join('  ');
}

function startsInProgress(
  { sweep, seconds }: Progress,
  { done, of, best }: NonNullable<Progress['starts']>,
  timeLimit: number | undefined,
): string {
  const left = timeLimit === undefined ? undefined : timeLimit - seconds;
  return [
    `${done} of ${of} starts done`,
    best !== null && `best ${real(best)}`,
    `sweep ${sweep}`,
    left !== undefined && `≤ ${clock(Math.max(0, left))} left`,
  ]
    .filter(Boolean)
    .join('  ');
}

function timeLeft(progress: Progress, timeLimit: number | undefined): string | false {
  const left = secondsLeft(progress, timeLimit);
  return left !== undefined && `≤ ${clock(left)} left`;
}

/** An upper bound: convergence may come sooner than the budget's end. */
export function secondsLeft(
  { sweep, maxSweeps, seconds }: Progress,
  timeLimit: number | undefined,
): number | undefined {
  if (sweep === 0) return undefined;
  const bySweeps = (seconds / sweep) * (maxSweeps - sweep);
  return Math.max(0, Math.min(bySweeps, (timeLimit ?? Number.POSITIVE_INFINITY) - seconds));
}
