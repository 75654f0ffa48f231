/** What a proof takes: Linux, root, programs of the system, and the pinned ones that tools/build.js finds or builds. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Tools } from "./agent/images.ts";
import { CONTROL_PLANE } from "./control-plane-programs.ts";

/** Programs by the Debian package that has them. */
const SYSTEM: Readonly<Record<string, string>> = {
  busybox: "busybox",
  ip: "iproute2",
  nft: "nftables",
  openssl: "openssl",
  hostname: "hostname",
  nsenter: "util-linux",
  setpriv: "util-linux",
  unshare: "util-linux",
};
const PINNED = [
  ...CONTROL_PLANE,
  "kubectl",
  "nats-server",
  "nats-exporter",
  "config-reloader",
  "tile38-server",
  "secret-template",
] as const;

export interface Programs {
  readonly paths: Readonly<Record<(typeof CONTROL_PLANE)[number] | "kubectl", string>>;
  readonly tools: Tools;
  /** Files with the definitions of all kinds that dist uses. */
  readonly definitions: readonly string[];
}

/** The parts of tools/build.js and tools/tool.js that are used here. */
interface Builder {
  readonly requireTools: (
    names: readonly string[],
    options: { readonly build: boolean },
  ) => Promise<{ readonly found: Record<string, string>; readonly missing: Record<string, string> }>;
  readonly crdFiles: () => readonly string[];
}
interface Pins {
  readonly tools: Readonly<Record<string, { readonly version: string }>>;
}

/** Why a proof cannot run here; the message names everything that is missing, and where it comes from. */
export class CannotProve extends Error {
  override readonly name = "CannotProve";
}

/**
 * Finds every program, and builds the pinned ones that are missing, which takes Go and some minutes once.
 *
 * @param root the repository's folder
 * @throws CannotProve
 */
export async function findPrograms(root: string): Promise<Programs> {
  const load = (file: string) => import(pathToFileURL(join(root, "tools", file)).href);
  const refusals = [
    ...(process.platform === "linux" ? [] : [`it takes Linux, and this is ${process.platform}`]),
    ...(process.getuid?.() === 0 ? [] : ["it takes root: it makes network and mount namespaces"]),
  ];
  if (refusals.length > 0) throw new CannotProve(`no proof can run here: ${refusals.join("; ")}`);
  const system: Record<string, string | undefined> = { node: process.execPath };
  for (const name of Object.keys(SYSTEM)) system[name] = inPath(name);
  const packages = Object.keys(SYSTEM).flatMap((name) => (system[name] ? [] : (SYSTEM[name] ?? [])));
  if (packages.length > 0) {
    throw new CannotProve(`programs are missing. On Debian: apt-get install ${[...new Set(packages)].join(" ")}`);
  }
  const { requireTools, crdFiles }: Builder = await load("build.js");
  const { tools }: Pins = await load("tool.js");
  const { found, missing } = await requireTools(PINNED, { build: true });
  const reasons = Object.entries(missing).map(([name, reason]) => `- ${name}: ${reason}`);
  if (reasons.length > 0) throw new CannotProve(`programs are missing:\n${reasons.join("\n")}`);
  const pathOf = (name: string): string => {
    const path = found[name] ?? system[name];
    if (path === undefined) throw new CannotProve(`${name} is not among the programs of a proof`);
    return path;
  };
  const paths = Object.fromEntries([...CONTROL_PLANE, "kubectl"].map((name) => [name, pathOf(name)]));
  return {
    paths: paths as Programs["paths"],
    tools: { pathOf, versionOf: (name) => tools[name]?.version },
    definitions: crdFiles(),
  };
}

function inPath(name: string): string | undefined {
  // Of a user's PATH alone the folders of the administrator may be missing.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
