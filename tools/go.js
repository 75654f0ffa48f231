/** Runs Go: builds a tool's package, and finds custom resource definitions in the module cache. */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sourceFolder } from "./tool.js";

/** Static binaries without a C compiler, and no workspace file of a folder above. */
const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off" };
const crdModule = fileURLToPath(new URL("./crds", import.meta.url));

/** Where each project keeps the CRDs of the kinds in dist; the versions are in crds/go.mod. */
const crds = [
  {
    module: "github.com/cert-manager/cert-manager",
    folder: "deploy/crds",
    files: ["cert-manager.io_certificates.yaml", "cert-manager.io_issuers.yaml"],
  },
  {
    module: "github.com/external-secrets/external-secrets",
    folder: "config/crds/bases",
    files: [
      "external-secrets.io_externalsecrets.yaml",
      "external-secrets.io_pushsecrets.yaml",
      "external-secrets.io_secretstores.yaml",
    ],
  },
  {
    module: "github.com/grafana/grafana-operator/v5",
    folder: "config/crd/bases",
    files: ["grafana.integreatly.org_grafanadashboards.yaml"],
  },
  {
    module: "github.com/prometheus-operator/prometheus-operator",
    folder: "example/prometheus-operator-crd",
    files: ["monitoring.coreos.com_servicemonitors.yaml", "monitoring.coreos.com_prometheusrules.yaml"],
  },
];

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

/** Paths of the CRDs of all kinds in dist, in Go's module cache; downloads the modules that are not there. */
export function crdFiles() {
  return crds.flatMap(({ module, folder, files }) => {
    const source = moduleFolder(module);
    return files.map((file) => join(source, folder, file));
  });
}

/** @param {string} module */
function moduleFolder(module) {
  const version = readFileSync(join(crdModule, "go.mod"), "utf8").split(`\t${module} `)[1]?.split(/\s/)[0];
  const args = ["mod", "download", "-json", `${module}@${version}`];
  const { error, stdout, stderr } = spawnSync("go", args, { cwd: crdModule, env, encoding: "utf8" });
  const answer = stdout ? JSON.parse(stdout) : {};
  if (answer.Dir) return /** @type {string} */ (answer.Dir);
  throw new Error(`no CRDs of ${module} ${version}: ${answer.Error ?? whatGoSaid(error, stderr)}`, { cause: error });
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
