/** Ctrl-C, and what whoever ends a job sends in its place: they end a command at its next safe place. */
import { exitCodes } from "./exit-codes.ts";
import { log } from "./output/terminal.ts";

/** Ctrl-C ends a deploy between two steps, never within one. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

export interface Interrupts {
  readonly interrupted: () => boolean;
  /** @throws Interrupted after Ctrl-C */
  readonly check: () => void;
  readonly stop: () => void;
}

/**
 * Another Ctrl-C ends the process at once; another SIGTERM does not: GitHub sends SIGINT, and SIGTERM 7.5 seconds behind it, and kills
 * in the end anyhow.
 *
 * @param says what is done meanwhile, for the first of them
 */
export function countInterrupts(says: string, say: (text: string) => void = log): Interrupts {
  let count = 0;
  const note = (signal: NodeJS.Signals) => {
    count += 1;
    if (count > 1 && signal === "SIGINT") process.exit(exitCodes.interrupted);
    if (count === 1) say(`${says}; Ctrl-C again ends at once.`);
  };
  process.on("SIGINT", note).on("SIGTERM", note);
  return {
    interrupted: () => count > 0,
    check: () => {
      if (count > 0) {
        throw new Interrupted("Interrupted: what is done stays done, and the same command goes on from there.");
      }
    },
    stop: () => {
      process.off("SIGINT", note).off("SIGTERM", note);
    },
  };
}
