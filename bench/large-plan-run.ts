/** Creates generated streams, or plans them; bench/large-plan.js bundles and runs this. */
import { definitions } from "../src/cli/definitions.ts";
import { openReader, openWriter } from "../src/connect/nats.ts";
import { desiredState } from "../src/jetstream/desired.ts";
import { inParallel } from "../src/jetstream/pager.ts";
import { plan } from "../src/jetstream/plan.ts";
import { resolveModel } from "../src/model/resolve.ts";
import type { StreamInput } from "../src/model/stream.ts";

const [what, amount, ...servers] = [process.argv[2], Number(process.argv[3]), ...process.argv.slice(4)];
const target = { servers, timeout: 60_000 };
const streams = Array.from(
  { length: amount },
  (_, i): StreamInput => ({
    name: `bench_${i}`,
    subjects: [`bench.${i}.>`],
    storage: "memory",
    maxMsgs: 1_000,
    maxAge: "1d",
  }),
);
const { model, faults } = resolveModel("production", { ...definitions, streams: { bench: streams } });
if (!model) throw new Error(JSON.stringify(faults));

if (what === "create") {
  await using writer = await openWriter(target);
  await inParallel(desiredState(model).streams, (config) =>
    writer.write("STREAM.CREATE", [String(config.name)], config),
  );
} else {
  await using reader = await openReader(target);
  const start = performance.now();
  const { summary } = await plan(model, reader, () => [], Date.now() * 1e6);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  if (summary.unchanged !== amount) throw new Error(`not in sync: ${JSON.stringify(summary)}`);
  console.log(`${seconds} s, peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB resident`);
}
