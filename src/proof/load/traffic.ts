/**
 * Clients at work while something is broken under them: senders that publish at a rate with message ids and try again with the
 * same id until they are answered, readers that acknowledge what their durable gives them.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Received, ServiceClient } from "../../connect/service-client.ts";
import { type Lap, type Ledger, type Outcome, openLedger } from "./ledger.ts";

export interface Route {
  readonly subject: string;
  /** Whose credential the senders have. */
  readonly identity: string;
  /** Connections that share the rate. */
  readonly senders: number;
  /** Messages a second. */
  readonly rate: number;
  /** Bytes of a message. */
  readonly size: number;
  readonly readers: readonly Reader[];
}

/** One durable. Its name is that of the reader, so it stands once in a load. */
export interface Reader {
  readonly identity: string;
  readonly stream: string;
  readonly durable: string;
}

export type ByRoute<T> = Readonly<Record<string, T>>;

export interface TrafficPlan {
  readonly routes: ByRoute<Route>;
  /** How long a message is tried, in milliseconds: less than the stream remembers its id. @default 100 s */
  readonly patience?: number;
  /** How long a reader may get nothing new at the end before what it lacks counts as lost, in milliseconds. @default 90 s */
  readonly silence?: number;
}

/** How far a route is. */
export interface Progress {
  readonly acknowledged: number;
  /** Acknowledged messages that each reader has not got so far. */
  readonly behind: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<string, number>>;
}

export interface Traffic {
  readonly progress: () => ByRoute<Progress>;
  /** Pauses of each route since the last lap. */
  readonly lap: () => ByRoute<Lap>;
  /** Sends nothing new, waits for what is under way and for the readers, and closes all connections. */
  readonly stop: () => Promise<ByRoute<Outcome>>;
  /** Ends it at once, whatever is under way: nobody asks any more what became of it. */
  readonly end: () => Promise<void>;
}

/** Unanswered messages of one connection; a sender that has as many waits, as any client must. */
const WINDOW = 256;
/** Milliseconds between a failed attempt and the next. */
const PAUSE = 250;
const TICK = 10;
const LONGEST_WAIT = 300_000;

const now = (): number => performance.now();

/** What a message carries, padded to the size of its route. Another run may have left messages in the same stream. */
const bodyOf = (run: string, message: number, size: number): string => `${run} ${message} `.padEnd(size, ".");

/** Number of a message of this run. */
function numberOf(body: string, run: string): number | undefined {
  const [of, message] = body.split(" ", 2);
  return of === run ? Number(message) : undefined;
}

/**
 * Connects everybody and begins.
 *
 * @param connect opens a connection as an identity of the model
 * @throws what a connection says that cannot be had in ten attempts
 */
export async function startTraffic(
  { routes, patience = 100_000, silence = 90_000 }: TrafficPlan,
  connect: (identity: string) => Promise<ServiceClient>,
): Promise<Traffic> {
  const run = `load${Date.now()}`;
  const connected: Connected[] = [];
  for (const [name, route] of Object.entries(routes)) connected.push(await connectRoute(name, route, connect));
  // Handshakes cost more than messages, so nothing is sent before the last of them.
  const running = connected.map((route) => startRoute(route, `${run}-${route.name}`, { patience, silence }));
  const byRoute = <T>(of: (each: (typeof running)[number]) => T): ByRoute<T> =>
    Object.fromEntries(running.map((each) => [each.name, of(each)]));
  return {
    progress: () => byRoute(({ ledger, durables }) => progressOf(ledger, durables)),
    lap: () => byRoute(({ ledger }) => ledger.lap(now())),
    stop: async () => {
      await Promise.all(running.map(({ stop }) => stop()));
      return byRoute(({ ledger }) => ledger.outcome());
    },
    end: async () => {
      await Promise.all(running.map(({ end }) => end()));
    },
  };
}

/** Waits until so many more messages of every route are acknowledged, and every reader has so many more. @throws after five minutes */
export async function more(
  { progress }: { readonly progress: () => ByRoute<Progress> | Promise<ByRoute<Progress>> },
  count: number,
): Promise<void> {
  // How far readers are behind says how busy the machine is, not whether they get on.
  const countsOf = (all: ByRoute<Progress>) =>
    Object.values(all).flatMap(({ acknowledged, behind }) => [
      acknowledged,
      ...Object.values(behind).map((left) => acknowledged - left),
    ]);
  const goals = countsOf(await progress()).map((before) => before + count);
  for (const end = now() + LONGEST_WAIT; ; await sleep(500)) {
    const all = await progress();
    if (countsOf(all).every((reached, i) => reached >= (goals[i] ?? 0))) return;
    if (now() > end) throw new Error(`no ${count} more messages: ${JSON.stringify(all)}`);
  }
}

const progressOf = (ledger: Ledger, durables: readonly string[]): Progress => ({
  acknowledged: ledger.acknowledged(),
  behind: Object.fromEntries(durables.map((durable) => [durable, ledger.behind(durable)])),
  failures: ledger.outcome().failures,
});

interface Connected {
  readonly name: string;
  readonly route: Route;
  readonly senders: readonly ServiceClient[];
  readonly readers: readonly ServiceClient[];
}

async function connectRoute(
  name: string,
  route: Route,
  connect: (identity: string) => Promise<ServiceClient>,
): Promise<Connected> {
  const senders = await connectAll(route.senders, () => patiently(() => connect(route.identity)));
  const readers = await Promise.all(route.readers.map(({ identity }) => patiently(() => connect(identity))));
  return { name, route, senders, readers };
}

function startRoute(
  { name, route, senders, readers }: Connected,
  run: string,
  { patience, silence }: Required<Omit<TrafficPlan, "routes">>,
) {
  const durables = route.readers.map(({ durable }) => durable);
  const ledger = openLedger(route.senders, durables, now());
  const closing = new AbortController();
  const readings = route.readers.map(({ stream, durable }, i) => {
    const take = ({ text, seq }: Received) => {
      const number = numberOf(text, run);
      if (number !== undefined) ledger.deliver(durable, number, seq, now());
    };
    return readers[i]?.consume(stream, durable, take, closing.signal);
  });
  const sending = startSending(route, senders, ledger, run, patience);
  const close = async () => {
    closing.abort();
    await Promise.all([...senders, ...readers].map((client) => client[Symbol.asyncDispose]()));
    await Promise.all(readings);
  };
  return {
    name,
    durables,
    ledger,
    stop: async () => {
      await sending.stop();
      await allRead(ledger, durables, silence);
      await close();
    },
    end: async () => {
      sending.end();
      await close();
    },
  };
}

/** The first connection is the only one that the package does not try again: a busy machine misses handshakes. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 10 || (error as { readonly code?: string }).code === "ENOENT") throw error;
      await sleep(1_000);
    }
  }
}

/** A few at a time: handshakes of a thousand at once would time each other out. */
async function connectAll(count: number, connect: () => Promise<ServiceClient>): Promise<ServiceClient[]> {
  const clients: ServiceClient[] = [];
  while (clients.length < count) {
    const some = Math.min(20, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: some }, connect))));
  }
  return clients;
}

interface Sender {
  readonly client: ServiceClient;
  readonly index: number;
  readonly unanswered: Set<Promise<void>>;
}

function startSending(
  { subject, rate, size }: Route,
  clients: readonly ServiceClient[],
  ledger: Ledger,
  run: string,
  patience: number,
) {
  const senders = clients.map((client, index): Sender => ({ client, index, unanswered: new Set() }));
  let message = 0;
  let due = 0;
  let last = now();
  let ended = false;
  async function send({ client, index }: Sender, id: number): Promise<void> {
    const body = bodyOf(run, id, size);
    for (const first = now(); ; await sleep(PAUSE)) {
      try {
        // The same id every time: a message whose answer was lost is not stored twice.
        await client.publish(subject, body, `${run}-${id}`);
        return ledger.acknowledge(id, index, now());
      } catch (error) {
        ledger.fail(reasonOf(error));
        if (ended || now() - first > patience) return ledger.abandon(id);
      }
    }
  }
  const timer = setInterval(() => {
    // What could not be sent for a second is not sent later at once.
    due = Math.min(due + ((now() - last) / 1_000) * rate, rate);
    last = now();
    for (; due >= 1; due--) {
      const sender = senders[message % senders.length];
      if (!sender || sender.unanswered.size >= WINDOW) {
        message++;
        continue;
      }
      const sent: Promise<void> = send(sender, message++).finally(() => sender.unanswered.delete(sent));
      sender.unanswered.add(sent);
    }
  }, TICK);
  return {
    end: () => {
      clearInterval(timer);
      ended = true;
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(senders.flatMap(({ unanswered }) => [...unanswered]));
    },
  };
}

/** 503 is "no responders": the stream has no leader that hears. */
const reasonOf = (error: unknown): string =>
  error instanceof Error ? ((error as Error & { readonly code?: string }).code ?? error.message) : String(error);

/** Waits for the readers as long as they get on. */
async function allRead(ledger: Ledger, readers: readonly string[], silence: number): Promise<void> {
  const left = () => readers.reduce((sum, reader) => sum + ledger.behind(reader), 0);
  let least = left();
  for (let since = now(); least > 0 && now() - since < silence; await sleep(500)) {
    if (left() < least) {
      least = left();
      since = now();
    }
  }
}
