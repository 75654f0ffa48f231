/** Control planes for tests: the pinned programs, with the definitions of all kinds in dist. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { type ControlPlane, startControlPlane } from "../../src/proof/control-plane.ts";
import { CONTROL_PLANE } from "../../src/proof/control-plane-programs.ts";
import type { Kubectl } from "../../src/proof/kubectl.ts";
import type { Manifest } from "../../src/rules/manifests/manifest.ts";
import { crdFiles } from "../../tools/build.js";
import { tool } from "./tools.ts";

export const PROGRAMS = [...CONTROL_PLANE, "kubectl"] as const;

export const bootControlPlane = (): Promise<ControlPlane> =>
  startControlPlane({ paths: programPaths(), definitions: crdFiles() });

export const programPaths = () =>
  Object.fromEntries(PROGRAMS.map((name) => [name, tool(name)])) as Record<(typeof PROGRAMS)[number], string>;

/** Folder of an environment's manifests. */
export const distOf = (environment: string): string =>
  fileURLToPath(new URL(`../../dist/${environment}`, import.meta.url));

/** Objects of an environment as they lie in dist, in the order of their files. */
export const objectsInDist = (environment: string): Manifest[] =>
  readdirSync(distOf(environment))
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .flatMap((file) => parseAllDocuments(readFileSync(join(distOf(environment), file), "utf8")))
    .map((document) => document.toJS());

/** Objects that the API server has, by what `kubectl get` takes. */
export async function live<T = Manifest>(kubectl: Kubectl, ...what: readonly string[]): Promise<T[]> {
  // Files name the namespace of each object.
  const namespace = what.includes("--filename") ? [] : ["--namespace=circl-backbone"];
  const { items, ...one } = JSON.parse(await kubectl(["get", ...what, "--output=json", ...namespace]));
  return items ?? [one];
}

/**
 * Asks until the answer will do.
 *
 * @param what is waited for, in words
 * @param minutes how long: controllers of a busy machine are slow
 * @throws with what was waited for and the last answer
 */
export async function eventually<T>(
  ask: () => Promise<T>,
  willDo: (answer: T) => boolean,
  what = "an answer that will do",
  minutes = 3,
): Promise<T> {
  for (const end = Date.now() + minutes * 60_000; ; await sleep(250)) {
    const answer = await ask();
    if (willDo(answer)) return answer;
    if (Date.now() > end) throw new Error(`waited ${minutes} min for ${what}: still ${JSON.stringify(answer)}`);
  }
}
