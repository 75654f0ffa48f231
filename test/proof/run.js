/**
 * Runs the proofs. With --short it leaves out test/proof/faults, which takes hours, test/proof/deploys, the deploys that replace pods,
 * and test/proof/command, which boots five times: what stays boots each environment, kills one server of it, rolls all of them and
 * deploys. Other arguments are vitest's.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const args = process.argv.slice(2);
const long = ["faults", "deploys", "command"].flatMap((folder) => ["--exclude", `test/proof/${folder}/**`]);
const short = args.includes("--short") ? long : [];
const others = args.filter((arg) => arg !== "--short");
const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const { status } = spawnSync(process.execPath, [vitest, "run", "--project", "proof", ...short, ...others], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
