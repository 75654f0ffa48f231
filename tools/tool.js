/** What tools.json says of a tool, and what a binary of it tells: is it from these sources, which version is it. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { access, constants, readdir, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/**
 * `{version}` in `ldflags` stands for the version. `binary` is the name on PATH. Without `report` the program cannot tell
 * its version, and a copy on PATH is never taken.
 * @typedef {{ folder: string, package: string, version: string, binary: string, ldflags?: string,
 *   report?: { args: string[], pattern: string }, variable: string }} Tool
 */

const sources = fileURLToPath(new URL(".", import.meta.url));
export const output = fileURLToPath(new URL("../.tools/", import.meta.url));

/** @type {Readonly<Record<string, Tool>>} */
export const tools = JSON.parse(readFileSync(join(sources, "tools.json"), "utf8"));

/** @param {string} name @returns {Tool} */
export function toolNamed(name) {
  const tool = Object.hasOwn(tools, name) ? tools[name] : undefined;
  if (!tool) throw new Error(`there is no tool "${name}"; there are ${Object.keys(tools).join(", ")}`);
  return tool;
}

/** @param {Tool} tool */
export const sourceFolder = (tool) => join(sources, tool.folder);

/** @param {string} name */
export const binaryPath = (name) => join(output, "bin", name);

/** @param {string} name */
export const stampPath = (name) => join(output, `${name}.stamp`);

/**
 * What a binary was built from. The machine is part of it, as a checkout can be shared between two; Go's version is not,
 * as finding a tool must work without Go.
 * @param {Tool} tool
 */
export async function stampOf(tool) {
  const hash = createHash("sha256").update(JSON.stringify([tool, process.platform, process.arch]));
  for (const file of (await readdir(sourceFolder(tool))).sort()) {
    if (/^go\.(mod|sum)$|\.go$/.test(file)) hash.update(file).update(await readFile(join(sourceFolder(tool), file)));
  }
  return `${tool.version} ${hash.digest("hex")}\n`;
}

/** Whether .tools/bin has the tool, built from the sources of now. @param {string} name */
export async function isFresh(name) {
  if (!(await isProgram(binaryPath(name)))) return false;
  const stamp = await readFile(stampPath(name), "utf8").catch(() => undefined);
  return stamp === (await stampOf(toolNamed(name)));
}

/** @param {string} path */
export async function isProgram(path) {
  const executable = access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return isAbsolute(path) && (await executable) && (await stat(path)).isFile();
}

/**
 * The version that a binary reports, without "v"; undefined where it reports none.
 * @param {Tool} tool @param {string} path @returns {Promise<string | undefined>}
 */
export async function reportedVersion({ report }, path) {
  if (!report || !(await isProgram(path))) return undefined;
  // Away from the checkout and with a limit: a server too old to know the flag would start, and put its data here.
  const options = { cwd: tmpdir(), timeout: 10_000 };
  const said = await promisify(execFile)(path, report.args, options).catch((/** @type {unknown} */ error) => error);
  const { stdout = "", stderr = "" } = /** @type {{ stdout?: string, stderr?: string }} */ (said);
  return new RegExp(report.pattern, "m").exec(`${stdout}\n${stderr}`)?.[1];
}
