/** In which line of a file each entry stands: only where the difference between line and entry changes is kept. */
export class LineNumbers {
  readonly #entries: number[] = [];
  readonly #lines: number[] = [];

  /** Entries come in order, from 0; lines count from 1. */
  add(entry: number, line: number): void {
    const last = this.#entries.length - 1;
    if (last >= 0 && line - entry === (this.#lines[last] as number) - (this.#entries[last] as number)) return;
    this.#entries.push(entry);
    this.#lines.push(line);
  }

  lineOf(entry: number): number {
    const at = this.#entries.findLastIndex((first) => first <= entry);
    return (this.#lines[at] as number) + entry - (this.#entries[at] as number);
  }
}
