/** Waiting for what takes its time. */
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectionFailure } from "../jetstream/api.ts";
import { StepFailure } from "./step.ts";

export interface Waiting {
  /**
   * Asks again and again until the answer is not undefined. An API server that is away is waited for, but not for ever.
   *
   * @param patience milliseconds
   * @throws StepFailure with what `otherwise` says when patience is at its end; ConnectionFailure where nobody answers any more
   */
  until<T>(ask: () => Promise<T | undefined>, patience: number, otherwise: () => Promise<string>): Promise<T>;
}

export interface Pace {
  /** Before every question; what it throws ends the wait. */
  readonly onTurn?: () => void;
  /** Milliseconds that an API server may be away. @default 60000, as upgrades of control planes take one */
  readonly silence?: number;
}

export const waitEvery = (milliseconds: number, { onTurn = () => {}, silence = 60_000 }: Pace = {}): Waiting => ({
  async until(ask, patience, otherwise) {
    let silentSince: number | undefined;
    for (const end = Date.now() + patience; ; await sleep(milliseconds)) {
      onTurn();
      try {
        const answer = await ask();
        if (answer !== undefined) return answer;
        silentSince = undefined;
      } catch (error) {
        if (!(error instanceof ConnectionFailure) || !error.passing) throw error;
        silentSince ??= Date.now();
        // Not passing any more: who waits around this one must not begin to wait anew.
        if (Date.now() - silentSince >= silence) throw new ConnectionFailure(error.message, { cause: error });
        continue;
      }
      if (Date.now() > end) throw new StepFailure(`${await otherwise()} (after ${Math.round(patience / 1000)} s)`);
    }
  },
});
