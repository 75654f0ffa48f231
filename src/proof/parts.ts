/** Parts that are started one after the other and stopped the other way round: AsyncDisposableStack, which Node 20 has not. */

export interface Parts extends AsyncDisposable {
  /** Takes a part that has started; disposal stops it. */
  use<T extends AsyncDisposable>(part: T): T;
}

/** @throws of disposal, after every part was stopped that can be: the failure of one, AggregateError of several */
export function makeParts(): Parts {
  const parts: AsyncDisposable[] = [];
  return {
    use(part) {
      parts.push(part);
      return part;
    },
    async [Symbol.asyncDispose]() {
      const failures: Error[] = [];
      for (const part of parts.splice(0).toReversed()) {
        try {
          await part[Symbol.asyncDispose]();
        } catch (failure) {
          failures.push(failure as Error);
        }
      }
      if (failures.length > 0) throw oneOf(failures);
    },
  };
}

/**
 * Starts what has parts. Where that fails those that have started are stopped.
 *
 * @throws what `start` says, in an AggregateError where a part cannot be stopped either
 */
export async function startTogether<T>(start: (parts: Parts) => Promise<T>): Promise<T> {
  const parts = makeParts();
  try {
    return await start(parts);
  } catch (failure) {
    const failures = [failure as Error];
    try {
      await parts[Symbol.asyncDispose]();
    } catch (other) {
      failures.push(other as Error);
    }
    throw oneOf(failures);
  }
}

function oneOf(failures: readonly Error[]): Error {
  const [first, ...others] = failures;
  if (first && others.length === 0) return first;
  return new AggregateError(failures, failures.map(({ message }) => message).join("\n"));
}
