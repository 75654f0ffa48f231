/** Environments for tests: booted on a control plane and nodes of their own, with credentials made for them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeEverything } from "../../src/identity/keeper.ts";
import { memoryStore } from "../../src/identity/store.ts";
import { CLIENT_NAMESPACE_LABEL } from "../../src/kubernetes/names.ts";
import type { Model } from "../../src/model/resolve.ts";
import type { Tools } from "../../src/proof/agent/images.ts";
import { type BootInput, bootEnvironment } from "../../src/proof/environment.ts";
import { startTogether } from "../../src/proof/parts.ts";
import type { Subject } from "../../src/proof/smoke.ts";
import { crdFiles } from "../../tools/build.js";
import { tools as pins } from "../../tools/tool.js";
import { distOf, PROGRAMS, programPaths } from "./control-plane.ts";
import { realModel } from "./definitions.ts";
import { tool, without } from "./tools.ts";

/** What stands for the images of dist, and renders its secrets. */
const IN_PODS = [
  "nats-server",
  "nats-exporter",
  "config-reloader",
  "tile38-server",
  "secret-template",
  "busybox",
] as const;

/** Namespaces take Linux and root. Without them it says so, and with CI set the tests run all the same, and fail. */
export function mayBoot(): boolean {
  const may = process.platform === "linux" && process.getuid?.() === 0;
  if (!may)
    process.stderr.write("\nMISSING root on Linux: what boots an environment is skipped, or fails where CI is set\n");
  return may || Boolean(process.env.CI);
}

/** Whether this machine cannot boot an environment; it says so itself. @param more programs that a test takes beside */
export const cannotBoot = (...more: readonly string[]): boolean =>
  without(...PROGRAMS, ...IN_PODS, ...more) || !mayBoot();

export interface Booted extends Subject, AsyncDisposable {}

/** Programs of pods: the pinned ones, and the Node that runs this. */
export const podTools: Tools = {
  pathOf: (name) => (name === "node" ? process.execPath : tool(name)),
  versionOf: (name) => (Object.hasOwn(pins, name) ? pins[name]?.version : undefined),
};

/** Boots dist of an environment; its pods may not be ready yet. */
export const bootReal = (environment: "staging" | "production"): Promise<Booted> =>
  bootModel(realModel(environment), () => distOf(environment));

/**
 * Boots an environment of a model; its pods may not be ready yet.
 *
 * @param manifestsIn where its manifests lie; they may be made in the folder that goes with the environment
 * @throws what a part of it says; nothing is left then
 */
export const bootModel = (
  model: Model,
  manifestsIn: (folder: string) => string,
  options: Pick<BootInput, "makeDisk" | "log"> = {},
): Promise<Booted> =>
  startTogether(async (parts) => {
    const { environment } = model;
    const documents = memoryStore();
    await makeEverything(model, documents);
    const folder = mkdtempSync(join(tmpdir(), "circl-proof-"));
    parts.use({ [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }) });
    const booted = parts.use(
      await bootEnvironment({
        paths: programPaths(),
        definitions: crdFiles(),
        tools: podTools,
        manifests: manifestsIn(folder),
        namespace: environment.kubernetes.namespace,
        clients: { namespaces: [environment.kubernetes.clientNamespace], label: CLIENT_NAMESPACE_LABEL },
        documents,
        ...options,
      }),
    );
    const root = fileURLToPath(new URL("../..", import.meta.url));
    return { model, booted, documents, folder, root, [Symbol.asyncDispose]: parts[Symbol.asyncDispose] };
  });
