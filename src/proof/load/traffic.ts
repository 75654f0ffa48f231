/**
 * Clients at work while a test breaks something under them: senders that publish at a rate with message ids and try again
 * with the same id until they are answered, readers that acknowledge what their durable gives them. Both connect as
 * docs/security.md tells them to.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ConsumerMessages, JetStreamClient, JsMsg, NatsConnection } from "nats";
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

export interface LoadInput {
  readonly routes: Readonly<Record<string, Route>>;
  /** Opens a connection as an identity of the model. */
  readonly connect: (identity: string) => Promise<NatsConnection>;
  /** How long a message is tried, in milliseconds: less than the stream remembers its id. @default 100 s */
  readonly patience?: number;
  /** How long a reader may get nothing new at the end before what it lacks counts as lost, in milliseconds. @default 90 s */
  readonly silence?: number;
}

export type ByRoute<T> = Readonly<Record<string, T>>;

export interface Load {
  /** Waits until so many more messages of every route are acknowledged, and every reader has so many more. @throws after five minutes */
  readonly more: (count: number) => Promise<void>;
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
/** A request for messages that dies with its server is sent again once two heartbeats are missing: after as long as this. */
const EXPIRES = 5_000;

const now = (): number => performance.now();

/** What a message carries, padded to the size of its route. Another run may have left messages in the same stream. */
const bodyOf = (run: string, message: number, size: number): string => `${run} ${message} `.padEnd(size, ".");

/** Number of a message of this run. */
function numberOf(body: string, run: string): number | undefined {
  const [of, message] = body.split(" ", 2);
  return of === run ? Number(message) : undefined;
}

/** Connects everybody and begins. */
export async function startLoad({ routes, connect, patience = 100_000, silence = 90_000 }: LoadInput): Promise<Load> {
  const run = `load${Date.now()}`;
  const connected: Awaited<ReturnType<typeof connectRoute>>[] = [];
  for (const [name, route] of Object.entries(routes)) connected.push(await connectRoute(name, route, connect));
  // Handshakes cost more than messages, so nothing is sent before the last of them.
  const running = connected.map((route) => startRoute(route, `${run}-${route.name}`, { patience, silence }));
  const byRoute = <T>(of: (each: (typeof running)[number]) => T): ByRoute<T> =>
    Object.fromEntries(running.map((each) => [each.name, of(each)]));
  return {
    more: async (count) => {
      // How far readers are behind says how busy the machine is, not whether they get on.
      const goals = running.flatMap((each) => countsOf(each).map((now) => now + count));
      const reached = () => running.flatMap(countsOf).every((now, i) => now >= (goals[i] ?? 0));
      for (const end = now() + 300_000; !reached(); await sleep(500)) {
        if (now() > end) throw new Error(`no ${count} more messages: ${JSON.stringify(byRoute(progress))}`);
      }
    },
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

/** Messages of a route that are acknowledged, and of those how many each reader has. */
const countsOf = ({ route, ledger }: { readonly route: Route; readonly ledger: Ledger }): readonly number[] => [
  ledger.acknowledged(),
  ...route.readers.map(({ durable }) => ledger.acknowledged() - ledger.behind(durable)),
];

const progress = ({ route, ledger }: { readonly route: Route; readonly ledger: Ledger }) => ({
  acknowledged: ledger.acknowledged(),
  behind: Object.fromEntries(route.readers.map(({ durable }) => [durable, ledger.behind(durable)])),
  failures: ledger.outcome().failures,
});

interface Limits {
  readonly patience: number;
  readonly silence: number;
}

async function connectRoute(name: string, route: Route, connect: LoadInput["connect"]) {
  const senders = await connectAll(route.senders, () => patiently(() => connect(route.identity)));
  const readers = await Promise.all(route.readers.map(({ identity }) => patiently(() => connect(identity))));
  return { name, route, senders, readers };
}

function startRoute(
  { name, route, senders, readers }: Awaited<ReturnType<typeof connectRoute>>,
  run: string,
  { patience, silence }: Limits,
) {
  const durables = route.readers.map(({ durable }) => durable);
  const ledger = openLedger(route.senders, durables, now());
  const readings = route.readers.map((reader, i) => startReading(reader, readers[i] as NatsConnection, ledger, run));
  const sending = startSending(route, senders, ledger, run, patience);
  const close = async () => {
    for (const reading of readings) await reading.stop();
    await Promise.all(senders.map((connection) => connection.close()));
  };
  return {
    name,
    route,
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
async function connectAll(count: number, connect: () => Promise<NatsConnection>): Promise<NatsConnection[]> {
  const connections: NatsConnection[] = [];
  while (connections.length < count) {
    const some = Math.min(20, count - connections.length);
    connections.push(...(await Promise.all(Array.from({ length: some }, connect))));
  }
  return connections;
}

interface Sender {
  readonly jetstream: JetStreamClient;
  readonly index: number;
  readonly unanswered: Set<Promise<void>>;
}

function startSending(
  { subject, rate, size }: Route,
  connections: readonly NatsConnection[],
  ledger: Ledger,
  run: string,
  patience: number,
) {
  const senders = connections.map(
    (connection, index): Sender => ({ jetstream: connection.jetstream(), index, unanswered: new Set() }),
  );
  let message = 0;
  let due = 0;
  let last = now();
  let ended = false;
  async function send({ jetstream, index }: Sender, id: number): Promise<void> {
    const body = bodyOf(run, id, size);
    for (const first = now(); ; await sleep(PAUSE)) {
      try {
        // The same id every time: a message whose answer was lost is not stored twice.
        await jetstream.publish(subject, body, { msgID: `${run}-${id}` });
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

function startReading({ stream, durable }: Reader, connection: NatsConnection, ledger: Ledger, run: string) {
  let reading = true;
  let messages: ConsumerMessages | undefined;
  const take = (message: JsMsg): void => {
    const number = numberOf(message.string(), run);
    if (number !== undefined) ledger.deliver(durable, number, message.seq, now());
    message.ack();
  };
  const loop = async (): Promise<void> => {
    while (reading) {
      try {
        const consumer = await connection.jetstream().consumers.get(stream, durable);
        messages = await consumer.consume({ max_messages: 500, expires: EXPIRES });
        for await (const message of messages) take(message);
      } catch {
        // Nobody answers while there is no leader; what was not acknowledged comes again.
        await sleep(PAUSE);
      }
    }
  };
  const ended = loop();
  return {
    stop: async () => {
      reading = false;
      await messages?.close();
      await connection.close();
      await ended;
    },
  };
}

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
