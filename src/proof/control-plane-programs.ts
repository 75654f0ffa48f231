/** With which options etcd and the programs of Kubernetes run on loopback. */
import { join } from "node:path";
import { type AccountName, accountFile, type Credentials } from "./credentials.ts";
import type { ProgramInput } from "./program.ts";

export const CONTROL_PLANE = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
export type ControlPlaneProgram = (typeof CONTROL_PLANE)[number];

/** What each program is started with. */
export interface Site {
  readonly folder: string;
  /** Executable of each program. */
  readonly paths: Readonly<Record<ControlPlaneProgram, string>>;
  /** Port of each program on 127.0.0.1. */
  readonly ports: Readonly<Record<ControlPlaneProgram | "etcd-peer", number>>;
  readonly credentials: Credentials;
}

/** The API server's address, for clients. */
export const serverUrl = ({ ports }: Site): string => `https://127.0.0.1:${ports["kube-apiserver"]}`;

/** The certificate that a Kubernetes program makes for itself in the folder that is its `--cert-dir`. */
export const certificateOf = (site: Site, name: ControlPlaneProgram): string =>
  // Of all of them the API server alone drops "kube-" from the name of its file.
  join(site.folder, "certificates", `${name === "kube-apiserver" ? "apiserver" : name}.crt`);

export function etcd({ folder, paths, ports }: Site): ProgramInput {
  const clients = `http://127.0.0.1:${ports.etcd}`;
  const peers = `http://127.0.0.1:${ports["etcd-peer"]}`;
  return {
    name: "etcd",
    path: paths.etcd,
    folder,
    args: [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${clients}`,
      `--advertise-client-urls=${clients}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=default=${peers}`,
      // It never outlives the machine, so waiting for the disk protects nothing.
      "--unsafe-no-fsync",
      "--log-level=warn",
    ],
    health: { url: `${clients}/health` },
  };
}

export function apiServer(site: Site): ProgramInput {
  const { ports, credentials } = site;
  return secured(site, "kube-apiserver", "/readyz", [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    // The Service "kubernetes" gets no endpoint: one on loopback is refused, and no pod of ours calls the API.
    "--advertise-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${credentials.signingKey}`,
    `--service-account-signing-key-file=${credentials.signingKey}`,
    `--token-auth-file=${credentials.tokens}`,
    "--anonymous-auth=false",
    "--authorization-mode=RBAC",
    "--enable-admission-plugins=NodeRestriction",
    // As on every real cluster; without it a privileged pod is refused before Pod Security sees it.
    "--allow-privileged=true",
  ]);
}

export function controllerManager(site: Site): ProgramInput {
  return secured(site, "kube-controller-manager", "/healthz", [
    ...asClient(site, "kube-controller-manager"),
    "--use-service-account-credentials=true",
    `--service-account-private-key-file=${site.credentials.signingKey}`,
    `--root-ca-file=${certificateOf(site, "kube-apiserver")}`,
  ]);
}

export function scheduler(site: Site): ProgramInput {
  return secured(site, "kube-scheduler", "/readyz", asClient(site, "kube-scheduler"));
}

/** What the programs of Kubernetes have in common: they listen on loopback, with a certificate of their own making. */
function secured(site: Site, name: ControlPlaneProgram, path: string, args: readonly string[]): ProgramInput {
  const port = site.ports[name];
  const certificates = join(site.folder, "certificates");
  return {
    name,
    path: site.paths[name],
    folder: site.folder,
    args: ["--bind-address=127.0.0.1", `--secure-port=${port}`, `--cert-dir=${certificates}`, ...args],
    health: {
      url: `https://127.0.0.1:${port}${path}`,
      certificate: certificateOf(site, name),
      token: site.credentials.adminToken,
    },
  };
}

/** There is one of each, so nothing is gained by waiting for an election. */
const asClient = ({ folder }: Site, name: AccountName): readonly string[] =>
  ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"]
    .map((option) => `--${option}=${accountFile(folder, name)}`)
    .concat("--leader-elect=false");
