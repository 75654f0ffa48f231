/**
 * What a synth of all environments costs against Node's own start, the cdk8s CLI and, where given, kustomize and Helm; and
 * whether check and build grow in step with the number of streams.
 *
 *     npm run bench:synth [-- RUNS]
 *     KUSTOMIZE=kustomize HELM=helm NATS_CHART=./nats npm run bench:synth
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { bundle } from "./bundle.js";
import { median, peakMemory, table } from "./measure.js";

const runs = Number(process.argv[2] ?? 15);
const root = dirname(import.meta.dirname);
const [KUSTOMIZE, HELM, NATS_CHART] = ["KUSTOMIZE", "HELM", "NATS_CHART"].map((name) => {
  const given = process.env[name];
  // Everything runs in the copy below, so a path has to be absolute; a bare name is looked up in PATH.
  return given?.includes("/") ? resolve(given) : given;
});

// A copy with a cache of its own, so that emptying it disturbs nobody.
const copy = mkdtempSync(join(tmpdir(), "circl-bench-"));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
for (const name of ["bin", "environments", "src", "streams", "package.json", "package-lock.json", "cdk8s.yaml"]) {
  cpSync(join(root, name), join(copy, name), { recursive: true });
}
mkdirSync(join(copy, "node_modules"));
for (const name of readdirSync(join(root, "node_modules")).filter((entry) => entry !== ".cache")) {
  symlinkSync(join(root, "node_modules", name), join(copy, "node_modules", name));
}
const out = join(copy, "out");

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {string} program
 * @property {readonly string[]} args
 * @property {() => void} [before] not timed
 */
/** @type {Contender[]} */
const contenders = [
  { name: "node -e 0", program: process.execPath, args: ["-e", "0"] },
  { name: "bin/circl --help", program: process.execPath, args: ["bin/circl", "--help"] },
  { name: "bin/circl check", program: process.execPath, args: ["bin/circl", "check"] },
  { name: "bin/circl synth", program: process.execPath, args: ["bin/circl", "synth", "--out", out] },
  {
    name: "bin/circl synth, after an edit",
    program: process.execPath,
    args: ["bin/circl", "synth", "--out", out],
    before: () => rmSync(join(copy, "node_modules/.cache"), { recursive: true, force: true }),
  },
  { name: "cdk8s synth", program: process.execPath, args: ["node_modules/.bin/cdk8s", "synth"] },
  ...(KUSTOMIZE
    ? [
        {
          name: "kustomize build, each",
          program: "sh",
          args: ["-c", `for e in ${out}/*; do ${KUSTOMIZE} build $e; done`],
        },
      ]
    : []),
  ...(HELM && NATS_CHART
    ? [{ name: "helm template, NATS alone, once", program: HELM, args: ["template", "nats", NATS_CHART] }]
    : []),
];
const options = { cwd: copy, env: { ...process.env, CDK8S_CHECK_UPGRADE: "false" } };

/** @param {Contender} contender @returns {number} milliseconds */
function time({ name, program, args, before }) {
  before?.();
  const start = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(program, args, { ...options, maxBuffer: 1e9 });
  const took = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== 0) throw new Error(`${name} failed: ${error ?? stderr}`);
  return took;
}

/** @type {number[][]} */
const times = contenders.map(() => []);
// Turn by turn, so that a busy moment of the machine hits all alike; the first round only warms caches.
for (let run = 0; run <= runs; run++) {
  for (const [i, contender] of contenders.entries()) {
    const took = time(contender);
    if (run > 0) times[i]?.push(took);
  }
}
const floor = median(times[0] ?? []);
const rows = [];
for (const [i, contender] of contenders.entries()) {
  const sorted = (times[i] ?? []).sort((a, b) => a - b);
  contender.before?.();
  const memory = await peakMemory(contender.program, contender.args, options);
  rows.push([
    contender.name,
    median(sorted).toFixed(0),
    `${sorted[0]?.toFixed(0)} to ${sorted.at(-1)?.toFixed(0)}`,
    `${(median(sorted) / floor).toFixed(1)}x`,
    memory ? memory.toFixed(0) : "?",
  ]);
}
console.log(`All environments, ${runs} runs each, Node ${process.version}\n`);
console.log(table(["", "median ms", "range", "of node -e 0", "peak MiB"], rows));

await bundle("bench/growth.ts", join(copy, "growth/growth.mjs"));
const growth = [];
for (const streams of [10, 100, 1_000]) {
  const program = [join(copy, "growth/growth.mjs"), String(streams)];
  const results = Array.from({ length: Math.ceil(runs / 3) }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, program, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${streams} streams failed: ${stderr}`);
    return /** @type {{ took: number, errors: number }} */ (JSON.parse(stdout));
  });
  const took = median(results.map((result) => result.took));
  const memory = await peakMemory(process.execPath, program, options);
  growth.push([
    String(streams),
    took.toFixed(0),
    ((took / streams) * 1000).toFixed(0),
    memory ? memory.toFixed(0) : "?",
    String(results[0]?.errors),
  ]);
}
console.log("\nCheck and build of production with generated streams, one process each\n");
console.log(table(["streams", "median ms", "us a stream", "peak MiB", "errors"], growth));
