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

/** Milliseconds that an API server may be away: upgrades of control planes take one. */
const LONGEST_SILENCE = 60_000;

/** @param onTurn called between two questions; what it throws ends the wait */
export const waitEvery = (milliseconds: number, onTurn: () => Promise<void> = async () => {}): Waiting => ({
  async until(ask, patience, otherwise) {
    let silentSince: number | undefined;
    for (const end = Date.now() + patience; ; await sleep(milliseconds)) {
      try {
        const answer = await ask();
        if (answer !== undefined) return answer;
        silentSince = undefined;
        await onTurn();
      } catch (error) {
        if ((error as Error).name !== "ConnectionFailure") throw error;
        silentSince ??= Date.now();
        if (Date.now() - silentSince > LONGEST_SILENCE) throw error;
        continue;
      }
      if (Date.now() > end) throw new StepFailure(`${await otherwise()} (after ${Math.round(patience / 1000)} s)`);
    }
  },
  pause: async () => {
    await sleep(milliseconds);
  },
});
