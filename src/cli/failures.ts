/** Failures that are no bugs: the user reads the message alone, without a stack. */

/** Wrong arguments; the usage line follows. Exit code 64. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something outside stands in the way, and the message says what and the way out. Exit code 1. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** Ctrl-C or Ctrl-D at a question: that is no answer, and nothing is done. Exit code 130. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";
}
