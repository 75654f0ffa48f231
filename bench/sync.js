/**
 * What plan and apply cost beside the raw requests that they need, on three servers of this machine. The figures of one run
 * are compared with each other and with nothing else: exit code 1 where apply or plan takes more than it may.
 *
 *     node bench/sync.js [streams]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findTool } from "../tools/build.js";
import { bundle } from "./bundle.js";
import { startCluster } from "./cluster.js";
import { table } from "./measure.js";

const amount = Number(process.argv[2] ?? 1_000);
/** What apply may take of the best raw creates, and plan of the raw LIST pages. */
const MOST = { apply: 1.3, plan: 1.5 };
/** Streams that the nats command is timed on: it makes one a run, so more of them only take longer. */
const BY_COMMAND = 20;

/**
 * Milliseconds a stream by the nats command in a loop, as scripts do it; undefined where it is not built.
 * @param {string | undefined} server
 */
async function byCommand(server) {
  const path = await findTool("nats-cli");
  if (!path || !server) return undefined;
  const start = performance.now();
  for (let i = 0; i < BY_COMMAND; i++) {
    const name = `cli_${i}`;
    const config = {
      name,
      subjects: [`cli.${i}.>`],
      retention: "limits",
      storage: "file",
      num_replicas: 3,
      max_age: 86_400e9,
    };
    const file = join(folder, `${name}.json`);
    writeFileSync(
      file,
      JSON.stringify({ max_msgs: -1, max_bytes: 1_048_576, max_consumers: -1, discard: "old", ...config }),
    );
    const args = ["--server", server, "stream", "add", name, "--config", file];
    const { status, stderr } = spawnSync(path, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  }
  return (performance.now() - start) / BY_COMMAND;
}

const folder = mkdtempSync(join(tmpdir(), "circl-bench-"));
await bundle("bench/sync-run.ts", join(folder, "run.mjs"));
const cluster = await startCluster("circl-production");
try {
  const args = [join(folder, "run.mjs"), String(amount), ...cluster.urls];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const result = /** @type {Record<string, number>} */ (JSON.parse(stdout));
  const {
    create1 = 0,
    create8 = 0,
    create16 = 0,
    create32 = 0,
    apply = 0,
    lists = 0,
    plan = 0,
    residentMiB = 0,
  } = result;
  const command = await byCommand(cluster.urls[0]);
  const best = Math.min(create8, create16, create32);
  const ratios = { apply: apply / best, plan: plan / lists };
  const ms = (/** @type {number} */ figure) => figure.toFixed(0);
  console.log(`${amount} R3 streams with ${amount * 2} consumers, three servers, Node ${process.version}\n`);
  console.log(
    table(
      ["", "ms", "ratio"],
      [
        ["raw creates, one after the other (100 timed at most)", ms(create1), `${(create1 / best).toFixed(1)}x`],
        ["raw creates, 8 in flight", ms(create8), ""],
        ["raw creates, 16 in flight", ms(create16), ""],
        ["raw creates, 32 in flight", ms(create32), ""],
        ["apply of the streams", ms(apply), `${ratios.apply.toFixed(2)}x the best of these`],
        ...(command === undefined
          ? []
          : [
              [
                `nats stream add in a loop (${BY_COMMAND} timed)`,
                ms(command * amount),
                `${((command * amount) / best).toFixed(1)}x`,
              ],
            ]),
        ["raw LIST pages", ms(lists), ""],
        ["plan of streams and consumers", ms(plan), `${ratios.plan.toFixed(2)}x`],
      ],
    ),
  );
  for (const [what, most] of /** @type {["apply" | "plan", number][]} */ (Object.entries(MOST))) {
    if (ratios[what] <= most) continue;
    console.error(`${what} takes ${ratios[what].toFixed(2)}x, and may take ${most}x`);
    process.exitCode = 1;
  }
  console.log(`\nat the end the process holds ${ms(residentMiB)} MiB (its peak: npm run bench:large-plan)`);
} finally {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}
