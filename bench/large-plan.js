/**
 * What a plan of very many streams takes in memory: the streams are made in another process, and the peak is that of one which
 * does nothing but plan.
 *
 *     node bench/large-plan.js [streams]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "./bundle.js";
import { startCluster } from "./cluster.js";

const amount = Number(process.argv[2] ?? 10_000);
const folder = mkdtempSync(join(tmpdir(), "circl-bench-"));
await bundle("bench/large-plan-run.ts", join(folder, "run.mjs"));
const cluster = await startCluster("circl-production");
/** @param {"create" | "plan"} what */
const run = (what) => {
  const args = [join(folder, "run.mjs"), what, String(amount), ...cluster.urls];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
};
try {
  run("create");
  console.log(`plan of ${amount} streams, one replica each, three servers: ${run("plan")}`);
} finally {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}
