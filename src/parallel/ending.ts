/**
 * What may end while others wait for its work. Promise.race with a promise of the end would keep the outcome of every wait for as
 * long as that promise lives: all models of a session, all phases of a pool.
 */
export class Ending {
  readonly #waiting = new Set<(reason: unknown) => void>();
  #end: { readonly reason: unknown } | undefined;

  get hasCome(): boolean {
    return this.#end !== undefined;
  }

  /** The first reason stands. */
  come(reason: unknown): void {
    this.#end ??= { reason };
    for (const reject of this.#waiting) reject(this.#end.reason);
    this.#waiting.clear();
  }

  /** As `work`, or rejected with the reason of the end, should that come first or have come. */
  orEnd<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      work.then(resolve, reject);
      if (this.#end) {
        reject(this.#end.reason);
        return;
      }
      this.#waiting.add(reject);
      const leave = () => void this.#waiting.delete(reject);
      work.then(leave, leave);
    });
  }
}
