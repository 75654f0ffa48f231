/** Stream files that a command printed, as a user would take them in. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import type { StreamInput } from "../../src/model/stream.ts";
import { repositoryCopy, root, temporaryFolder } from "./circl.ts";

/** What a printed file exports, after a bundler has read it as a file of streams/. */
export async function evaluate(text: string): Promise<{ readonly streams: readonly StreamInput[] }> {
  const { outputFiles } = await build({
    stdin: { contents: text, resolveDir: join(root, "streams"), loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
  });
  using folder = temporaryFolder();
  const file = join(folder.path, "imported.mjs");
  writeFileSync(file, outputFiles[0]?.contents ?? "");
  return await import(file);
}

/** What the type checker says of the text as a file of streams/. */
export function typeErrors(text: string): string {
  using copy = repositoryCopy();
  writeFileSync(join(copy.path, "streams/imported.ts"), text);
  writeFileSync(
    join(copy.path, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.json"), include: ["streams/imported.ts"] }),
  );
  try {
    execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", copy.path], { encoding: "utf8" });
    return "";
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
