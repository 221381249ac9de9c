/** Workers that stand by for one piece of work: each has one task for as long as it lasts. */
import type { ErrorRecord } from '../errors.js';
import { Board } from './board.js';
import type { BlockContext, PhaseCall, Task, TaskReport } from './phase.js';
import type { Workers } from './pool.js';

/** How a worker has left: a block was refused, or it has died. */
export interface Loss {
  readonly failure?: ErrorRecord | undefined;
  readonly reason?: unknown;
}

export class Stand<Context extends BlockContext> {
  readonly context: Context;
  readonly #workers: Workers<Task<Context>, TaskReport>;
  readonly #board: Board;
  /** Whether a worker's task has not ended. */
  readonly #isEnlisted: boolean[];
  #losses: Loss[] = [];

  constructor(workers: Workers<Task<Context>, TaskReport>, threads: number, context: Context) {
    this.context = context;
    this.#workers = workers;
    this.#board = new Board(threads);
    this.#isEnlisted = new Array<boolean>(threads).fill(false);
  }

  write(call: PhaseCall): void {
    this.#board.write(call);
  }

  /**
   * Has the phase that is up worked on by all who are there and all who come meanwhile, until none of them is at it any more.
   *
   * @returns those who have left since this was last asked.
   */
  async work(): Promise<readonly Loss[]> {
    this.#isEnlisted.forEach((isEnlisted, slot) => {
      if (!isEnlisted) this.#enlist(slot);
    });
    const called = new Set<number>();
    while (!this.#board.isClosed) {
      const { bell } = this.#board;
      this.#board.callUp(called);
      const isNobodyToCome = called.size > 0 || !this.#isEnlisted.includes(true);
      if (isNobodyToCome && !this.#board.isAnyoneWorking()) break;
      await this.#board.rung(bell);
    }
    const losses = this.#losses;
    this.#losses = [];
    return losses;
  }

  takeSeconds(): number[] {
    return this.#board.takeSeconds();
  }

  /** Lets go of the workers: their tasks end. */
  close(): void {
    this.#board.close();
  }

  #enlist(slot: number): void {
    this.#isEnlisted[slot] = true;
    const leave = (loss: Loss) => {
      this.#isEnlisted[slot] = false;
      this.#losses.push(loss);
      this.#board.leave(slot);
    };
    this.#workers
      .run({ context: this.context, board: this.#board.buffer, slot })
      .then(leave, (reason) => leave({ reason }));
  }
}
