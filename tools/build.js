#!/usr/bin/env node
/**
 * Finds or builds the programs that tests run. Each is pinned by the go.mod and go.sum of its own folder here: versions of
 * one program cannot share a module, and one program's replaces must not reach another's.
 */
import { realpathSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { goBuild } from "./go.js";
import { lock } from "./lock.js";
import {
  binaryPath,
  isFresh,
  isProgram,
  output,
  reportedVersion,
  stampOf,
  stampPath,
  toolNamed,
  tools,
} from "./tool.js";

export { crdFiles } from "./go.js";

const help = `node tools/build.js [name...]   find or build these tools (all, without a name) and print where they are
  --list   only look, build nothing
  --help   this text
A tool is taken from its variable, from .tools/bin if it was built from the sources of now, or from PATH if it reports
the pinned version; else it is built, which takes Go and minutes. Exit code 1 if one is missing, 64 for wrong usage.

Tools and their variables:
${Object.entries(tools)
  .map(([name, { variable }]) => `  ${name.padEnd(25)}${variable}`)
  .join("\n")}
`;

/**
 * Path of a tool that is there already: from its variable, .tools/bin, or PATH where it reports the pinned version.
 * Throws where the variable names no program: anything else would test another program than was asked for.
 * @param {string} name @returns {Promise<string | undefined>}
 */
export async function findTool(name) {
  const tool = toolNamed(name);
  const named = process.env[tool.variable];
  if (named && !(await isProgram(named))) throw new Error(`${tool.variable}=${named} is no absolute path of a program`);
  if (named) return named;
  if (await isFresh(name)) return binaryPath(name);
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, tool.binary);
    if ((await reportedVersion(tool, path)) === tool.version) return path;
  }
  return undefined;
}

/**
 * Builds a tool into .tools/bin, unless it is there from the same sources, and returns its path.
 * Throws what Go said and the way out.
 * @param {string} name @returns {Promise<string>}
 */
export async function buildTool(name) {
  const tool = toolNamed(name);
  const path = binaryPath(name);
  const draft = `${path}.${process.pid}`;
  await mkdir(join(output, "bin"), { recursive: true });
  const unlock = await lock(join(output, `${name}.lock`), (pid) => say(`process ${pid} builds ${name}: waiting\n`));
  try {
    if (await isFresh(name)) return path;
    const stamp = await stampOf(tool);
    const start = Date.now();
    say(`building ${name} ${tool.version} ... `);
    await goBuild(tool, draft);
    const version = tool.report ? await reportedVersion(tool, draft) : tool.version;
    if (version !== tool.version) {
      throw new Error(`it reports version ${version}: tools.json and ${tool.folder}/go.mod do not agree`);
    }
    await rename(draft, path);
    await writeFile(stampPath(name), stamp);
    say(`${Math.round((Date.now() - start) / 1000)} s\n`);
    return path;
  } catch (cause) {
    say("failed\n");
    throw new Error(`cannot build ${name} ${tool.version}: ${messageOf(cause)}`, { cause });
  } finally {
    await rm(draft, { force: true });
    await unlock();
  }
}

/**
 * Finds each tool or, with `build`, builds it: one after the other, as a Go build takes all cores.
 * @param {readonly string[]} names @param {{ build?: boolean }} [options]
 */
export async function requireTools(names, { build = false } = {}) {
  /** @type {{ found: Record<string, string>, missing: Record<string, string> }} */
  const result = { found: {}, missing: {} };
  for (const name of names) {
    try {
      const path = (await findTool(name)) ?? (build ? await buildTool(name) : undefined);
      if (path) result.found[name] = path;
      else result.missing[name] = `not there; to build it: node tools/build.js ${name}`;
    } catch (error) {
      result.missing[name] = messageOf(error);
    }
  }
  return result;
}

/** The command. @param {string[]} args @returns {Promise<number>} exit code */
async function main(args) {
  const options = /** @type {const} */ ({ list: { type: "boolean" }, help: { type: "boolean", short: "h" } });
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(tools);
  names.forEach(toolNamed);
  const { found, missing } = await requireTools(names, { build: !values.list });
  for (const name of names) {
    const place = found[name] ?? `missing: ${missing[name]?.replaceAll("\n", "\n    ")}`;
    process.stdout.write(`${name.padEnd(25)}${toolNamed(name).version.padEnd(10)}${place}\n`);
  }
  return Object.keys(missing).length > 0 ? 1 : 0;
}

/** @param {string} text */
function say(text) {
  process.stderr.write(text);
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

// The real path: below a symbolic link to the checkout the two would differ, and the command would do nothing.
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2)).catch((error) => {
    say(`${messageOf(error)}\nsee node tools/build.js --help\n`);
    return 64;
  });
}
