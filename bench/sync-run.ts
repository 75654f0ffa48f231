/**
 * Applies and plans generated streams on the cluster that the arguments name; bench/sync.js bundles and runs this. Each figure is
 * the best of several rounds, taken turn by turn: what else the machine does then hits all of them alike.
 */
import { connect } from "nats";
import { definitions } from "../src/cli/definitions.ts";
import { openReader, openWriter } from "../src/connect/nats.ts";
import { apply } from "../src/jetstream/apply.ts";
import { desiredState } from "../src/jetstream/desired.ts";
import { type Plan, plan } from "../src/jetstream/plan.ts";
import { resolveModel } from "../src/model/resolve.ts";
import type { StreamInput } from "../src/model/stream.ts";
import { streams as sync } from "../streams/sync.ts";

const [amount, ...servers] = [Number(process.argv[2]), ...process.argv.slice(3)];
const CREATE_ROUNDS = 2;
const PLAN_ROUNDS = 7;
const SAMPLE = Math.min(amount, 100);
const target = { servers, timeout: 20_000 };
const streams = Array.from(
  { length: amount },
  (_, i): StreamInput => ({
    name: `bench_${i}`,
    subjects: [`bench.${i}.>`],
    replicas: 3,
    maxBytes: "1MiB",
    maxAge: "1d",
    consumers: [
      { name: "bff", service: "bff", ackPolicy: "explicit", ackWait: "30s", maxDeliver: 3 },
      {
        name: "oms",
        service: "oms",
        ackPolicy: "explicit",
        ackWait: "30s",
        filterSubject: `bench.${i}.a`,
        maxDeliver: 3,
      },
    ],
  }),
);
const { model, faults } = resolveModel("production", { ...definitions, streams: { bench: [...sync, ...streams] } });
if (!model) throw new Error(JSON.stringify(faults));
const alone = { ...model, streams: model.streams.map((stream) => ({ ...stream, consumers: [] })) };
const now = Date.now() * 1e6;
const policy = () => [];
const timed = async <T>(work: () => Promise<T>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

const raw = await connect({ servers, timeout: 20_000 });
const ask = async (subject: string, body: object = {}) => {
  const reply = (await raw.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 20_000 })).json<{
    error?: { description: string };
    total?: number;
  }>();
  if (reply.error) throw new Error(`${subject}: ${reply.error.description}`);
  return reply;
};
const inFlight = async <T>(limit: number, items: readonly T[], work: (item: T) => Promise<unknown>) => {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
};

const wanted = desiredState(alone).streams;
const result: Record<string, number> = {};
const best = async (what: string, work: () => Promise<unknown>): Promise<void> => {
  result[what] = Math.min(result[what] ?? Number.POSITIVE_INFINITY, await timed(work));
};
const emptied = () => inFlight(16, wanted, ({ name }) => ask(`STREAM.DELETE.${name}`));
{
  await using writer = await openWriter(target);
  const options = { holder: "bench", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 120_000 };
  const applied = async (planned: Plan) => {
    const { failed } = await apply(planned, writer, options);
    if (failed[0]) throw failed[0].error;
  };
  for (let round = 0; round < CREATE_ROUNDS; round++) {
    for (const limit of [8, 16, 32]) {
      await best(`create${limit}`, () =>
        inFlight(limit, wanted, (config) => ask(`STREAM.CREATE.${config.name}`, config)),
      );
      await emptied();
    }
    // One after the other, as peers do it: per stream, on a sample, since all of them take minutes.
    const sample = wanted.slice(0, SAMPLE);
    await best("create1", () => inFlight(1, sample, (config) => ask(`STREAM.CREATE.${config.name}`, config)));
    await inFlight(16, sample, ({ name }) => ask(`STREAM.DELETE.${name}`));
    const planned = await plan(alone, writer, policy, now);
    await best("apply", () => applied(planned));
    if (round < CREATE_ROUNDS - 1) await emptied();
  }
  await applied(await plan(model, writer, policy, now));
}
const pages = (total: number) => Array.from({ length: Math.ceil(total / 256) }, (_, i) => i * 256);
{
  await using reader = await openReader(target);
  for (let round = 0; round < PLAN_ROUNDS; round++) {
    await best("lists", async () => {
      await Promise.all(pages(amount + 1).map((offset) => ask("STREAM.LIST", { offset })));
      await inFlight(16, wanted, ({ name }) => ask(`CONSUMER.LIST.${name}`, { offset: 0 }));
    });
    await best("plan", async () => {
      const { summary } = await plan(model, reader, policy, now);
      if (summary.unchanged !== amount * 3 + 1) throw new Error(`not in sync: ${JSON.stringify(summary)}`);
    });
  }
}
await raw.close();
result.create1 = ((result.create1 ?? 0) / SAMPLE) * amount;
result.residentMiB = process.memoryUsage().rss / 2 ** 20;
console.log(JSON.stringify(result));
