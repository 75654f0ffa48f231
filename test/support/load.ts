/** A publisher and a consumer that run while a test changes things under them, and what came of every message. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ConsumerMessages, NatsConnection } from "nats";

export interface Load {
  /** Goes on with other connections, as a client that was restarted; the former ones finish what they have begun. */
  readonly moveTo: (publisher: NatsConnection, consumer: NatsConnection) => Promise<void>;
  readonly published: () => number;
  /** Resolves when so many more messages have gone through. */
  readonly more: (count: number) => Promise<void>;
  /** Ends it and waits for what is under way. */
  readonly stop: () => Promise<Outcome>;
}

export interface Outcome {
  /** Messages that the server has confirmed. */
  readonly published: number;
  /** Messages that no retry brought through. */
  readonly failed: readonly string[];
  /** Confirmed messages that the consumer never got. */
  readonly lost: readonly number[];
}

interface Route {
  readonly subject: string;
  readonly stream: string;
  readonly durable: string;
}

/** Enough for a reload, and for a leader to be elected. */
const ATTEMPTS = 40;

export function startLoad(publisher: NatsConnection, consumer: NatsConnection, route: Route): Load {
  const confirmed = new Set<number>();
  const received = new Set<number>();
  const failed: string[] = [];
  let [from, to] = [publisher, consumer];
  let next = 0;
  let [publishing, consuming] = [true, true];
  let messages: ConsumerMessages | undefined;

  async function publish(): Promise<void> {
    while (publishing) {
      const id = next++;
      for (let attempt = 1; ; attempt++) {
        try {
          // The same id: a message whose confirmation was lost is not stored twice.
          await from.jetstream().publish(route.subject, String(id), { msgID: String(id), timeout: 2_000 });
          confirmed.add(id);
          break;
        } catch (error) {
          if (attempt === ATTEMPTS) {
            failed.push(`${id}: ${error}`);
            break;
          }
          await sleep(100);
        }
      }
      await sleep(2);
    }
  }

  async function consume(): Promise<void> {
    while (consuming) {
      try {
        messages = await (await to.jetstream().consumers.get(route.stream, route.durable)).consume({
          max_messages: 50,
        });
        for await (const message of messages) {
          received.add(Number(message.string()));
          message.ack();
        }
      } catch {
        // Cut off while something changed: what was not acknowledged comes again.
        await sleep(100);
      }
    }
  }

  const loops = [publish(), consume()];
  const reached = async (goal: () => boolean): Promise<boolean> => {
    for (let waited = 0; waited < 60_000 && !goal(); waited += 50) await sleep(50);
    return goal();
  };
  return {
    moveTo: async (publisherNow, consumerNow) => {
      const former = [from, to];
      [from, to] = [publisherNow, consumerNow];
      await messages?.close();
      await Promise.all(former.map((connection) => connection.drain()));
    },
    published: () => confirmed.size,
    more: async (count) => {
      const goal = [confirmed.size + count, received.size + count] as const;
      const done = await reached(() => confirmed.size >= goal[0] && received.size >= goal[1]);
      if (!done) throw new Error(`no ${count} more messages: ${confirmed.size} confirmed, ${received.size} received`);
    },
    stop: async () => {
      const all = () => [...confirmed].every((id) => received.has(id));
      publishing = false;
      await loops[0];
      await reached(all);
      consuming = false;
      await messages?.close();
      await loops[1];
      return { published: confirmed.size, failed, lost: [...confirmed].filter((id) => !received.has(id)) };
    },
  };
}
