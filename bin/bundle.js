/** Bundles the sources for bin/circl. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/** Bundles kept for the branches and edits that one goes back and forth between; each is 2 to 3 MB. */
const KEPT = 5;
/** A process that started from an older bundle may still load a command from it. */
const STILL_IN_USE = 60 * 60 * 1000;

/**
 * Bundles src/cli/main.ts into `folder`, one chunk per lazily loaded command. It appears there by rename, whole or not at
 * all, so that processes starting at the same time never see half of it.
 *
 * @param {string} root the repository
 * @param {string} cache the folder that holds all bundles
 * @param {string} folder where this bundle belongs, in `cache`
 * @returns {Promise<boolean>} false where the sources do not parse; esbuild has said so then
 */
export async function bundle(root, cache, folder) {
  mkdirSync(cache, { recursive: true });
  const fresh = join(cache, `new-${randomUUID()}`);
  try {
    await build({
      absWorkingDir: root,
      entryPoints: { main: "src/cli/main.ts" },
      outdir: fresh,
      // Below node_modules there is no package.json to say that .js is a module.
      outExtension: { ".js": ".mjs" },
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node20",
      // Half the text to parse, measured as 5 % of a synth; shorter names gain nothing and would spoil stacks.
      minifyWhitespace: true,
      minifySyntax: true,
      // The type checker's settings are none of the bundler's business.
      tsconfigRaw: "{}",
      // For the stack of an unexpected error; nobody reads the maps otherwise.
      sourcemap: true,
      sourcesContent: false,
      legalComments: "none",
      logLevel: "warning",
      // What CommonJS packages expect to find.
      plugins: [typedObjectsOnly],
      banner: {
        js: 'import { createRequire as _require } from "node:module"; const require = _require(import.meta.url);',
      },
    });
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    const { code, errors } = /** @type {{ code?: string, errors?: unknown }} */ (error);
    if (errors) {
      if (process.env.CDK8S_OUTDIR) console.error(deleted);
      return false;
    }
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
  prune(cache);
  return true;
}

/**
 * We use the typed objects of cdk8s-plus and none of its classes above them, which take 10 ms of every run to load.
 * @type {import("esbuild").Plugin}
 */
const typedObjectsOnly = {
  name: "typed-objects-only",
  setup(builder) {
    builder.onResolve({ filter: /^cdk8s-plus-28$/ }, ({ path }) => ({ path, namespace: "typed-objects-only" }));
    builder.onLoad({ filter: /.*/, namespace: "typed-objects-only" }, () => ({
      contents: 'export * as k8s from "cdk8s-plus-28/lib/imports/k8s";',
      resolveDir: import.meta.dirname,
    }));
  },
};

/** `cdk8s synth` deletes its output folder before it runs the app. */
const deleted =
  "`cdk8s synth` has deleted its output folder. For dist: `git checkout -- dist`, or `npm run synth` once this is mended.";

/** @param {string} cache */
function prune(cache) {
  const bundles = readdirSync(cache)
    .map((name) => ({
      path: join(cache, name),
      made: statSync(join(cache, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }))
    .sort((a, b) => b.made - a.made);
  for (const { path, made } of bundles.slice(KEPT)) {
    if (Date.now() - made > STILL_IN_USE) rmSync(path, { recursive: true, force: true });
  }
}
