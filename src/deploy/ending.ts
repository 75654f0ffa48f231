/** What a failure ends in: what was there is put back, or everything stays where it stopped. */

/**
 * put back: a step failed after something was written. stop: nothing can be put back, or should not be, and the same command goes
 * on. untouched: nothing was written. interrupted: somebody wanted it so.
 */
export type Ending = "put back" | "stop" | "untouched" | "interrupted";

/** Failures that no way back would mend, by name, with what to do now. */
const STOPS: Readonly<Record<string, string>> = {
  ConnectionFailure:
    "Nothing is rolled back while the cluster cannot be asked. Run the same command again: it goes on from there.",
  AlreadyRunning: "Nothing is rolled back: another run has taken over. Look at circl history before you run it again.",
  LockHeld:
    "Nothing is rolled back: the manifests stand, the streams wait. Run the same command again when the lock is free.",
  StreamsUnasked:
    "Nothing is rolled back: the manifests stand, the streams wait. Run the same command again once these streams have a leader; circl status shows it.",
  LeaveMissing:
    "Nothing is rolled back: the manifests stand, the streams wait. Give the leave, or take the change back, and run the same command again.",
};

/**
 * @param touched whether anything was written, or may have been
 * @returns what to do, and what to say of it beside the failure itself
 */
export function endingOf(
  { name }: Error,
  touched: boolean,
): { readonly ending: Ending; readonly says: readonly string[] } {
  if (name === "Interrupted") return { ending: "interrupted", says: [] };
  const stops = STOPS[name];
  if (!touched) return { ending: "untouched", says: ["Nothing was applied. Mend it and run the same command again."] };
  return stops ? { ending: "stop", says: [stops] } : { ending: "put back", says: [] };
}
