/** An error nobody expected, with a stack that names sources. */
import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { visible } from "./visible.ts";

/** Causes included. Paths are relative to the current folder. */
export const renderFailure = (error: unknown): string =>
  mapPositions(inspect(error)).split("\n").map(visible).join("\n");

/** `.../main.mjs:120:7` in the bundle -> `src/cli/main.ts:12:5`. Read only now, so that a good run pays nothing for it. */
const mapPositions = (stack: string): string =>
  stack.replace(/(file:\/\/[^\s)]+\.mjs):(\d+):(\d+)/g, (position, url: string, line: string, column: string) => {
    const file = fileURLToPath(url);
    if (!existsSync(`${file}.map`)) return position;
    const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")));
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
    if (!("originalSource" in entry)) return position;
    const source = relative(process.cwd(), resolve(dirname(file), entry.originalSource));
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
