/**
 * What runs in a pod of the load, bundled: a publisher or a consumer with the files that every client is given. It says how far
 * it is every second, and what came of each message once it is told to end.
 *
 *     node client.mjs RUN publish SUBJECT RATE
 *     node client.mjs RUN consume STREAM DURABLE
 *
 * RUN marks the messages of this load: the servers know the ids of earlier ones for a while, and take the same ones for theirs.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openService, type ServiceClient } from "../../connect/service-client.ts";
import { formatIds } from "./id-ranges.ts";

const FILES = "/etc/circl";
/** ms that an acknowledgement may take until the message is sent again, under the same id. */
const TIMEOUT = 3_000;
/** Messages under way at once; a client that waits for more than this waits for the servers. */
const AT_ONCE = 2_000;
/** ms for what is under way at the end. */
const PATIENCE = 90_000;

const ending = new AbortController();
process.once("SIGTERM", () => ending.abort());
const say = (report: object) => process.stdout.write(`${JSON.stringify(report)}\n`);

async function publish(client: ServiceClient, subject: string, rate: number): Promise<void> {
  const confirmed = new Set<number>();
  const retried = { count: 0 };
  let [next, underWay, last, longest] = [0, 0, Date.now(), 0];
  const send = async (id: number) => {
    underWay += 1;
    for (let done = false; !done; ) {
      done = await client.publish(subject, JSON.stringify({ run, id }), `${run}.${id}`).then(
        () => true,
        () => false,
      );
      if (!done) {
        retried.count += 1;
        await sleep(100);
      }
    }
    longest = Math.max(longest, Date.now() - last);
    last = Date.now();
    confirmed.add(id);
    underWay -= 1;
  };
  const progress = setInterval(() => say({ confirmed: confirmed.size, longest }), 1_000);
  const start = Date.now();
  while (!ending.signal.aborted) {
    // From the clock: a timer that comes late is made up for.
    const due = ((Date.now() - start) / 1000) * rate;
    while (next < due && underWay < AT_ONCE) void send(next++);
    await sleep(5);
  }
  for (const end = Date.now() + PATIENCE; underWay > 0 && Date.now() < end; ) await sleep(50);
  clearInterval(progress);
  say({ confirmed: confirmed.size, longest, retried: retried.count, sent: next, ids: formatIds(confirmed) });
}

async function consume(client: ServiceClient, stream: string, durable: string): Promise<void> {
  const seen = new Map<number, number>();
  const twice = new Set<number>();
  let redelivered = 0;
  const progress = setInterval(() => say({ received: seen.size }), 1_000);
  const take = ({ id, seq }: { id: string; seq: number }) => {
    if (!id.startsWith(`${run}.`)) return;
    const number = Number(id.slice(run.length + 1));
    const before = seen.get(number);
    if (before === undefined) seen.set(number, seq);
    else if (before === seq) redelivered += 1;
    else twice.add(number);
  };
  await client.consume(stream, durable, take, ending.signal);
  clearInterval(progress);
  say({ received: seen.size, redelivered, twice: formatIds(twice), ids: formatIds(new Set(seen.keys())) });
}

const [run = "", mode, first = "", second = ""] = process.argv.slice(2);
const { servers, inboxPrefix } = JSON.parse(readFileSync(`${FILES}/nats.json`, "utf8"));
const tls = String(servers[0]).startsWith("tls://") ? { tls: { ca: `${FILES}/ca.crt` } } : {};
const client = await openService({ servers, inboxPrefix, nkeyFile: `${FILES}/nats.nk`, timeout: TIMEOUT, ...tls });
await (mode === "publish" ? publish(client, first, Number(second)) : consume(client, first, second));
await client[Symbol.asyncDispose]();
process.exit();
