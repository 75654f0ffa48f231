/** Parts that are started one after the other and stopped the other way round: AsyncDisposableStack, which Node 20 has not. */

/** Disposal stops every part, whether others can be stopped or not. @throws what could not be, in an AggregateError of several */
export interface Parts extends AsyncDisposable {
  /** Takes a part that has started. */
  use<T extends AsyncDisposable>(part: T): T;
}

/**
 * Starts what has parts. Where that fails those that have started are stopped.
 *
 * @throws what `start` says, in an AggregateError where a part cannot be stopped either
 */
export async function startTogether<T>(start: (parts: Parts) => Promise<T>): Promise<T> {
  const parts: AsyncDisposable[] = [];
  const stop = async (...failures: unknown[]) => {
    for (const part of parts.splice(0).toReversed()) {
      try {
        await part[Symbol.asyncDispose]();
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 1)
      throw new AggregateError(failures, failures.map((one) => (one as Error).message).join("\n"));
    if (failures.length === 1) throw failures[0];
  };
  const use = <P extends AsyncDisposable>(part: P): P => {
    parts.push(part);
    return part;
  };
  return start({ use, [Symbol.asyncDispose]: () => stop() }).catch((failure) => stop(failure) as Promise<never>);
}
