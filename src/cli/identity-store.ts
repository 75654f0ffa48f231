/** Where credentials are kept, and where they are sent in environments without a secret store. */
import { join } from "node:path";
import { applyObjects } from "../connect/kubectl.ts";
import { clusterStore } from "../connect/secret-cluster.ts";
import { folderStore, writePrivately } from "../connect/secret-folder.ts";
import { gcpSecretManager } from "../connect/secret-store.ts";
import { type RenderedSecret, renderSecrets } from "../identity/rendered.ts";
import type { Action } from "../identity/rotation.ts";
import type { SecretStore } from "../identity/store.ts";
import { CLIENT_NAMESPACE_LABEL, NATS } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import { SECOND } from "../units.ts";
import { UsageError } from "./failures.ts";
import { log } from "./output/terminal.ts";

export interface Destination {
  /** Folder of the documents, in place of the environment's store. */
  readonly store?: string;
  /** Folder that the Secrets are written to as files. */
  readonly out?: string;
  /** Context of kubectl that the Secrets are sent to. */
  readonly kubectl?: string;
}

/** @throws UsageError for options that do not fit the environment */
export function storeOf(
  { environment }: Model,
  action: Action | "list",
  { store, out, kubectl }: Destination,
): SecretStore {
  const { secrets, kubernetes } = environment;
  if (secrets.store === "gcp-secret-manager") {
    // Where one credential follows another it is where the servers are asked.
    if (out !== undefined || (kubectl !== undefined && (action === "create" || action === "list"))) {
      throw new UsageError(
        `--out and --kubectl are for environments without a secret store; External Secrets makes those of ${environment.name}`,
      );
    }
    return store === undefined ? gcpSecretManager(secrets.project) : folderStore(store);
  }
  if (store !== undefined) return folderStore(store);
  if (out !== undefined) return folderStore(join(out, "documents"));
  // Whatever comes after the first create must know what was created.
  if (kubectl !== undefined) {
    const { namespace } = kubernetes;
    return clusterStore({ context: kubectl, namespace, name: NATS.documentsSecret, made: NATS.authSecret });
  }
  throw new UsageError(
    `where are the documents? ${environment.name} has no secret store: give --out DIR, --kubectl CONTEXT or both${action === "create" ? "" : ", as for create"}`,
  );
}

/** The kubelet hands a changed Secret to pods within 60 to 90 s, the reloader to the server at once. */
const KUBELET = 120 * SECOND;

/** Nanoseconds until servers and clients have what is written now. */
export function takesEffectWithin({ environment: { secrets } }: Model, { store, kubectl }: Destination): number {
  if (secrets.store === "gcp-secret-manager") return store === undefined ? secrets.refresh + KUBELET : 0;
  return kubectl === undefined ? 0 : KUBELET;
}

/** Tries what `deliver` will need, before anything is written. @throws Impossible; BrokenDocument; StoreFailure */
export async function tryDelivery(model: Model, store: SecretStore, { out, kubectl }: Destination): Promise<void> {
  if (model.environment.secrets.store === "kubectl" && (out ?? kubectl) !== undefined)
    await renderSecrets(model, store);
}

/** Sends the Secrets to where the options say; does nothing where External Secrets will. */
export async function deliver(model: Model, store: SecretStore, { out, kubectl }: Destination): Promise<void> {
  if (model.environment.secrets.store !== "kubectl" || (out === undefined && kubectl === undefined)) return;
  const secrets = await renderSecrets(model, store);
  if (out !== undefined) {
    for (const { name, files } of secrets) {
      for (const [file, text] of Object.entries(files)) await writePrivately(join(out, name), file, text);
    }
    log(`Wrote ${secrets.length} Secrets as files below ${out}.`);
  }
  if (kubectl !== undefined) {
    const mounted = secrets.filter(({ namespace }) => namespace !== undefined);
    await applyObjects(kubectl, [...clientNamespaces(model, mounted), ...mounted.map(toObject)]);
    log(`Sent ${mounted.length} Secrets to ${kubectl}.`);
  }
}

/** In a throw-away cluster nobody else makes them; the label lets their pods reach the backbone. */
const clientNamespaces = ({ environment }: Model, secrets: readonly RenderedSecret[]): object[] =>
  [...new Set(secrets.map(({ namespace }) => namespace))]
    .filter((name) => name !== environment.kubernetes.namespace)
    .map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: { [CLIENT_NAMESPACE_LABEL]: "true" } },
    }));

const toObject = ({ name, namespace, files }: RenderedSecret): object => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace },
  type: "Opaque",
  data: Object.fromEntries(Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString("base64")])),
});
