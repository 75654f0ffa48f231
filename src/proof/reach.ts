/**
 * How the clients of a proof reach what was booted: at the addresses of pods that are ready, from the node, as kubectl's
 * port-forward does. Certificates are checked by the name of the Service.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Target } from "../connect/nats.ts";
import type { Tile38Target } from "../connect/tile38.ts";
import { DOCUMENTS, NATS, PORTS, serviceHost, storeKey } from "../kubernetes/names.ts";
import { inboxPrefix } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import type { PodRun } from "./agent/pod-run.ts";
import type { Documents } from "./external-secrets.ts";

/** ms for a connection and each request: servers share two cores with everything else here. */
const TIMEOUT = 10_000;

/** Pods whose labels have all of these. */
export const podsWith = (pods: readonly PodRun[], labels: Readonly<Record<string, string>>): readonly PodRun[] =>
  pods.filter(({ pod }) => Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value));

/** Addresses of those of them that run and are ready. */
export const addressesOf = (pods: readonly PodRun[], labels: Readonly<Record<string, string>>): readonly string[] =>
  podsWith(pods, labels).flatMap(({ address, containers }) =>
    address && containers.every(({ ready, container }) => ready || !container.ports) ? [address] : [],
  );

/** Of the pods of NATS servers. */
export const SERVER = { "app.kubernetes.io/name": NATS.name, "app.kubernetes.io/component": "server" };

/**
 * What an identity connects to NATS with; its files are written into `folder`, for their owner alone.
 *
 * @throws Error where no server of these pods is ready: without an address clients would try their own machine
 */
export async function natsTarget(
  model: Model,
  pods: readonly PodRun[],
  documents: Documents,
  identity: string,
  folder: string,
): Promise<Target> {
  const { environment } = model;
  const document = async (name: string): Promise<string> => (await documents.read(storeKey(environment, name))) ?? "";
  const keep = async (name: string, content: string): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  };
  const client = JSON.parse(await document(DOCUMENTS.client(identity)));
  const servers = addressesOf(pods, SERVER);
  if (servers.length === 0) throw new Error(`no NATS server is ready that ${identity} could connect to`);
  return {
    servers: servers.map((address) => `${address}:${PORTS.natsClient}`),
    inboxPrefix: inboxPrefix({ name: identity }, model),
    timeout: TIMEOUT,
    ...(client.seed
      ? { nkeyFile: await keep(`${identity}.nk`, client.seed) }
      : { user: client.user, password: client.password }),
    ...(environment.nats.tls
      ? {
          tls: { ca: await keep("ca.crt", await document(DOCUMENTS.trust)) },
          tlsName: serviceHost(NATS.clientService, environment),
        }
      : {}),
  };
}

/** Where Tile38 answers on a pod. */
export async function tile38Target({ environment }: Model, host: string, documents: Documents): Promise<Tile38Target> {
  const { password } = JSON.parse((await documents.read(storeKey(environment, DOCUMENTS.tile38))) ?? "{}");
  return { host, port: PORTS.tile38, password, timeout: TIMEOUT };
}
