/** A proof: steps one after the other, each with the time it took and what it showed. */

export interface Step {
  readonly title: string;
  /** What it shows, in a few words. @throws Error where it does not hold */
  readonly prove: () => Promise<string>;
}

export interface Proven {
  readonly title: string;
  readonly holds: boolean;
  /** What was shown, or why it does not hold. */
  readonly says: string;
  /** Seconds. */
  readonly took: number;
}

/** Runs steps until one does not hold, and tells each. What comes after it would fail for the same reason. */
export async function proveAll(steps: readonly Step[], tell: (proven: Proven) => void): Promise<readonly Proven[]> {
  const all: Proven[] = [];
  for (const { title, prove } of steps) {
    const start = performance.now();
    const result = await prove().then(
      (says) => ({ holds: true, says }),
      (error: Error) => ({ holds: false, says: error.message }),
    );
    const proven = { title, ...result, took: Math.round((performance.now() - start) / 100) / 10 };
    all.push(proven);
    tell(proven);
    if (!proven.holds) break;
  }
  return all;
}
