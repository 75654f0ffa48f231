/** Who may talk to the API server of a control plane. All of it is made at its start and goes with its folder. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** User and groups of each account. RBAC gives the controller manager and the scheduler their rights by name. */
const ACCOUNTS = {
  admin: { user: "admin", groups: "system:masters" },
  "kube-controller-manager": { user: "system:kube-controller-manager", groups: "" },
  "kube-scheduler": { user: "system:kube-scheduler", groups: "" },
} as const;
export type AccountName = keyof typeof ACCOUNTS;

export interface Credentials {
  /** File with the key that signs tokens of service accounts. */
  readonly signingKey: string;
  /** File with the token of each account, as the API server reads it. */
  readonly tokens: string;
  readonly adminToken: string;
  readonly tokenOf: (name: AccountName) => string;
}

/** Writes keys and tokens into `folder`, readable by their owner alone. */
export function makeCredentials(folder: string): Credentials {
  const names = Object.keys(ACCOUNTS) as readonly AccountName[];
  const secrets = new Map(names.map((name) => [name, randomBytes(32).toString("hex")]));
  const tokenOf = (name: AccountName): string => secrets.get(name) ?? "";
  const signingKey = join(folder, "service-accounts.key");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writePrivately(signingKey, privateKey.export({ type: "sec1", format: "pem" }).toString());
  const tokens = join(folder, "tokens.csv");
  const line = (name: AccountName) => `${tokenOf(name)},${ACCOUNTS[name].user},${name},"${ACCOUNTS[name].groups}"\n`;
  writePrivately(tokens, names.map(line).join(""));
  return { signingKey, tokens, adminToken: tokenOf("admin"), tokenOf };
}

/** Path of an account's kubeconfig. */
export const accountFile = (folder: string, name: AccountName): string => join(folder, `${name}.kubeconfig`);

/** Writes the kubeconfig of every account, for a server that has made its `certificate` (a file). */
export function writeKubeconfigs(folder: string, { tokenOf }: Credentials, server: string, certificate: string): void {
  const cluster = { server, "certificate-authority-data": readFileSync(certificate).toString("base64") };
  for (const name of Object.keys(ACCOUNTS) as readonly AccountName[]) {
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "proof", cluster }],
      users: [{ name, user: { token: tokenOf(name) } }],
      contexts: [{ name: "proof", context: { cluster: "proof", user: name } }],
      "current-context": "proof",
    };
    writePrivately(accountFile(folder, name), JSON.stringify(config, undefined, 2));
  }
}

const writePrivately = (path: string, content: string): void => writeFileSync(path, content, { mode: 0o600 });
