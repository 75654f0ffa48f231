/**
 * Real programs for tests. Vitest runs `setup` once: it finds or builds what the tests of this run need and says loudly what
 * is missing; `tool` gives a test the path, and tests of missing programs are skipped, or fail where CI is set.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { requireTools } from "../../tools/build.js";

declare module "vitest" {
  interface ProvidedContext {
    readonly tools: { readonly found: Record<string, string>; readonly missing: Record<string, string> };
  }
}

/** What each project of vitest.config.ts runs. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  core: ["nats-server", "tile38-server", "test-ca", "secret-template", "busybox"],
  validate: [
    "nats-server",
    "nats-server-2.12",
    "nats-server-2.15",
    "test-ca",
    "nats-cli",
    "secret-template",
    "kubectl-validate",
    "kube-linter",
    "kustomize",
  ],
  proof: ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"],
};

/** Programs that come with the system: any version will do, and none is built. */
const SYSTEM = ["busybox"];

export async function setup(project: TestProject): Promise<void> {
  const needed = NEEDED[project.name] ?? [];
  const tools = await requireTools(
    needed.filter((name) => !SYSTEM.includes(name)),
    { build: true },
  );
  for (const name of needed.filter((system) => SYSTEM.includes(system))) {
    const folder = (process.env.PATH ?? "").split(delimiter).find((candidate) => existsSync(join(candidate, name)));
    if (folder) tools.found[name] = join(folder, name);
    else tools.missing[name] = `install the package "${name}" of your system`;
  }
  for (const [name, reason] of Object.entries(tools.missing)) {
    process.stderr.write(
      `\nMISSING ${name}: its tests are ${mayBeMissing(name) ? "skipped" : "failing, because CI is set"}\n${reason}\n\n`,
    );
  }
  project.provide("tools", tools);
}

/**
 * With CI set a missing program is a failure, unless the run says itself that it goes without: a Go module proxy that does
 * not serve a module cannot be mended by a rerun.
 */
const mayBeMissing = (name: string): boolean =>
  !process.env.CI || (process.env.CIRCL_WITHOUT ?? "").split(",").includes(name);

/** Path of a program. @throws where it is missing, with the reason */
export function tool(name: string): string {
  const { found, missing } = inject("tools");
  const path = found[name];
  if (path) return path;
  throw new Error(`${name} is missing: ${missing[name] ?? `not named in ${import.meta.url}`}`);
}

/** Whether tests of these programs are skipped: use with `describe.skipIf`. */
export const without = (...names: string[]): boolean =>
  names.some((name) => inject("tools").found[name] === undefined && mayBeMissing(name));
