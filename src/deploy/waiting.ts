/** Waiting for what takes its time. */
import { setTimeout as sleep } from "node:timers/promises";
import { StepFailure } from "./step.ts";

export interface Waiting {
  /**
   * Asks again and again until the answer is not undefined.
   *
   * @param patience milliseconds
   * @throws StepFailure with what `otherwise` says when patience is at its end
   */
  until<T>(ask: () => Promise<T | undefined>, patience: number, otherwise: () => Promise<string>): Promise<T>;
  /** One interval. */
  pause(): Promise<void>;
}

/** @param onTurn called between two questions; what it throws ends the wait */
export const waitEvery = (milliseconds: number, onTurn: () => Promise<void> = async () => {}): Waiting => ({
  async until(ask, patience, otherwise) {
    for (const end = Date.now() + patience; ; await sleep(milliseconds)) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (Date.now() > end) throw new StepFailure(`${await otherwise()} (after ${Math.round(patience / 1000)} s)`);
      await onTurn();
    }
  },
  pause: async () => {
    await sleep(milliseconds);
  },
});
