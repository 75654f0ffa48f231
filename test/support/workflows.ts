/** The workflows and actions of this repository, and what would make them unsafe. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../../.github", import.meta.url));

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly permissions?: unknown;
  readonly "timeout-minutes"?: number;
}
interface Workflow {
  readonly on: string | Readonly<Record<string, unknown>>;
  readonly permissions?: unknown;
  readonly jobs?: Readonly<Record<string, Job>>;
  /** Of a composite action. */
  readonly runs?: { readonly steps: readonly Step[] };
}

/** Text of every workflow and action, by its path below .github. */
export const workflows: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.ya?ml$/.test(file) && file !== "dependabot.yml")
    .map((file) => [file, readFileSync(join(root, file), "utf8")]),
);

/** Lines that a step runs, of all workflows. */
export const commandsOf = (text: string): string[] =>
  stepsOf(parse(text)).flatMap(({ run = "" }) => run.split("\n").map((line) => line.trim()));

const stepsOf = ({ jobs = {}, runs }: Workflow): Step[] => [
  ...Object.values(jobs).flatMap(({ steps = [] }) => steps),
  ...(runs?.steps ?? []),
];

/** Everything that is unsafe in a workflow or a composite action, in words. */
export function faultsOfWorkflow(text: string): string[] {
  const workflow = parse(text) as Workflow;
  const { on, jobs = {}, permissions, runs } = workflow;
  const faults: string[] = [];
  const events = typeof on === "string" ? [on] : Object.keys(on ?? {});
  if (events.includes("pull_request_target"))
    faults.push("pull_request_target runs a fork's pull request with our rights");
  // What a workflow does not say is what the repository's settings say, which may be everything.
  if (!runs && JSON.stringify(permissions) !== "{}")
    faults.push("the workflow itself has permissions, or does not say {}");
  for (const [name, job] of Object.entries(jobs)) {
    if (job.permissions === undefined || typeof job.permissions === "string")
      faults.push(`${name}: no permissions of its own`);
    if (!job.uses && job["timeout-minutes"] === undefined) faults.push(`${name}: no timeout`);
  }
  for (const { uses = "", run = "", with: inputs } of [...Object.values(jobs), ...stepsOf(workflow)] as Step[]) {
    if (uses !== "" && !uses.startsWith("./")) {
      if (!/^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(uses)) faults.push(`${uses} is not pinned to a commit`);
      // A number that people can read, and that Dependabot brings up to date.
      else if (!new RegExp(`uses: ${uses} # v\\d+\\.\\d+\\.\\d+$`, "m").test(text))
        faults.push(`${uses} does not say its version`);
    }
    if (uses.startsWith("actions/checkout@") && inputs?.["persist-credentials"] !== false)
      faults.push("a checkout leaves its token in .git");
    if (inputs?.["allow-unsafe-pr-checkout"] !== undefined)
      faults.push("a checkout takes a fork's code with our rights");
    for (const [expression] of run.matchAll(/\$\{\{[^}]*\}\}/g)) faults.push(`${expression} becomes part of a script`);
  }
  return faults;
}
