/** Asks servers whom they let in, and waits until all do: with as few refused logins as that takes. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientHalf } from "../identity/credential.ts";
import type { Held } from "../identity/keeper.ts";
import { ConnectionFailure } from "../jetstream/api.ts";

/** One server, and how it is reached: a forwarded port dies with its pod, so it is opened for each question. */
export interface ProvenServer {
  readonly name: string;
  /**
   * Whether it lets in each of `clients`, in their order and up to the first answer that `goesOn` says no to.
   * @throws ConnectionFailure
   */
  readonly ask: (
    clients: readonly ClientHalf[],
    goesOn?: (answer: boolean, index: number) => boolean,
  ) => Promise<readonly boolean[]>;
}

/** Whom every server must let in, and whom turn away. */
export interface Expected {
  readonly taken: readonly Held[];
  readonly refused?: readonly Held[];
}

export interface Doubt {
  readonly said: string;
  /** It gave no answer. */
  readonly silent: boolean;
}

export interface Clock {
  /** Milliseconds. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

const CLOCK: Clock = { now: Date.now, sleep };

/** Milliseconds between two questions, the last for good; from the start again once a server has followed: the others are near. */
const PAUSES = [5_000, 10_000, 20_000, 40_000, 60_000] as const;

interface Question extends Held {
  readonly expected: boolean;
}

/**
 * Asks until nothing is in doubt, or patience is at its end: then with what still is. A refused login counts for an alert
 * (NatsLoginsRefused), and all credentials come in one file: so one refusal ends a round, and what is settled is asked no more.
 * @param patience nanoseconds
 */
export async function until(
  servers: readonly ProvenServer[],
  { taken, refused = [] }: Expected,
  patience: number,
  clock = CLOCK,
): Promise<readonly Doubt[]> {
  const end = clock.now() + patience / 1e6;
  const open = new Map<ProvenServer, readonly Question[]>();
  for (const server of servers) {
    open.set(server, [...taken.map(expecting(true)), ...refused.map(expecting(false))]);
  }
  for (let turn = 0; ; turn++) {
    for (const [server, questions] of open) {
      const left = await unsettled(server, questions);
      if (!left) continue;
      if (left.length < questions.length) turn = 0;
      if (left.length === 0) open.delete(server);
      else open.set(server, left);
      if (left[0]?.expected) break;
    }
    if (open.size === 0) return [];
    const now = clock.now();
    if (now >= end) return doubtsOfAll([...open.keys()], { taken, refused });
    await clock.sleep(Math.min(PAUSES[Math.min(turn, PAUSES.length - 1)] ?? 0, end - now));
  }
}

const expecting =
  (expected: boolean) =>
  (held: Held): Question => ({ ...held, expected });

/** The questions from the first on whose answer is another than expected; undefined where there is no answer. */
async function unsettled(
  { ask }: ProvenServer,
  questions: readonly Question[],
): Promise<readonly Question[] | undefined> {
  try {
    const clients = questions.map(({ client }) => client);
    const fits = (answer: boolean | undefined, i: number) => answer === questions[i]?.expected;
    const answers = await ask(clients, fits);
    return questions.slice(answers.filter(fits).length);
  } catch (error) {
    // It may be in the middle of a restart.
    if (!(error instanceof ConnectionFailure)) throw error;
    return undefined;
  }
}

export const doubtsOfAll = async (servers: readonly ProvenServer[], expected: Expected): Promise<readonly Doubt[]> =>
  (await Promise.all(servers.map((server) => doubtsOf(server, expected)))).flat();

/** The first that it refuses stands for those after it: they are in the same file. */
async function doubtsOf({ name, ask }: ProvenServer, { taken, refused = [] }: Expected): Promise<Doubt[]> {
  try {
    const answers = await ask(
      taken.map(({ client }) => client),
      (answer) => answer,
    );
    const unknown = answers.findIndex((answer) => !answer);
    const rest = taken.length - unknown - 1;
    const others = rest > 0 ? ` (${rest} more not asked)` : "";
    const known = refused.length > 0 ? await ask(refused.map(({ client }) => client)) : [];
    const still = refused.filter((_, i) => known[i]);
    return [
      ...(unknown >= 0 ? [{ said: `${name} refuses ${taken[unknown]?.name}${others}`, silent: false }] : []),
      ...(still.length > 0 ? [{ said: `${name} still takes ${namesOf(still)}`, silent: false }] : []),
    ];
  } catch (error) {
    if (!(error instanceof ConnectionFailure)) throw error;
    return [{ said: `${name}: ${error.message}`, silent: true }];
  }
}

export const listed = (doubts: readonly Doubt[]): string => doubts.map(({ said }) => `- ${said}`).join("\n");

export const namesOf = (all: readonly { readonly name: string }[]): string =>
  [...new Set(all.map(({ name }) => name))].join(", ");
