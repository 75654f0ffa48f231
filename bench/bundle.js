/** Bundles TypeScript of a benchmark so that Node 20 runs it. */
import { dirname } from "node:path";
import { build } from "esbuild";

/**
 * @param {string} entry file in this repository
 * @param {string} outfile
 */
export const bundle = (entry, outfile) =>
  build({
    absWorkingDir: dirname(import.meta.dirname),
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    tsconfigRaw: "{}",
    // What CommonJS packages expect to find.
    banner: {
      js: 'import { createRequire as _require } from "node:module"; const require = _require(import.meta.url);',
    },
  });
