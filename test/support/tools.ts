/**
 * Real programs for tests. Vitest runs `setup` once: it finds or builds what the tests of this run need and says loudly what
 * is missing; `tool` gives a test the path, and tests of missing programs are skipped, or fail where CI is set.
 */
import { delimiter, join } from "node:path";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { requireTools } from "../../tools/build.js";
import { isProgram, output } from "../../tools/tool.js";

declare module "vitest" {
  interface ProvidedContext {
    readonly tools: { readonly found: Record<string, string>; readonly missing: Record<string, string> };
  }
}

/** What each project of vitest.config.ts runs. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  core: ["nats-server", "tile38-server", "nats-exporter", "test-ca", "secret-template", "busybox", "promtool"],
  validate: [
    "nats-server",
    "nats-server-2.12",
    "nats-server-2.15",
    "test-ca",
    "nats-cli",
    "secret-template",
    "kubectl",
    "kubectl-validate",
    "kube-linter",
    "kustomize",
    "tile38-server",
    "nats-exporter",
    "busybox",
    "prometheus",
    "alertmanager",
    "actionlint",
    "shellcheck",
  ],
  volumes: ["nats-server", "test-ca"],
  proof: [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "nats-server",
    "nats-server-2.15",
    "nats-exporter",
    "config-reloader",
    "tile38-server",
    "test-ca",
    "secret-template",
    "busybox",
  ],
};

/** Programs that come with the system, by Debian package: none is built here, and any version will do that Debian still has. */
const SYSTEM: Readonly<Record<string, string>> = {
  busybox: "busybox",
  promtool: "prometheus",
  prometheus: "prometheus",
  shellcheck: "shellcheck",
};

export async function setup(project: TestProject): Promise<void> {
  const needed = NEEDED[project.name] ?? [];
  const tools = await requireTools(
    needed.filter((name) => !SYSTEM[name]),
    { build: true },
  );
  for (const name of needed.filter((other) => SYSTEM[other])) {
    const path = await findInSystem(name);
    if (path) tools.found[name] = path;
    else tools.missing[name] = `unpack Debian's package "${SYSTEM[name]}", or set ${variableOf(name)} to its path`;
  }
  for (const [name, reason] of Object.entries(tools.missing)) {
    process.stderr.write(
      `\nMISSING ${name}: its tests are ${mayBeMissing(name) ? "skipped" : "failing, because CI is set"}\n${reason}\n\n`,
    );
  }
  project.provide("tools", tools);
}

const variableOf = (name: string): string => `CIRCL_${name.toUpperCase()}`;

/** From its variable, .tools/bin or PATH. */
async function findInSystem(name: string): Promise<string | undefined> {
  const folders = [join(output, "bin"), ...(process.env.PATH ?? "").split(delimiter)];
  for (const path of [process.env[variableOf(name)] ?? "", ...folders.map((folder) => join(folder, name))]) {
    if (await isProgram(path)) return path;
  }
  return undefined;
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
