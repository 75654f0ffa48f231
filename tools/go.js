/** Runs Go: builds a tool's package, and finds the folders of the module cache that hold custom resource definitions. */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sourceFolder } from "./tool.js";

/** Static binaries without a C compiler, and no workspace file of a folder above. */
const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off" };
const crdModule = fileURLToPath(new URL("./crds", import.meta.url));

/** Where each project keeps its CRDs; the versions are in crds/go.mod. */
const crdFolders = {
  "cert-manager": { module: "github.com/cert-manager/cert-manager", folder: "deploy/crds" },
  "external-secrets": { module: "github.com/external-secrets/external-secrets", folder: "config/crds/bases" },
  "prometheus-operator": {
    module: "github.com/prometheus-operator/prometheus-operator",
    folder: "example/prometheus-operator-crd",
  },
};

/**
 * Builds a tool to `path`. Throws what Go said and what to do about it.
 * @param {import("./tool.js").Tool} tool @param {string} path
 */
export async function goBuild(tool, path) {
  // Without VCS stamps: Go would fail where Git does not trust the folder, as in CI containers.
  const args = ["build", "-trimpath", "-buildvcs=false", "-o", path];
  if (tool.ldflags) args.push("-ldflags", tool.ldflags.replaceAll("{version}", tool.version));
  const options = { cwd: sourceFolder(tool), env, maxBuffer: 64 * 1024 * 1024 };
  await promisify(execFile)("go", [...args, tool.package], options).catch((cause) => {
    throw new Error(`${whatGoSaid(cause, cause.stderr)}\n${wayOut(tool)}`, { cause });
  });
}

/**
 * The folder with a project's CRDs, in Go's module cache; downloads the module when it is not there. The folder holds some
 * files that are no CRD (kustomization.yaml, README.md).
 * @param {keyof typeof crdFolders} project
 */
export function crdFolder(project) {
  const { module, folder } = crdFolders[project];
  const version = readFileSync(join(crdModule, "go.mod"), "utf8").split(`\t${module} `)[1]?.split(/\s/)[0];
  const args = ["mod", "download", "-json", `${module}@${version}`];
  const { error, stdout, stderr } = spawnSync("go", args, { cwd: crdModule, env, encoding: "utf8" });
  const answer = stdout ? JSON.parse(stdout) : {};
  if (answer.Dir) return join(answer.Dir, folder);
  throw new Error(`no CRDs of ${project} ${version}: ${answer.Error ?? whatGoSaid(error, stderr)}`, { cause: error });
}

/** @param {NodeJS.ErrnoException | undefined} error @param {string | null | undefined} stderr */
function whatGoSaid(error, stderr) {
  if (error?.code === "ENOENT") return 'there is no "go" on PATH';
  const lines = (stderr ?? "").split("\n").filter((line) => line && !line.startsWith("go: downloading "));
  return lines.join("\n") || String(error);
}

/** @param {import("./tool.js").Tool} tool */
function wayOut({ binary, folder, variable, version }) {
  const atLeast = /^go (\S+)/m.exec(readFileSync(join(crdModule, "..", folder, "go.mod"), "utf8"))?.[1];
  const own = version === "own" ? "" : ` ${version}`;
  return `Install Go ${atLeast} or newer and let it reach a module proxy, or set ${variable} to the path of ${binary}${own}.`;
}
