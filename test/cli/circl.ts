/** bin/circl as users run it, in this repository or in a copy that a test may spoil. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Place {
  /** @default this repository */
  readonly root?: string;
  /** @default the root */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export const circl = (args: readonly string[], { root: from = root, ...place }: Place = {}): Promise<Outcome> =>
  runNode([join(from, "bin/circl"), ...args], { cwd: from, ...place });

/** Runs Node with `args`. Never fails: what came of it is the outcome. */
export const runNode = (args: readonly string[], place?: Omit<Place, "root">): Promise<Outcome> =>
  runProgram(process.execPath, args, place);

/** Runs `program`. Never fails: what came of it is the outcome. */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd = root, env = {} }: Omit<Place, "root"> = {},
): Promise<Outcome> {
  const { FORCE_COLOR: _, NO_COLOR: __, CDK8S_OUTDIR: ___, ...inherited } = process.env;
  return new Promise((done) => {
    const child = execFile(program, args, { cwd, env: { ...inherited, ...env } }, (_error, stdout, stderr) =>
      done({ code: child.exitCode, stdout, stderr }),
    );
  });
}

/** A folder that goes when the test ends: `using folder = temporaryFolder()`. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "circl-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A copy of the repository with a cache of its own; its packages are links to the real ones. */
export function repositoryCopy(): { readonly path: string } & Disposable {
  const copy = temporaryFolder();
  for (const name of ["bin", "environments", "src", "streams", "package.json", "package-lock.json"]) {
    cpSync(join(root, name), join(copy.path, name), { recursive: true });
  }
  mkdirSync(join(copy.path, "node_modules"));
  for (const name of readdirSync(join(root, "node_modules")).filter((entry) => !entry.startsWith("."))) {
    symlinkSync(join(root, "node_modules", name), join(copy.path, "node_modules", name));
  }
  return copy;
}

/** Every file below `folder` with its content. */
export const contentOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [file.slice(folder.length + 1), readFileSync(file, "utf8")]),
  );
