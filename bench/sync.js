/**
 * What plan and apply cost beside the raw requests that they need, on three servers of this machine. The figures of one run
 * are compared with each other and with nothing else.
 *
 *     node bench/sync.js [streams]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "./bundle.js";
import { startCluster } from "./cluster.js";
import { table } from "./measure.js";

const amount = Number(process.argv[2] ?? 1_000);
const folder = mkdtempSync(join(tmpdir(), "circl-bench-"));
await bundle("bench/sync-run.ts", join(folder, "run.mjs"));
const cluster = await startCluster("circl-production");
try {
  const args = [join(folder, "run.mjs"), String(amount), ...cluster.urls];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const result = /** @type {Record<string, number>} */ (JSON.parse(stdout));
  const { create8 = 0, create16 = 0, create32 = 0, apply = 0, lists = 0, plan = 0, residentMiB = 0 } = result;
  const best = Math.min(create8, create16, create32);
  const ms = (/** @type {number} */ figure) => figure.toFixed(0);
  console.log(`${amount} R3 streams with ${amount * 2} consumers, three servers, Node ${process.version}\n`);
  console.log(
    table(
      ["", "ms", "ratio"],
      [
        ["raw creates, 8 in flight", ms(create8), ""],
        ["raw creates, 16 in flight", ms(create16), ""],
        ["raw creates, 32 in flight", ms(create32), ""],
        ["apply of the streams", ms(apply), `${(apply / best).toFixed(2)}x the best of these`],
        ["raw LIST pages", ms(lists), ""],
        ["plan of streams and consumers", ms(plan), `${(plan / lists).toFixed(2)}x`],
      ],
    ),
  );
  console.log(`\npeak of the process: ${ms(residentMiB)} MiB resident`);
} finally {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}
