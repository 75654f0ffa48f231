import { expect, test } from "vitest";
import { type Expected, type ProvenServer, until } from "../../../src/cli/server-answers.ts";
import type { ClientHalf } from "../../../src/identity/credential.ts";
import { ConnectionFailure } from "../../../src/jetstream/api.ts";

const MINUTE = 60_000;
const halves = (...names: string[]) => names.map((name) => ({ name, client: { seed: name } }));

/** Servers that let in `known` and, from their minute on, what is new and no more what is old; and a clock that waits for nobody. */
function site(minutes: readonly number[], { known = ["old"], away = [] as number[] } = {}) {
  let now = 0;
  const refusals: number[] = [];
  const tries: string[] = [];
  const servers: ProvenServer[] = minutes.map((minute, i) => ({
    name: `nats-${i}`,
    ask: async (clients, goesOn = () => true) => {
      if (away.includes(i)) throw new ConnectionFailure("nobody listens", {});
      const answers: boolean[] = [];
      for (const [j, client] of clients.entries()) {
        const name = nameOf(client);
        const answer = now >= minute * MINUTE ? !known.includes(name) : known.includes(name);
        tries.push(`nats-${i} ${name}`);
        if (!answer) refusals.push(now);
        answers.push(answer);
        if (!goesOn(answer, j)) break;
      }
      return answers;
    },
  }));
  const clock = {
    now: () => now,
    sleep: async (milliseconds: number) => {
      now += milliseconds;
    },
  };
  const ask = (expected: Expected, patience: number) => until(servers, expected, patience * MINUTE * 1e6, clock);
  /** The most within ten minutes. */
  const worst = () =>
    Math.max(...refusals.map((at) => refusals.filter((other) => other >= at && other < at + 10 * MINUTE).length));
  return { ask, worst, refusals, tries, minutes: () => now / MINUTE };
}

const nameOf = (client: ClientHalf): string => ("seed" in client ? client.seed : "");
const ALL = halves("bff", "dms", "geo", "iot", "oms");

// NatsLoginsRefused fires above thirty in ten minutes; the look before anything is written takes one of each server.
test.each([
  { minutes: [7, 8, 9], patience: 14 },
  { minutes: [1, 7, 13], patience: 14 },
  { minutes: [99, 99, 99], patience: 14 },
])("a rotation of all is refused less than the alert minds, whenever the file comes: $minutes", async (given) => {
  const { ask, worst } = site(given.minutes);
  const doubts = await ask({ taken: ALL }, given.patience);
  const refusing = given.minutes.flatMap((minute, i) =>
    minute > given.patience ? [{ said: `nats-${i} refuses bff (4 more not asked)`, silent: false }] : [],
  );
  expect(doubts).toEqual(refusing);
  expect(worst() + 3).toBeLessThan(25);
});

test("what a server has settled it is asked no more, and every credential is asked of each", async () => {
  const { ask, tries, refusals, minutes } = site([0, 1, 1]);
  expect(await ask({ taken: ALL }, 14)).toEqual([]);
  const accepted = tries.filter((one, i) => tries.lastIndexOf(one) === i);
  expect(accepted.sort()).toEqual([0, 1, 2].flatMap((i) => ALL.map(({ name }) => `nats-${i} ${name}`)).sort());
  expect(tries).toHaveLength(15 + refusals.length);
  // After 5, 10, 20 and 40 s.
  expect([refusals.length, minutes()]).toEqual([4, 75 / 60]);
});

test("a revoke ends when each refuses the old and takes the new, and patience ends it where one does not", async () => {
  const expected = { taken: halves("new"), refused: halves("old") };
  expect(await site([1, 2, 3]).ask(expected, 14)).toEqual([]);
  expect(await site([0, 99, 0]).ask(expected, 1)).toEqual([
    { said: "nats-1 refuses new", silent: false },
    { said: "nats-1 still takes old", silent: false },
  ]);
});

test("a server that is away holds up no question to the others, and is said at the end", async () => {
  const { ask, tries } = site([0, 0, 0], { away: [0] });
  expect(await ask({ taken: ALL }, 5)).toEqual([{ said: "nats-0: nobody listens", silent: true }]);
  expect(tries).toHaveLength(2 * ALL.length);
});
